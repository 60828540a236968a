"""How many calls one web process on one core carries:

    taskset -c 1 python -m tests.bench.capacity --server daphne --calls 30,60 --json OUT

Engines answer at once (tests/bench/asgi.py), the voice detector is real. A driver on another core
plays real speech as Twilio's sockets would and measures when the answer's first sound comes back. A
turn begins on a multiple of 160 ms, so that frames (20 ms) and the detector's windows (32 ms) always
fall alike: the same turn has the same answer time but for what the load adds. That time is measured
with five calls first and taken off.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import os
import random
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import django
import httpx
import numpy as np
from django.conf import settings
from django.core.management import call_command
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

django.setup()

from agents.models import Agent  # noqa: E402
from mlservices.audio import read_wav, resample, ulaw_encode  # noqa: E402
from telephony.credentials import save_credential  # noqa: E402
from telephony.measure import sounds  # noqa: E402
from telephony.models import PhoneNumber  # noqa: E402
from telephony.providers.twilio.simulator import Account, Carrier, NotConnected  # noqa: E402
from tests.bench.pages import busiest_child  # noqa: E402
from voiceforge_site.management.commands.web import arguments  # noqa: E402

REPOSITORY = Path(__file__).resolve().parents[2]
SOUNDS = Path("/usr/share/asterisk/sounds/en_US_f_Allison")
# One unbroken sentence each.
TURNS = ("transfer", "call-forwarding", "conf-now-recording", "number-not-answering", "priv-recordintro")
APPLICATION = "tests.bench.asgi:application"
ACCOUNT_SID, AUTH_TOKEN, NUMBER = "AC" + "b" * 32, "b" * 32, "+14155550123"

FRAME_SECONDS = 0.02
ALIGNED_FRAMES = 8  # 160 ms: 8 frames, 5 windows
PAUSE_FRAMES = 40  # after the answer began
LATE_SECONDS, MISSING_SECONDS = 1.0, 4.0
RAMP_SECONDS = 0.12  # from call to call
SILENCE = base64.b64encode(b"\xff" * 160).decode()
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Turn:
    name: str
    payloads: tuple[str, ...]


@dataclass
class Figures:
    """Seconds from the last frame of speech to the first sound of the answer, by turn."""

    latencies: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    missing: int = 0
    refused: int = 0
    lost: int = 0  # calls whose socket was closed


def load_turns() -> list[Turn]:
    turns = []
    for name in TURNS:
        pcm = resample(*read_wav(SOUNDS / f"{name}.wav"), 8000)
        end = int(sounds(np.frombuffer(pcm, "<i2"), 8000)[-1].end / FRAME_SECONDS)
        ulaw = ulaw_encode(pcm)
        payloads = (base64.b64encode(ulaw[i * 160 : (i + 1) * 160]).decode() for i in range(end))
        turns.append(Turn(name, tuple(payloads)))
    return turns


class DrivenCall:
    """One caller: greeted, then turn after turn, each once the answer to the last has begun."""

    pause_frames = PAUSE_FRAMES

    def __init__(self, account: Account, turns: Sequence[Turn], first: int, figures: Figures) -> None:
        self._carrier = Carrier(account, caller="+14155550199", callee=NUMBER)
        self._account = account
        self._turns = turns
        self._figures = figures
        self._frames = 0
        self._turn = first
        self._answer = asyncio.Event()
        self.measuring = False

    @property
    def call_sid(self) -> str:
        return self._carrier.call_sid

    async def run(self) -> None:
        try:
            told = await self._carrier.ring()
        except NotConnected:
            self._figures.refused += 1
            return
        if not told.socket_path:
            self._figures.refused += 1
            return
        try:
            async with self._carrier.socket(told.socket_path) as socket:
                listening = asyncio.create_task(self._listen(socket))
                try:
                    await self._talk(socket, told.parameters)
                finally:
                    listening.cancel()
        except ConnectionClosed:
            self._figures.lost += 1

    async def _listen(self, socket: ClientConnection) -> None:
        async for text in socket:
            assert isinstance(text, str)
            if text.startswith('{"event":"media"'):
                self._answer.set()
            elif text.startswith('{"event":"mark"'):
                # Sound of 0.6 s is played when its mark is due; the exact time changes nothing here.
                asyncio.get_running_loop().call_later(0.6, self._return_mark, socket, text)

    @staticmethod
    def _return_mark(socket: ClientConnection, text: str) -> None:
        task = asyncio.ensure_future(_quietly(socket.send(text)))
        _marks.add(task)
        task.add_done_callback(_marks.discard)

    async def _talk(self, socket: ClientConnection, parameters: dict[str, str]) -> None:
        await socket.send('{"event":"connected","protocol":"Call","version":"1.0.0"}')
        media_format = {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}
        start = {
            "accountSid": self._account.sid,
            "callSid": self._carrier.call_sid,
            "streamSid": "MZ" + self._carrier.call_sid[2:],
            "tracks": ["inbound"],
            "mediaFormat": media_format,
            "customParameters": parameters,
        }
        await socket.send(json.dumps({"event": "start", "sequenceNumber": "1", "start": start}))
        self._next_at = asyncio.get_running_loop().time()
        await self._send(socket, [SILENCE] * random.randint(60, 250))
        while True:
            await self._send(socket, [SILENCE] * (-self._frames % ALIGNED_FRAMES))
            await self._take_turn(socket, self._turns[self._turn % len(self._turns)])
            await self._send(socket, [SILENCE] * self.pause_frames)
            self._turn += 1

    async def _take_turn(self, socket: ClientConnection, turn: Turn) -> None:
        loop = asyncio.get_running_loop()
        await self._send(socket, turn.payloads)
        self._answer.clear()
        ended = loop.time()
        answer = asyncio.create_task(self._answer.wait())
        answered: list[float] = []
        answer.add_done_callback(lambda _: answered.append(loop.time()))
        while not answered and loop.time() - ended < MISSING_SECONDS:
            await self._send(socket, [SILENCE])
        answer.cancel()
        if not self.measuring:
            return
        if self._answer.is_set() and answered:
            self._figures.latencies[turn.name].append(answered[0] - ended)
        else:
            self._figures.missing += 1

    async def _send(self, socket: ClientConnection, payloads: Sequence[str]) -> None:
        loop = asyncio.get_running_loop()
        for payload in payloads:
            self._frames += 1
            number = self._frames
            await socket.send(
                f'{{"event":"media","sequenceNumber":"{number + 1}","media":{{"track":"inbound",'
                f'"chunk":"{number}","timestamp":"{number * 20}","payload":"{payload}"}},"streamSid":"MZ"}}'
            )
            self._next_at += FRAME_SECONDS
            await asyncio.sleep(self._next_at - loop.time())


_marks: set[asyncio.Future[None]] = set()


async def _quietly(sending: Any) -> None:
    with suppress(ConnectionClosed):
        await sending


@dataclass(frozen=True)
class Load:
    """What the server's process has used."""

    cpu_seconds: float
    resident_mb: float

    @classmethod
    def of(cls, pid: int) -> Load:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        return cls((int(fields[11]) + int(fields[12])) / CLOCK_TICKS, pages * 4096 / 1e6)


