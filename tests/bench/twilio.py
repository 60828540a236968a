"""What Twilio notices of us while it carries 30 calls: gaps in the agent's sound, and how soon webhooks are
answered:

    taskset -c 1 python -m tests.bench.twilio --calls 30 --seconds 60 --json OUT

The engines take no time but that the voice comes as fast as it is heard (tests/bench/twilio_asgi.py): a real
one is ahead of the ear, and hides what is measured here. A gap is how long Twilio had nothing to play in the
middle of what the agent says. Meanwhile signed webhooks come, each on a connection of its own: new calls,
states of calls that go on, recordings.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import itertools
import json
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from django.conf import settings
from twilio.request_validator import RequestValidator
from websockets.asyncio.client import ClientConnection

from telephony.providers.twilio.simulator import Account, Carrier
from tests.bench.capacity import (
    ACCOUNT_SID,
    AUTH_TOKEN,
    NUMBER,
    RAMP_SECONDS,
    DrivenCall,
    Figures,
    Load,
    load_turns,
    prepare,
    running_server,
)

APPLICATION = "tests.bench.twilio_asgi:application"
SENTENCE_SECONDS, CHUNK_SECONDS = 2.4, 0.1  # as that voice speaks them
SETTLING_SECONDS = 6.0
WEBHOOKS_A_SECOND = 10
GAP_TARGET_MS, WEBHOOK_TARGET_MS = 40.0, 100.0


@dataclass
class Heard:
    """Milliseconds without sound before each piece of it, but the first of what is said."""

    gaps_ms: list[float] = field(default_factory=list)


class ListenedTo(DrivenCall):
    """Plays what comes as Twilio does: on and on while there is some, and from anew after a clear."""

    pause_frames = 150  # until the agent has said all of it

    def __init__(self, *arguments: Any, heard: Heard) -> None:
        super().__init__(*arguments)
        self._heard = heard

    async def _listen(self, socket: ClientConnection) -> None:
        loop = asyncio.get_running_loop()
        plays_until = said = 0.0  # loop time; seconds of the sentence so far
        async for text in socket:
            assert isinstance(text, str)
            now = loop.time()
            if text.startswith('{"event":"media"'):
                self._answer.set()
                if said and self.measuring:
                    self._heard.gaps_ms.append(1000 * max(0.0, now - plays_until))
                seconds = len(base64.b64decode(json.loads(text)["media"]["payload"])) / 8000
                plays_until = max(plays_until, now) + seconds
                said += seconds
            elif text.startswith('{"event":"mark"'):
                loop.call_later(max(0.0, plays_until - now), self._return_mark, socket, text)
                if said > SENTENCE_SECONDS - CHUNK_SECONDS:  # the other mark is behind its first sound
                    said = 0.0
            else:
                plays_until = said = 0.0


@dataclass
class Webhooks:
    """Signed requests as Twilio makes them."""

    account: Account
    milliseconds: dict[str, list[float]] = field(
        default_factory=lambda: {"voice": [], "status": [], "recording": []}
    )
    failed: int = 0

    async def run(self, calls: list[ListenedTo]) -> None:
        """Until cancelled: one kind after the other."""
        limits = httpx.Limits(max_keepalive_connections=0)
        async with httpx.AsyncClient(
            base_url=self.account.server, timeout=20.0, trust_env=False, limits=limits
        ) as client:
            loop = asyncio.get_running_loop()
            next_at = loop.time()
            tasks: set[asyncio.Task[None]] = set()
            for number in itertools.count():
                call = calls[number % len(calls)]
                task = asyncio.create_task(self._ask(client, number, call.call_sid))
                tasks.add(task)
                task.add_done_callback(tasks.discard)
                next_at += 1 / WEBHOOKS_A_SECOND
                await asyncio.sleep(next_at - loop.time())

    async def _ask(self, client: httpx.AsyncClient, number: int, call_sid: str) -> None:
        kind = ("voice", "status", "recording")[number % 3]
        form = {"AccountSid": ACCOUNT_SID, "CallSid": call_sid, "From": "+14155550199", "To": NUMBER}
        if kind == "voice":
            form |= {"CallSid": Carrier(self.account, caller="", callee="").call_sid, "CallStatus": "ringing"}
        elif kind == "status":
            form |= {"CallStatus": "in-progress", "SequenceNumber": "1"}
        else:
            form |= {"RecordingSid": f"RE{number:032x}", "RecordingStatus": "in-progress"}
        path = f"/telephony/twilio/{kind}/"
        signature = RequestValidator(AUTH_TOKEN).compute_signature(self.account.public_url + path, form)
        began = time.perf_counter()
        answer = await client.post(path, data=form, headers={"X-Twilio-Signature": signature})
        self.milliseconds[kind].append(1000 * (time.perf_counter() - began))
        self.failed += answer.is_error


async def drive(account: Account, calls: int, seconds: float, pid: int) -> dict[str, Any]:
    figures, heard, webhooks = Figures(), Heard(), Webhooks(account)
    turns = load_turns()
    driven = [ListenedTo(account, turns, number, figures, heard=heard) for number in range(calls)]
    tasks = []
    for call in driven:
        tasks.append(asyncio.create_task(call.run()))
        await asyncio.sleep(RAMP_SECONDS)
    await asyncio.sleep(SETTLING_SECONDS)
    for call in driven:
        call.measuring = True
    asking = asyncio.create_task(webhooks.run(driven))
    start = Load.of(pid)
    await asyncio.sleep(seconds)
    core_share = (Load.of(pid).cpu_seconds - start.cpu_seconds) / seconds
    for task in (asking, *tasks):
        task.cancel()
    await asyncio.gather(asking, *tasks, return_exceptions=True)
    every = [value for values in webhooks.milliseconds.values() for value in values]
    return {
        "calls": calls,
        "seconds": seconds,
        "load": os.getloadavg()[0],
        "refused": figures.refused,
        "lost": figures.lost,
        "unanswered_turns": figures.missing,
        "pieces": len(heard.gaps_ms),
        "gap_ms": spread(heard.gaps_ms),
        "webhooks": len(every),
        "webhooks_failed": webhooks.failed,
        "webhook_ms": spread(every),
        **{f"{kind}_ms": spread(values) for kind, values in webhooks.milliseconds.items()},
        "core_share": core_share,
    }


def spread(values: list[float]) -> dict[str, float]:
    ordered = sorted(values) or [float("nan")]

    def at(share: float) -> float:
        return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))], 1)

    return {"p50": at(0.5), "p95": at(0.95), "p99": at(0.99), "max": at(1.0)}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split(":")[0])
    parser.add_argument("--calls", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--core", default="0", help="of the server; this driver should run on another")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    prepare()
    server = f"http://127.0.0.1:{settings.PORT}"
    account = Account(ACCOUNT_SID, AUTH_TOKEN, server=server, public_url=settings.PUBLIC_URL)
    with running_server("daphne", settings.PORT, options.core, APPLICATION) as pid:
        result = asyncio.run(drive(account, options.calls, options.seconds, pid))
    met = result["gap_ms"]["p99"] <= GAP_TARGET_MS and result["webhook_ms"]["p95"] < WEBHOOK_TARGET_MS
    print(json.dumps(result, indent=1), "\nmet" if met else "\nmissed")  # noqa: T201
    if options.json:
        options.json.write_text(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
