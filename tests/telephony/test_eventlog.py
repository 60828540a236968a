"""Numbered events: no gap, no order lost, whoever writes."""

from __future__ import annotations

import asyncio
import threading
import uuid

import pytest
from django.db import OperationalError, connection, transaction

from agents.models import Agent
from telephony import actions, eventlog
from telephony.cards import Card
from telephony.eventlog import EventLog, Happening, record_now
from telephony.models import Call
from telephony.session.events import (
    AgentSaid,
    AgentStateChanged,
    CallerSaid,
    CallerWordsGuessed,
    DigitsPressed,
    TurnMeasured,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def call(agent: Agent) -> Call:
    return actions.start_browser_call(agent=agent, caller="alice")


def numbers(call: Call) -> list[int]:
    return list(call.events.values_list("seq", flat=True))


def card(call: Call) -> Card:
    call.refresh_from_db()
    return Card.from_json(call.card)


def turn(seconds: float) -> TurnMeasured:
    return TurnMeasured(
        turn=1,
        voice_to_voice_seconds=seconds,
        endpointing_seconds=seconds,
        words_seconds=0,
        text_seconds=0,
        audio_seconds=0,
    )


def test_events_are_stored_in_order_and_the_call_knows_the_last(call: Call) -> None:
    async def talk() -> EventLog:
        log = EventLog()
        for number in range(250):
            log.record(call.pk, CallerWordsGuessed(turn=1, text=str(number)))
        await log.flush()
        return log

    asyncio.run(talk()).close()
    assert numbers(call) == list(range(1, 252))
    texts = [event.payload["text"] for event in call.events.filter(kind="caller_words_guessed")]
    assert texts == [str(number) for number in range(250)]
    assert card(call).seq == Call.objects.get().last_seq == 251


def test_two_writers_of_one_call_leave_no_gap(call: Call) -> None:
    def write(name: str) -> None:
        for number in range(40):
            record_now(call.pk, DigitsPressed(digits=f"{name}{number}"))
        connection.close()

    writers = [threading.Thread(target=write, args=(name,)) for name in "ab"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert numbers(call) == list(range(1, 82))
    assert call.events.filter(payload__digits__startswith="a").count() == 40


def test_a_transaction_that_fails_takes_its_numbers_back(call: Call) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        record_now(call.pk, DigitsPressed(digits="1"))
        _ = 1 // 0
    record_now(call.pk, DigitsPressed(digits="2"))
    assert numbers(call) == [1, 2]


def test_events_of_a_call_that_was_deleted_do_no_harm(call: Call) -> None:
    async def talk() -> EventLog:
        log = EventLog()
        log.record(uuid.uuid4(), DigitsPressed(digits="1"))
        log.record(call.pk, DigitsPressed(digits="2"))
        await log.flush()
        return log

    asyncio.run(talk()).close()
    assert numbers(call) == [1, 2]


def test_one_call_that_cannot_be_stored_does_not_hold_up_the_others(call: Call, agent: Agent) -> None:
    broken = actions.start_browser_call(agent=agent, caller="bob")
    Call.objects.filter(pk=broken.pk).update(card={"not": "a card"})

    async def talk() -> EventLog:
        log = EventLog()
        log.record(broken.pk, DigitsPressed(digits="1"))
        log.record(call.pk, DigitsPressed(digits="2"))
        await log.flush()
        return log

    log = asyncio.run(talk())
    log.close()
    assert numbers(call) == [1, 2]
    assert log.dropped == 1


def test_a_database_that_is_away_for_a_moment_loses_nothing(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(eventlog, "RETRY_SECONDS", 0.01)
    failures = [OperationalError("database is locked")] * 3
    store = eventlog.store

    def flaky(happenings: list[Happening]) -> object:
        if failures:
            raise failures.pop()
        return store(happenings)

    monkeypatch.setattr(eventlog, "store", flaky)

    async def talk() -> EventLog:
        log = EventLog()
        log.record(call.pk, DigitsPressed(digits="2"))
        await log.flush()
        return log

    asyncio.run(talk()).close()
    assert numbers(call) == [1, 2]


def test_what_is_left_is_stored_when_the_process_ends(call: Call) -> None:
    """A log that is closed (as at exit) without being flushed."""

    async def talk() -> EventLog:
        log = EventLog()
        log.record(call.pk, DigitsPressed(digits="1"))
        return log

    asyncio.run(talk()).close()
    assert numbers(call) == [1, 2]


# ---- the card -------------------------------------------------------------------------------


def test_the_card_follows_the_conversation(call: Call) -> None:
    assert card(call).state == "ringing"
    actions.connect_call(call.pk, line="browser")
    record_now(
        call.pk,
        AgentStateChanged(state="speaking"),
        AgentSaid(turn=0, text="Hello.", sentence=0),
        CallerWordsGuessed(turn=1, text="I would"),
    )
    now = card(call)
    assert (now.state, now.status, now.who, now.words, now.guess) == (
        "speaking",
        "in-progress",
        "agent",
        "Hello.",
        "I would",
    )
    said = CallerSaid(turn=1, text="I would.", start_seconds=1, end_seconds=2, confidence=1, language="en")
    record_now(call.pk, said, turn(0.75))
    now = card(call)
    assert (now.who, now.words, now.guess, now.turns) == ("caller", "I would.", "", 1)
    assert (now.latency_ms, now.latencies) == (750, [750])


def test_the_end_is_the_end(call: Call) -> None:
    actions.connect_call(call.pk, line="browser")
    actions.end_call(call.pk, reason="agent_hung_up")
    record_now(call.pk, AgentStateChanged(state="listening"))
    now = card(call)
    assert (now.state, now.status, now.end_reason) == ("ended", "completed", "agent_hung_up")
    assert now.ended is not None
