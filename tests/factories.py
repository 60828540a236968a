"""Rows to look at: agents, calls with all that happened in them, recordings."""

from __future__ import annotations

import io
import itertools
import math
import struct
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from django.core.files.base import ContentFile
from django.utils import timezone

from agents.models import Agent, FlowVersion
from mlservices.audio import wav_bytes
from mlservices.ledger import Asker, Entry, write
from mlservices.models.usage import Outcome
from telephony import search
from telephony.cards import fold
from telephony.eventlog import measured_turns, save_messages
from telephony.models import (
    Call,
    CallEvent,
    Credential,
    MeasuredTurn,
    PhoneNumber,
    ProviderRecording,
    Recording,
)
from telephony.session.events import (
    AgentHeard,
    AgentSaid,
    AgentStateChanged,
    CallAnswered,
    CallEnded,
    CallerSaid,
    CallerStartedSpeaking,
    CallerWordsGuessed,
    CallRinging,
    EndReason,
    Event,
    StepNoted,
    TurnMeasured,
    kind_of,
    payload_of,
)

_numbers = itertools.count(1)
HOURS = {
    "topic": "Opening hours",
    "answer": "We are open from eight to six.",
    "questions": ["when are you open"],
}
PARKING = {"topic": "Parking", "answer": "Park behind the building.", "questions": ["where can I park"]}


def make_agent(name: str = "", **fields: Any) -> Agent:
    number = next(_numbers)
    defaults = {
        "slug": f"agent-{number}",
        "description": "Answers for a small clinic.",
        "greeting": "Hello, how can I help you?",
        "facts": [HOURS, PARKING],
    }
    return Agent.objects.create(name=name or f"Agent {number}", **(defaults | fields))


def make_number(number: str, *, agent: Agent | None = None) -> PhoneNumber:
    """A number of a Twilio account that has no real secret."""
    credential, _ = Credential.objects.get_or_create(provider="twilio", account="AC1", label="Main")
    return PhoneNumber.objects.create(number=number, credential=credential, agent=agent)


def noted(note: str, name: str, at: float = 1, **data: Any) -> StepNoted:
    return StepNoted(at_seconds=at, note=note, name=name, data=data)


def make_walked_call(
    agent: Agent,
    version: FlowVersion,
    steps: Iterable[StepNoted] = (),
    reason: EndReason = "agent_hung_up",
    **more: Any,
) -> Call:
    """One that has followed a flow from step "a" to "b", or as `steps` tell, and is over."""
    walk = list(steps) or [
        noted("node", "Hello", id="a", type="say"),
        noted("edge", "On", id="a>b", to="b", by="next"),
        noted("node", "Goodbye", id="b", type="end_call"),
    ]
    call = make_call(agent, ended([CallAnswered(line="twilio"), *walk], reason), **more)
    call.flow_version = version
    call.save(update_fields=["flow_version"])
    return call


def make_call(
    agent: Agent,
    events: Iterable[Event] = (),
    *,
    caller: str = "+14155550112",
    callee: str = "+14155550100",
    line: str = "twilio",
    direction: str = Call.Direction.INBOUND,
    started: datetime | None = None,
) -> Call:
    """A call to which `events` have happened, its state and card as they would have left it."""
    started = started or timezone.now()
    call = Call(
        pk=uuid4(),
        agent=agent,
        line=line,
        direction=direction,
        caller=caller,
        callee=callee,
        created_at=started,
    )
    card = call.blank_card()
    rows = []
    for seq, event in enumerate([CallRinging(), *events], start=1):
        at = started + timedelta(seconds=event.at_seconds)
        fold(card, event, seq=seq, at=at.timestamp())
        rows.append(
            CallEvent(
                call=call,
                seq=seq,
                kind=kind_of(event),
                at=at,
                at_seconds=event.at_seconds,
                payload=payload_of(event),
            )
        )
        if isinstance(event, CallAnswered):
            call.answered_at = at
        elif isinstance(event, CallEnded):
            call.ended_at, call.end_reason = at, event.reason
    call.status, call.last_seq, call.card = card.status, len(rows), card.as_json()
    call.turns, call.slow_turns, call.response_ms = card.turns, card.slow_turns, card.response_ms
    call.taken_over = card.taken_over
    if call.answered_at and call.ended_at:
        call.duration_seconds = (call.ended_at - call.answered_at).total_seconds()
    call.save(force_insert=True)
    CallEvent.objects.bulk_create(rows)
    save_messages(rows)
    MeasuredTurn.objects.bulk_create(measured_turns(rows, card))
    return call


def make_past_call(
    agent: Agent, words: str = "When are you open?", reason: EndReason = "caller_hung_up", **fields: Any
) -> Call:
    """A call of one turn in which the caller said `words`, over and found by them."""
    call = make_call(agent, ended(spoken([(words, "Certainly.")]), reason), **fields)
    search.index(call.pk)
    return call


def measured(turn: int, at: float, milliseconds: int = 820) -> TurnMeasured:
    seconds = milliseconds / 1000
    return TurnMeasured(
        at_seconds=at,
        turn=turn,
        voice_to_voice_seconds=seconds,
        endpointing_seconds=round(seconds * 0.35, 3),
        words_seconds=round(seconds * 0.2, 3),
        text_seconds=round(seconds * 0.15, 3),
        audio_seconds=round(seconds * 0.3, 3),
        stt_compute_seconds=round(seconds * 0.15, 3),
        tts_queue_seconds=round(seconds * 0.1, 3),
    )


