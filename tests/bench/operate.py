"""How far behind the caller a listening operator is, and how soon a take-over is heard:

    python -m tests.bench.operate --json OUT

A real server, a real Chromium with the call's page open, and a caller who beeps. Both ends run on this
machine, so that one clock tells both times. What a loudspeaker adds behind the browser is not in it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import tempfile
import threading
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from django.conf import settings
from django.test import Client
from playwright.sync_api import Page, sync_playwright

os.environ["DEBUG"] = "true"  # scripts and styles as they lie in their folder
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # the browser is driven beside an event loop

from mlservices.audio import read_wav, resample, wav_bytes
from tests.bench.capacity import ACCOUNT_SID, AUTH_TOKEN, NUMBER, SOUNDS, TURNS, prepare, running_server
from tests.browser.conftest import speaking

# After capacity has set Django up.
from agents.models import Agent  # isort: skip
from telephony.measure import sounds  # isort: skip
from telephony.models import Call  # isort: skip
from telephony.providers.twilio.simulator import FRAME_SECONDS, RATE, Account, Carrier, Stream  # isort: skip
from voiceforge_site.models import User  # isort: skip

BEEP_SECONDS, BETWEEN_SECONDS = 0.2, 1.2
LOUD = 1500
NEVER_MS = 60_000.0  # what was not heard at all must show in the figures
# Notes when what goes to the loudspeaker becomes loud.
EAR = """
const connect = AudioNode.prototype.connect;
window.onsets = [];
AudioNode.prototype.connect = function (target, ...rest) {
  if (target instanceof AudioDestinationNode && !this.isEar) {
    const ear = this.context.createScriptProcessor(256, 1, 1);
    ear.isEar = true;
    let quietSince = 0;
    ear.onaudioprocess = ({ inputBuffer }) => {
      const loud = inputBuffer.getChannelData(0).some((sample) => Math.abs(sample) > 0.09);
      if (loud && Date.now() - quietSince > 300) window.onsets.push(Date.now());
      if (loud) quietSince = Date.now();
    };
    connect.call(this, ear);
    connect.call(ear, target);
  }
  return connect.call(this, target, ...rest);
};
"""


class BeepingCaller:
    """A call whose caller is silent but for beeps on demand, driven from a thread of its own."""

    def __init__(self, account: Account) -> None:
        self._carrier = Carrier(account, caller="+14155550199", callee=NUMBER)
        self._loop = asyncio.new_event_loop()
        self._stream: Stream | None = None
        self._over = False
        self.heard_at = 0.0  # wall clock of the last loud sound that came to the caller
        self.first_heard_at = 0.0  # of the first one since `forget`
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._run(),))
        self._thread.start()

    async def _run(self) -> None:
        account_sid = ACCOUNT_SID
        told = await self._carrier.ring()
        async with self._carrier.socket(told.socket_path) as socket:
            stream = Stream(socket, account_sid=account_sid, call_sid=self._carrier.call_sid)
            listening = asyncio.create_task(stream.listen())
            await stream.start(told.parameters)
            self._stream = stream
            next_at = self._loop.time()
            while not self._over and not stream.ended.is_set():
                await stream.tick()
                self._look(bytes(stream.agent_leg[-2 * int(RATE * FRAME_SECONDS) :]))
                next_at += FRAME_SECONDS
                await asyncio.sleep(max(0.0, next_at - self._loop.time()))
            await stream.stop()
            listening.cancel()

    def _look(self, sound: bytes) -> None:
        if np.abs(np.frombuffer(sound, "<i2").astype(int)).max(initial=0) > LOUD:
            self.heard_at = time.time()
            self.first_heard_at = self.first_heard_at or self.heard_at

    def beep(self) -> float:
        """Wall clock at which the beep's first frame is sent, within a frame."""
        assert self._stream
        at = np.arange(int(RATE * BEEP_SECONDS)) / RATE
        self._stream.say((np.sin(2 * np.pi * 600 * at) * 12_000).astype("<i2").tobytes())
        return time.time()

    def forget(self) -> None:
        self.first_heard_at = 0.0

    def hang_up(self) -> None:
        self._over = True
        self._thread.join()