async def drive(account: Account, turns: list[Turn], calls: int, seconds: float, pid: int) -> dict[str, Any]:
    figures = Figures()
    before = Load.of(pid)
    driven = [DrivenCall(account, turns, number, figures) for number in range(calls)]
    tasks = []
    for call in driven:
        tasks.append(asyncio.create_task(call.run()))
        await asyncio.sleep(RAMP_SECONDS)
    await asyncio.sleep(6.0)  # greetings are over, all are in their turns
    for call in driven:
        call.measuring = True
    started, start = time.monotonic(), Load.of(pid)
    await asyncio.sleep(seconds)
    elapsed, end = time.monotonic() - started, Load.of(pid)
    for call in driven:
        call.measuring = False
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return {
        "calls": calls,
        "latencies": dict(figures.latencies),
        "missing": figures.missing,
        "refused": figures.refused,
        "lost": figures.lost,
        "core_share": (end.cpu_seconds - start.cpu_seconds) / elapsed,
        "cpu_ms_per_call_second": (end.cpu_seconds - start.cpu_seconds) / elapsed / calls * 1000,
        "memory_mb_per_call": (end.resident_mb - before.resident_mb) / calls,
        "resident_mb": end.resident_mb,
    }


def summarise(run: dict[str, Any], baseline: dict[str, float]) -> dict[str, Any]:
    """Puts the added latency in place of the latencies."""
    latencies = run.pop("latencies")
    added = sorted(max(0.0, value - baseline[name]) for name in latencies for value in latencies[name])
    if not added:
        return {**run, "turns": 0}
    return {
        **run,
        "turns": len(added),
        "added_p50_ms": statistics.median(added) * 1000,
        "added_p95_ms": added[int(len(added) * 0.95)] * 1000,
        "added_max_ms": added[-1] * 1000,
        "late": sum(value > LATE_SECONDS for value in added),
    }


