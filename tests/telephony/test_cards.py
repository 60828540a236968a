"""What of a call asks for a person, since when, and that it goes as soon as its cause does."""

from __future__ import annotations

import pytest

from telephony.cards import Card, fold
from telephony.session.events import (
    AgentSaid,
    CallEnded,
    CallerSaid,
    CallerStartedSpeaking,
    DigitsPressed,
    EngineFailed,
    Event,
    MessageTaken,
    SilencePrompted,
    StepNoted,
    TransferStarted,
    TurnMeasured,
)

UNCLEAR = StepNoted(note="intent", name="hours", data={"score": 0.2})
UNKNOWN = StepNoted(note="intent", name="not known", data={"score": 0.4})
CLEAR = StepNoted(note="intent", name="hours", data={"score": 0.8})
ASKED = StepNoted(note="intent", name="transfer", data={"score": 0.9})
EMERGENCY = StepNoted(note="intent", name="Emergencies", data={"score": 0.9, "urgent": True})
RETRIED = EngineFailed(engine="tts", error="x", remedy="retried")
APOLOGISED = EngineFailed(engine="tts", error="x", remedy="apologised")
SILENT = SilencePrompted(count=2)


def turn(seconds: float = 0.5) -> TurnMeasured:
    parts = dict.fromkeys(("endpointing_seconds", "words_seconds", "text_seconds"), 0.0)
    return TurnMeasured(turn=1, voice_to_voice_seconds=seconds, audio_seconds=seconds, **parts)


def said(words: str) -> CallerSaid:
    return CallerSaid(turn=1, text=words, start_seconds=1, end_seconds=2, confidence=1, language="en")


def message(*, complete: bool) -> MessageTaken:
    return MessageTaken(name="Ann", number="1", number_confirmed=True, words="Call me.", complete=complete)


def card(*events: Event, started: float = 0.0, id: str = "", holder: str = "") -> Card:
    """The events come a second apart, the first at second 1."""
    made = Card(
        id=id,
        url="",
        agent="",
        agent_slug="",
        caller="",
        direction="web",
        line="",
        status="in-progress",
        started=started,
        answered=started,
        holder=holder,
    )
    for seq, event in enumerate(events, 1):
        fold(made, event, seq=seq, at=started + seq)
    return made


@pytest.mark.parametrize(
    ("events", "alert"),
    [
        ([turn(2.5), turn(2.5)], ""),
        ([turn(2.5), turn(2.5), turn(2.5)], "slow_turns"),
        ([turn(2.5), turn(2.5), turn(2.5), turn(0.5)], ""),
        ([SilencePrompted(count=1)], ""),
        ([SILENT], "long_silence"),
        ([SILENT, CallerStartedSpeaking(over_agent=False)], ""),
        ([SILENT, DigitsPressed(digits="4")], ""),
        ([UNCLEAR], ""),
        ([UNCLEAR, UNKNOWN], "misunderstood"),
        ([StepNoted(note="intent", name="misunderstood"), UNKNOWN], "misunderstood"),
        ([UNCLEAR, CLEAR, UNCLEAR], ""),
        ([UNCLEAR, UNCLEAR, CLEAR], ""),
        ([EMERGENCY], "emergency"),
        ([EMERGENCY, CLEAR], "emergency"),
        ([ASKED], "asked_for_person"),
        ([StepNoted(note="tool", name="transfer")], "asked_for_person"),
        ([DigitsPressed(digits="0")], "asked_for_person"),
        ([TransferStarted(number="+1", reason="agent")], "asked_for_person"),
        ([TransferStarted(number="+1", reason="engine_failure")], ""),
        ([ASKED, CLEAR, message(complete=False)], "asked_for_person"),
        ([ASKED, CLEAR, message(complete=True)], ""),
        ([RETRIED], ""),
        ([RETRIED, turn(), RETRIED], "engine_failing"),
        ([RETRIED, turn(), turn(), RETRIED], ""),
        ([APOLOGISED, turn()], "engine_failing"),
        ([APOLOGISED, turn(), turn()], ""),
        ([EMERGENCY, CallEnded(reason="caller_hung_up", duration_seconds=1)], ""),
    ],
)
def test_what_asks_for_a_person(events: list[Event], alert: str) -> None:
    assert card(*events).alert == alert


def test_retries_far_apart_are_no_failing_engine() -> None:
    made = card(RETRIED)
    fold(made, RETRIED, seq=2, at=100.0)
    assert made.alert == ""


def test_the_most_urgent_is_told_with_its_own_time_and_the_others_are_kept() -> None:
    made = card(SILENT, ASKED, EMERGENCY)
    assert (made.alert, made.alert_since) == ("emergency", 3.0)
    assert made.alerts == {"long_silence": 1.0, "asked_for_person": 2.0, "emergency": 3.0}


def test_when_the_most_urgent_goes_the_next_is_told_since_it_began() -> None:
    made = card(SILENT, ASKED, message(complete=True))
    assert (made.alert, made.alert_since) == ("long_silence", 1.0)


def test_an_alert_that_is_raised_again_counts_from_the_first_time() -> None:
    assert card(SILENT, AgentSaid(turn=1, text="Are you there?", sentence=0), SILENT).alert_since == 1.0


def test_the_board_has_the_most_urgent_first_then_the_longest_waiting_then_the_oldest() -> None:
    cards = [
        card(id="young", started=50),
        card(said("hello"), id="old", started=10),
        card(ASKED, id="held", started=0, holder="Alice"),
        card(SILENT, id="silent", started=0),
        card(ASKED, id="asked late", started=40),
        card(ASKED, id="asked early", started=20),
    ]
    order = [each.id for each in sorted(cards, key=lambda each: each.order)]
    assert order == ["asked early", "asked late", "silent", "held", "old", "young"]


def test_a_call_that_somebody_has_taken_over_needs_nobody_else() -> None:
    assert card(ASKED).needs_person
    assert not card(ASKED, holder="Alice").needs_person


def test_a_card_comes_back_from_its_json_as_it_was() -> None:
    made = card(SILENT, ASKED, RETRIED, turn())
    assert Card.from_json(made.as_json()) == made
