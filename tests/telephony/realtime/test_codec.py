"""What the codec tells of what it measured, and what it leaves open."""

from __future__ import annotations

import json
from typing import Any

import pytest

from telephony.providers.realtime.codec import RealtimeCodec, Unreadable
from telephony.session.events import (
    AgentHeard,
    CallerSaid,
    EngineFailed,
    OperatorGaveBack,
    OperatorSaid,
    TurnMeasured,
)


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def codec(clock: Clock) -> RealtimeCodec:
    return RealtimeCodec(clock)


def told(*messages: str) -> list[dict[str, Any]]:
    return [json.loads(message) for message in messages]


def chunk(codec: RealtimeCodec, timestamp: float | None) -> None:
    said = {"type": "audio_chunk", "eventId": "1", "chunk": "AAA=", "timestamp": timestamp}
    codec.sound(codec.decode(json.dumps(said)))  # type: ignore[arg-type]


SAID = CallerSaid(
    turn=1,
    text="Hello.",
    start_seconds=1.0,
    end_seconds=2.0,
    confidence=0.9,
    language="en",
    at_seconds=2.7,
)


def test_how_late_the_last_chunk_was_is_told_by_the_senders_own_clock(
    codec: RealtimeCodec, clock: Clock
) -> None:
    for second, timestamp in ((100.00, 5000.0), (100.02, 5020.0), (100.19, 5040.0)):
        clock.now = second
        chunk(codec, timestamp)
    (final,) = told(*codec.happened(SAID))
    assert final["latency"] == {"capture": None, "network": 150, "processing": 700, "total": 850}


def test_without_timestamps_the_network_is_not_known(codec: RealtimeCodec) -> None:
    chunk(codec, None)
    (final,) = told(*codec.happened(SAID))
    assert final["latency"] == {"capture": None, "network": None, "processing": 700, "total": 700}


def test_an_answer_that_was_not_measured_has_no_latency(codec: RealtimeCodec, clock: Clock) -> None:
    codec.media(bytes(3200))
    clock.now += 0.25
    codec.media(bytes(3200))
    last, complete = told(*codec.happened(AgentHeard(turn=0, text="Hello.", interrupted=False)))
    assert (last["chunk"], last["sequence"], last["done"]) == ("", 2, True)
    assert complete["latency"] == {"processing": None, "streaming": 250, "total": None}
    assert complete["duration"] == 200


def test_the_parts_of_a_turn_are_told_and_their_median_at_the_end(codec: RealtimeCodec) -> None:
    for turn, total in ((1, 0.5), (2, 0.9), (3, 0.7)):
        measured = TurnMeasured(
            turn=turn,
            voice_to_voice_seconds=total,
            endpointing_seconds=0.3,
            words_seconds=0.05,
            text_seconds=0.05,
            audio_seconds=total - 0.4,
        )
        (metrics,) = told(*codec.happened(measured))
    assert metrics["latency"]["total"] == 700
    (ended,) = told(codec.ended("caller_hung_up", ""))
    assert ended["stats"]["latencyMedian"] == 700


def test_a_person_who_takes_over_is_heard_and_read(codec: RealtimeCodec) -> None:
    codec.media(bytes(640))
    said = OperatorSaid(by="bob", text="Bob here.", start_seconds=0, end_seconds=1)
    (reply,) = told(*codec.happened(said))
    assert (reply["type"], reply["text"], reply["by"], reply["turn"]) == (
        "agent_reply",
        "Bob here.",
        "bob",
        None,
    )
    (last,) = told(*codec.happened(OperatorGaveBack(by="bob", note="", lost=False)))
    assert (last["sequence"], last["done"]) == (1, True)
    assert told(codec.media(bytes(640)))[0]["sequence"] == 0


def test_a_failing_engine_is_told_with_whether_it_goes_on(codec: RealtimeCodec) -> None:
    for remedy, recoverable in (("retried", True), ("gave_up", False)):
        failed = EngineFailed(engine="tts", error="the worker died", remedy=remedy)  # type: ignore[arg-type]
        (error,) = told(*codec.happened(failed))
        assert (error["code"], error["recoverable"]) == ("engine_failed", recoverable)


def test_an_error_names_the_message_it_is_about(codec: RealtimeCodec) -> None:
    with pytest.raises(Unreadable) as error:
        codec.decode('{"type": "quality_feedback", "eventId": "mine", "category": "colour", "score": 3}')
    assert error.value.about == "mine"
    assert list(error.value.fields or {}) == ["category"]
    with pytest.raises(Unreadable) as error:
        codec.decode('{"type": "sing", "eventId": "mine"}')
    assert error.value.fields == {
        "type": "Use one of init, audio_chunk, text_input, pause, resume, end, quality_feedback."
    }
