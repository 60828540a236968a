"""The site with calls that go on by themselves, each with `BENCH_EVENTS` events a second.

They go the way of real ones: recorded in this process's event log, stored, folded and published.
"""

import asyncio
import itertools
import os
import random
import time
from uuid import UUID

import django

django.setup()

from telephony.eventlog import eventlog  # noqa: E402
from telephony.models import Call  # noqa: E402
from telephony.session.events import (  # noqa: E402
    AgentSaid,
    AgentStateChanged,
    CallerSaid,
    CallerStartedSpeaking,
    CallerWordsGuessed,
    Event,
    StepNoted,
    TurnMeasured,
)
from tests.bench.asgi import application as site  # noqa: E402

QUESTION = "Could you please tell me when the doctor is in on Friday because my back still hurts"
ASKED_SHARE, SLOW_SHARE, UNKNOWN_SHARE = 0.01, 0.05, 0.15  # of turns
EVENTS_A_SECOND = float(os.environ["BENCH_EVENTS"])
_begun: list[asyncio.Task[None]] = []


async def application(scope, receive, send) -> None:
    if not _begun:
        _begun.append(asyncio.create_task(_go_on()))
    await site(scope, receive, send)


async def _go_on() -> None:
    live = [call_id async for call_id in Call.objects.filter(ended_at=None).values_list("pk", flat=True)]
    scripts = {call_id: _conversation() for call_id in live}
    begun = time.monotonic()
    for number in itertools.count(1):
        for call_id in live[number % 4 :: 4]:  # a quarter of the calls at a time
            _happen(call_id, scripts[call_id])
        await asyncio.sleep(max(0.0, begun + number / EVENTS_A_SECOND / 4 - time.monotonic()))


def _happen(call_id: UUID, script) -> None:
    eventlog.record(call_id, next(script))


def _conversation():
    """Turn after turn, ten events each."""
    for turn in itertools.count(1):
        yield from _turn(turn)


def _turn(turn: int) -> list[Event]:
    words = random.sample(QUESTION.split(), 9)
    chance = random.random()
    seconds = 2.4 if chance < SLOW_SHARE else random.uniform(0.5, 1.4)
    name = "transfer" if chance < ASKED_SHARE else "not known" if chance > 1 - UNKNOWN_SHARE else "Hours"
    guesses = [CallerWordsGuessed(turn=turn, text=" ".join(words[:count])) for count in (2, 4, 7)]
    said = CallerSaid(
        turn=turn, text=" ".join(words), start_seconds=0, end_seconds=2, confidence=0.9, language="en"
    )
    measured = TurnMeasured(
        turn=turn,
        voice_to_voice_seconds=seconds,
        endpointing_seconds=seconds / 2,
        words_seconds=0.1,
        text_seconds=0.1,
        audio_seconds=seconds / 2 - 0.2,
    )
    return [
        CallerStartedSpeaking(over_agent=False),
        *guesses,
        said,
        AgentStateChanged(state="thinking"),
        StepNoted(note="intent", name=name, data={"score": 0.7}),
        AgentSaid(turn=turn, text="The doctor is in from eight to noon on Fridays.", sentence=0),
        measured,
        AgentStateChanged(state=random.choice(("speaking", "listening"))),
    ]