def measure(rounds: int) -> dict[str, Any]:
    account = Account(
        ACCOUNT_SID, AUTH_TOKEN, server=f"http://127.0.0.1:{settings.PORT}", public_url=settings.PUBLIC_URL
    )
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        microphone = Path(folder) / "speech.wav"
        microphone.write_bytes(wav_bytes(speech(seconds=120), 48_000))
        with running_server("daphne", settings.PORT, "0"):
            caller = BeepingCaller(account)
            browser = speaking(playwright, microphone)
            try:
                page = open_page(browser)
                return {
                    "listen": summary(listen(page, caller, rounds)),
                    "take_over": summary(take_over(page, caller, max(3, rounds // 4))),
                }
            finally:
                browser.close()
                caller.hang_up()


def speech(seconds: int) -> bytes:
    """Somebody who goes on talking; a tone would be taken for noise and suppressed by the browser."""
    pieces = [resample(*read_wav(SOUNDS / f"{name}.wav"), 48_000) for name in TURNS]
    whole = np.concatenate([np.frombuffer(piece, "<i2") for piece in pieces])
    talking = np.concatenate(
        [whole[int(s.start * 48_000) : int(s.end * 48_000)] for s in sounds(whole, 48_000)]
    )
    return np.resize(talking, seconds * 48_000).astype("<i2").tobytes()


def open_page(browser: Any) -> Page:
    user = User.objects.create_superuser("bench", password="bench")
    client = Client()
    client.force_login(user)
    url = f"http://127.0.0.1:{settings.PORT}"
    context = browser.new_context(base_url=url)
    context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": url}])
    page = context.new_page()
    page.add_init_script(EAR)
    while not (call := Call.objects.filter(answered_at__isnull=False).first()):
        time.sleep(0.2)
    page.goto(call.get_absolute_url())
    page.get_by_role("button", name="Listen").click()
    page.wait_for_timeout(4000)  # the greeting is over
    return page


def listen(page: Page, caller: BeepingCaller, rounds: int) -> list[float]:
    """Milliseconds from a beep at the caller's to the browser's loudspeaker."""
    page.get_by_label("What you hear").select_option("caller")
    late = []
    for _ in range(rounds):
        page.evaluate("onsets.length = 0")
        sent = caller.beep()
        page.wait_for_timeout(BETWEEN_SECONDS * 1000)
        onsets = page.evaluate("onsets")
        late.append(onsets[0] - sent * 1000 if onsets else NEVER_MS)
    return late


def take_over(page: Page, caller: BeepingCaller, rounds: int) -> list[float]:
    """Milliseconds from the click to the operator's first sound at the caller's."""
    late = []
    for _ in range(rounds):
        while time.time() - caller.heard_at < 2:
            page.wait_for_timeout(100)
        caller.forget()
        clicked = time.time()
        page.get_by_role("button", name="Take over").click()
        while not caller.first_heard_at and time.time() - clicked < 5:
            page.wait_for_timeout(20)
        late.append((caller.first_heard_at - clicked) * 1000 if caller.first_heard_at else NEVER_MS)
        page.get_by_role("button", name="Give back").click()
    return late


def summary(milliseconds: list[float]) -> dict[str, Any]:
    return {
        "measured": len(milliseconds),
        "p50_ms": round(median(milliseconds)),
        "p95_ms": round(float(np.percentile(milliseconds, 95))),
        "max_ms": round(max(milliseconds)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split(":")[0])
    parser.add_argument("--rounds", type=int, default=24)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    prepare()
    Agent.objects.update(silence_seconds=60)  # the longest, or the call would end in the middle
    result = measure(options.rounds)
    print(result)  # noqa: T201
    if options.json:
        options.json.write_text(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