@contextmanager
def running_server(server: str, port: int, cores: str, application: str = APPLICATION) -> Iterator[int]:
    """A web process on these cores, with a database of its own; its process id."""
    command = arguments(server, port=port, application=application)
    process = subprocess.Popen(["taskset", "-c", cores, sys.executable, "-m", *command], cwd=REPOSITORY)
    try:
        deadline = time.monotonic() + 40
        while True:
            try:
                httpx.get(f"http://127.0.0.1:{port}/login/", timeout=5)
                break
            except httpx.TransportError:
                if time.monotonic() > deadline or process.poll() is not None:
                    raise
                time.sleep(0.2)
        yield busiest_child(process.pid)
    finally:
        process.terminate()
        process.wait(timeout=20)


def prepare() -> None:
    """Tables, an agent and a number."""
    call_command("migrate", verbosity=0)
    agent = Agent.objects.create(name="Bench", slug="bench", greeting="Hello.", max_call_seconds=7200)
    credential = save_credential(provider="twilio", account=ACCOUNT_SID, secret=AUTH_TOKEN)
    PhoneNumber.objects.create(number=NUMBER, credential=credential, agent=agent)


def measure(options: argparse.Namespace) -> list[dict[str, Any]]:
    turns = load_turns()
    account = Account(
        ACCOUNT_SID, AUTH_TOKEN, server=f"http://127.0.0.1:{settings.PORT}", public_url=settings.PUBLIC_URL
    )
    with running_server(options.server, settings.PORT, options.core) as pid:
        alone = asyncio.run(drive(account, turns, len(turns), options.baseline_seconds, pid))["latencies"]
        baseline = {name: statistics.median(values) for name, values in alone.items()}
        results = []
        for calls in options.calls:
            run = asyncio.run(drive(account, turns, calls, options.seconds, pid))
            results.append({"server": options.server, **summarise(run, baseline)})
            print_row(results[-1])
            time.sleep(3)
    return results


def print_row(row: dict[str, Any]) -> None:
    print(  # noqa: T201
        f"{row['server']:8} {row['calls']:4} calls  added p50 {row.get('added_p50_ms', 0):6.1f} "
        f"p95 {row.get('added_p95_ms', 0):6.1f} max {row.get('added_max_ms', 0):6.1f} ms  "
        f"turns {row['turns']:4} late {row.get('late', 0)} missing {row['missing']} refused {row['refused']} "
        f"lost {row['lost']}  {row['cpu_ms_per_call_second']:.2f} ms a call-second  "
        f"core {row['core_share']:.0%}  {row['memory_mb_per_call']:.2f} MB a call",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split(":")[0])
    parser.add_argument("--server", choices=("daphne", "uvicorn", "granian"), default="daphne")
    parser.add_argument("--calls", type=lambda text: [int(n) for n in text.split(",")], default=[30])
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--baseline-seconds", type=float, default=30.0)
    parser.add_argument("--core", default="0", help="of the server; this driver should run on another")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    prepare()
    results = measure(options)
    if options.json:
        options.json.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
