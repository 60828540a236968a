"""What engines are asked in the course of a call, how far ahead, and what is left of it."""

from __future__ import annotations

import pytest

from agents.flow.steps import Noted, Say
from telephony.session.events import CallerSaid, TurnMeasured
from tests.fakes.clock import run_in_virtual_time
from tests.fakes.scripted_engines import ScriptedJudge, Utterance
from tests.fakes.stage import play

HOURS = "what are your hours?"


def scene(*utterances: Utterance, **script):
    return run_in_virtual_time(play(*utterances, **script))


def test_transcription_that_is_still_under_way_when_the_caller_goes_on_is_cancelled():
    call = scene(
        Utterance(3.0, 1.0, "I would like to"),
        Utterance(4.4, 1.0, "make an appointment."),
        stt={"seconds": 0.6},
        until=12,
    )
    assert call.stt.cancelled == 1
    assert [event.text for event in call.of(CallerSaid)] == ["I would like to make an appointment."]


def test_the_first_consonant_is_transcribed_too_and_the_judge_hears_the_turn():
    judge = ScriptedJudge()
    call = scene(Utterance(3.0, 1.5, HOURS), until=10, judge=judge)
    assert call.stt.heard_seconds[0] == pytest.approx(0.3 + 1.5 + 0.1, abs=0.1)
    assert judge.heard_seconds[0] > 1.5


def test_a_long_answer_is_not_made_far_ahead_of_the_ear():
    sentences = [f"This is sentence number {n} of a long answer." for n in range(12)]
    call = scene(
        Utterance(3.0, 1.0, HOURS),
        Utterance(8.0, 1.0, "Thank you, that will do."),
        answers={HOURS: [Say(" ".join(sentences))]},
        until=14,
    )
    made = [text for text in call.tts.spoken if text.startswith("This is sentence")]
    assert 2 <= len(made) <= 5, "some four seconds ahead"
    assert call.conversation.closed_early == 1 and call.tasks_left == 0


def test_a_voice_that_breaks_in_the_middle_of_a_sentence_goes_on_where_it_broke():
    call = scene(Utterance(3.0, 1.0, HOURS), answers={HOURS: [Say("From eight to six.")]}, until=12)
    whole = sum(end - start for start, end in call.line.sounded)
    broken = scene(
        Utterance(3.0, 1.0, HOURS),
        answers={HOURS: [Say("From eight to six.")]},
        tts={"breaks_after": 0.6},
        until=12,
    )
    assert len(broken.tts.spoken) == len(call.tts.spoken) + 1
    assert sum(end - start for start, end in broken.line.sounded) == pytest.approx(whole, abs=0.01)


def test_a_caller_who_hangs_up_while_engines_work_leaves_nothing_behind():
    call = scene(Utterance(3.0, 1.0, HOURS), stt={"hangs": 1}, until=4.5)
    assert (call.stt.cancelled, call.tasks_left) == (1, 0)
    call = scene(Utterance(3.0, 1.0, HOURS), tts={"seconds": 3.0}, until=5.0)
    assert call.tts.cancelled >= 1 and call.tasks_left == 0


def test_the_time_that_a_model_let_wait_is_summed_up():
    noted = [Noted("model", "m", {"queue_seconds": 0.25}), Noted("model", "m", {"queue_seconds": 0.5})]
    call = scene(Utterance(3.0, 1.0, HOURS), answers={HOURS: [*noted, Say("Eight to six.")]}, until=9)
    assert call.of(TurnMeasured)[0].llm_queue_seconds == 0.75
