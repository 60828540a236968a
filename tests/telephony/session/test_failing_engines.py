"""Engines that fail, hang or dawdle: the caller is never left in silence, and never told inventions."""

from __future__ import annotations

from itertools import pairwise

from agents.flow.steps import Say
from mlservices.errors import EngineError
from telephony.session.events import (
    AgentSaid,
    CallerSaid,
    EngineFailed,
    TransferStarted,
)
from tests.fakes.clock import run_in_virtual_time
from tests.fakes.scripted_engines import NOISE, Utterance
from tests.fakes.stage import play

HOURS = "what are your hours?"
LONG_ANSWER = "We are open from eight to six on weekdays, and from nine to one on Saturdays."


def scene(*utterances: Utterance, **script):
    return run_in_virtual_time(play(*utterances, **script))


def test_a_transcriber_that_fails_once_is_asked_again_unnoticed():
    call = scene(Utterance(3.0, 1.0, HOURS), stt={"failures": 1}, until=9)
    assert [event.text for event in call.of(CallerSaid)] == [HOURS]
    assert [event.remedy for event in call.of(EngineFailed)] == ["retried"]


def test_a_transcriber_that_fails_twice_is_apologised_for_and_the_second_time_the_call_ends():
    call = scene(Utterance(3.0, 1.0, HOURS), Utterance(8.0, 1.0, HOURS), stt={"failures": 4}, until=30)
    assert [event.remedy for event in call.of(EngineFailed)] == [
        "retried",
        "apologised",
        "retried",
        "gave_up",
    ]
    assert call.ending.reason == "engine_failure"
    assert "catch that" in call.of(AgentSaid)[1].text


def test_a_transcriber_that_hangs_does_not_leave_the_caller_in_silence():
    call = scene(Utterance(3.0, 1.0, HOURS), stt={"hangs": 1}, until=30)
    assert "One moment, please." in [event.text for event in call.of(AgentSaid)]
    assert call.conversation.asked[1] == HOURS


def test_a_voice_that_fails_for_good_ends_at_the_fallback_number():
    call = scene(
        Utterance(3.0, 1.0, HOURS),
        tts={"failures": 0},
        answers={HOURS: [Say("Eight to six.")]},
        until=9,
    )
    assert call.ending.reason == "caller_hung_up", "the same call with a voice that works"
    call = scene(tts={"failures": 2}, until=30, fallback_number="+14155550199")
    assert call.ending.transfer_to == "+14155550199"
    assert call.of(TransferStarted)[0].reason == "engine_failure"
    assert [event.remedy for event in call.of(EngineFailed)] == ["retried", "gave_up"]
    assert "not working" in call.of(AgentSaid)[-1].text


def test_an_agents_own_last_words_stand_in_the_transcript_as_they_were_heard():
    call = scene(tts={"failures": 2}, until=30, goodbye_text="Call 555.")
    assert call.of(AgentSaid)[-1].text == "Call 555."
    assert call.ending.reason == "engine_failure"


def test_a_voice_that_hangs_is_bridged_by_what_was_recorded():
    call = scene(tts={"hangs": 1}, until=12)
    assert [event.text for event in call.of(AgentSaid)] == ["One moment, please.", "Hello, how can I help?"]


def test_a_conversation_that_fails_before_a_word_is_asked_again():
    call = scene(
        Utterance(3.0, 1.0, HOURS),
        answers={HOURS: [EngineError("no tokens", service="llm"), Say("Eight to six.")]},
        until=12,
    )
    assert ("Eight to six.", False) in call.conversation.told
    assert call.of(EngineFailed)[0].engine == "llm"


def test_a_conversation_that_fails_after_some_words_apologises_and_listens():
    call = scene(
        Utterance(3.0, 1.0, HOURS),
        answers={HOURS: [Say("We are open."), EngineError("cut", service="llm")]},
        until=14,
    )
    assert call.of(EngineFailed)[0].remedy == "apologised"
    assert call.ending.reason == "caller_hung_up"


def test_a_fault_in_the_conversation_ends_the_call_with_words_not_with_silence():
    call = scene(Utterance(3.0, 1.0, HOURS), answers={HOURS: [RuntimeError("bug")]}, until=30)
    assert call.ending.reason == "engine_failure"
    assert "not working" in call.of(AgentSaid)[-1].text


def test_a_slow_answer_is_bridged():
    call = scene(Utterance(3.0, 1.0, HOURS), answers={HOURS: [3.0, Say("Eight to six.")]}, until=14)
    assert [event.text for event in call.of(AgentSaid)][1:] == ["One moment, please.", "Eight to six."]


def test_an_error_that_names_a_host_instead_of_its_kind_still_ends_at_the_fallback_number():
    call = scene(
        tts={"failures": 2, "service": "ML service 127.0.0.1:8070"}, until=30, fallback_number="+14155550199"
    )
    assert call.ending.transfer_to == "+14155550199"
    assert {event.engine for event in call.of(EngineFailed)} == {"tts"}


def test_a_caller_who_hears_nothing_for_long_is_told_again_to_wait():
    call = scene(
        Utterance(3.0, 1.0, HOURS),
        answers={HOURS: [3.0, EngineError("slow", service="llm"), 2.5, Say("Eight.")]},
        until=15,
    )
    assert [event.text for event in call.of(AgentSaid)][-3:] == ["One moment, please."] * 2 + ["Eight."]
    began = [start for start, _ in call.line.sounded if start > 4.5]
    assert max(later - sooner for sooner, later in pairwise(began)) < 6.5


def test_a_cough_that_takes_long_to_transcribe_does_not_end_the_conversation():
    call = scene(
        Utterance(3.0, 1.0, HOURS),
        Utterance(6.5, 0.3, NOISE),
        answers={HOURS: [Say(LONG_ANSWER)]},
        stt={"seconds": 2.5},
        until=25,
        silence_seconds=30.0,
    )
    texts = [event.text for event in call.of(AgentSaid)]
    assert "One moment, please." in texts
    assert call.conversation.told[-1] == (LONG_ANSWER, False), "what had been asked is answered all the same"