def served_by_a_fallback(turn: int, at: float) -> list[Event]:
    """A turn in which every engine stood in for the first choice."""
    span = {"start_seconds": at, "end_seconds": at + 1.0, "confidence": 0.9, "language": "en"}
    heard = CallerSaid(
        at_seconds=at + 1.2, turn=turn, text="And today?", engine="Tiny Whisper", degraded=True, **span
    )
    said = AgentSaid(
        at_seconds=at + 2.0, turn=turn, text="Until six.", sentence=0, engine="Piper", degraded=True
    )
    times = replace(
        measured(turn, at + 2.1, 2600),
        stt_engine="Tiny Whisper",
        llm_engine="NVIDIA llama",
        tts_engine="Piper",
        degraded=["stt", "llm", "tts"],
    )
    return [
        heard,
        said,
        times,
        AgentHeard(at_seconds=at + 3.0, turn=turn, text="Until six.", interrupted=False),
    ]


def spoken(
    turns: Sequence[tuple[str, str]],
    *,
    milliseconds: Sequence[int] = (780, 910, 1240, 655),
    seconds: float = 6.0,
) -> list[Event]:
    """The events of a conversation of (caller, agent) turns, one every `seconds`, still going on."""
    events: list[Event] = [
        CallAnswered(line="twilio"),
        AgentSaid(at_seconds=0.4, turn=0, text="Hello, how can I help you?", sentence=0),
        AgentHeard(at_seconds=2.2, turn=0, text="Hello, how can I help you?", interrupted=False),
    ]
    for turn, (caller, agent) in enumerate(turns, start=1):
        at = 3.0 + (turn - 1) * seconds
        ms = milliseconds[(turn - 1) % len(milliseconds)]
        answered = at + 1.8 + ms / 1000
        events += [
            CallerStartedSpeaking(at_seconds=at, over_agent=False),
            CallerWordsGuessed(at_seconds=at + 1.0, turn=turn, text=" ".join(caller.split()[:3])),
            CallerSaid(
                at_seconds=at + 2.0,
                turn=turn,
                text=caller,
                start_seconds=at,
                end_seconds=at + 1.8,
                confidence=0.93,
                language="en",
            ),
            AgentStateChanged(at_seconds=at + 2.0, state="thinking"),
            StepNoted(at_seconds=at + 2.1, note="intent", name="fact", data={"score": 0.71}),
            AgentSaid(at_seconds=answered, turn=turn, text=agent, sentence=0),
            measured(turn, answered, ms),
            AgentStateChanged(at_seconds=answered, state="speaking"),
            AgentHeard(at_seconds=answered + 1.5, turn=turn, text=agent, interrupted=False),
            AgentStateChanged(at_seconds=answered + 1.5, state="listening"),
        ]
    return events


def ended(events: Sequence[Event], reason: EndReason = "caller_hung_up") -> list[Event]:
    at = events[-1].at_seconds + 1.5
    return [*events, CallEnded(at_seconds=at, reason=reason, duration_seconds=at)]


def make_provider_recording(call: Call, **fields: Any) -> ProviderRecording:
    """Kept, of a few seconds, unless `fields` say otherwise."""
    row = ProviderRecording(call=call, provider_id=f"RE{ProviderRecording.objects.count():032x}", **fields)
    if "state" not in fields:
        envelope = [round(40 * math.sin(math.pi * ((n / 10) % 1))) for n in range(130)]
        sound = wav_bytes(bytes(4 * 8000 * 13), 8000, channels=2)
        row.state, row.rate, row.duration_seconds, row.bytes = row.State.KEPT, 8000, 13.0, len(sound)
        row.peaks = {"rate": 10, "caller": envelope, "agent": envelope[5:]}
        row.file.save(f"{call.pk}-provider.wav", ContentFile(sound), save=False)
    row.save()
    return row


def make_recording(call: Call, seconds: float = 12.0, rate: int = 8000) -> Recording:
    """Two tones in turn: the caller's in the odd seconds, the agent's in the even."""
    frames = int(seconds * rate)
    samples = bytearray()
    for index in range(frames):
        at = index / rate
        loud = 9000 * math.sin(math.pi * (at % 1)) * math.sin(2 * math.pi * 440 * at)
        left, right = (loud, 0) if int(at) % 2 else (0, loud)
        samples += struct.pack("<hh", int(left), int(right))
    sound = wav_bytes(bytes(samples), rate, channels=2)
    envelope = [round(30 * math.sin(math.pi * ((n / 10) % 1))) for n in range(int(seconds * 10))]
    recording = Recording(
        call=call,
        rate=rate,
        duration_seconds=seconds,
        bytes=len(sound),
        peaks={
            "rate": 10,
            "caller": [peak if (n // 10) % 2 else 0 for n, peak in enumerate(envelope)],
            "agent": [0 if (n // 10) % 2 else peak for n, peak in enumerate(envelope)],
        },
    )
    recording.file.save(f"{call.pk}.wav", ContentFile(io.BytesIO(sound).read()))
    return recording


def make_usage(days: int = 7) -> None:
    """Requests to four engines on each day up to today, more on some than on others."""
    engines = [
        ("stt", "whisper-tiny.en", 3.5),
        ("tts", "piper-joe", 80),
        ("llm", "gpt-4o-mini", 420),
        ("embed", "minilm-l6", 1),
    ]
    today = datetime.now(UTC)
    write(
        [
            Entry(
                service,
                engine,
                amount * (1 + number % 3),
                latency_seconds=0.06 * (1 + number % 5),
                outcome=Outcome.FAILED if (day + number) % 23 == 0 else Outcome.SERVED,
                degraded=service == "llm" and number % 7 == 0,
                answered=60 if service == "llm" else 0,
                estimated=service == "llm" and number % 5 == 0,
                asker=Asker("reporting" if number % 4 == 0 else ""),
                at=today - timedelta(days=day),
            )
            for day in range(days)
            for service, engine, amount in engines
            for number in range(4 + day * 7 % 11)
        ]
    )
