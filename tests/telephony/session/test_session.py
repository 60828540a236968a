"""Taking turns, as scripts in time: who says what at which second, and what must come of it."""

from __future__ import annotations

import pytest

from agents.flow.steps import Noted, Say
from telephony.session.events import (
    AgentHeard,
    AgentSaid,
    AgentStateChanged,
    CallerSaid,
    CallerSaidNothing,
    CallerStartedSpeaking,
    CallerWordsGuessed,
    StepNoted,
    TurnMeasured,
)
from tests.fakes.clock import run_in_virtual_time
from tests.fakes.scripted_engines import NOISE, ScriptedJudge, Utterance
from tests.fakes.stage import play

HOURS = "what are your hours?"
LONG_ANSWER = "We are open from eight to six on weekdays, and from nine to one on Saturdays."


def scene(*utterances: Utterance, **script):
    return run_in_virtual_time(play(*utterances, **script))


def test_the_agent_speaks_first():
    call = scene(until=5)
    assert call.of(AgentSaid)[0].text == "Hello, how can I help?"
    assert call.times(AgentSaid)[0] < 0.2
    assert call.conversation.told == [("Hello, how can I help?", False)]
    assert call.ending.reason == "caller_hung_up"


def test_a_question_is_answered_within_the_budget_and_the_time_is_accounted_for():
    call = scene(
        Utterance(3.0, 1.5, HOURS), answers={HOURS: [Say(LONG_ANSWER)]}, until=14, judge=ScriptedJudge()
    )
    assert [event.text for event in call.of(CallerSaid)] == [HOURS]
    measured = call.of(TurnMeasured)[0]
    assert measured.voice_to_voice_seconds < 0.6
    stages = (
        measured.endpointing_seconds,
        measured.words_seconds,
        measured.text_seconds,
        measured.audio_seconds,
    )
    assert sum(stages) == pytest.approx(measured.voice_to_voice_seconds)
    assert all(stage >= 0 for stage in stages)
    assert measured.words_seconds < 0.02, "the words were known before the turn was decided"
    sound = min(start for start, _ in call.line.sounded if start > 4.5)
    assert sound - call.line.delay - 4.5 == pytest.approx(measured.voice_to_voice_seconds, abs=0.04)
    assert measured.heard_seconds == pytest.approx(call.line.delay, abs=0.02)


def test_states_follow_the_turn():
    call = scene(Utterance(3.0, 1.0, HOURS), until=9)
    states = [event.state for event in call.of(AgentStateChanged)]
    assert states == ["thinking", "speaking", "listening", "thinking", "speaking", "listening"]


def test_transcription_begun_in_a_pause_is_dropped_when_the_caller_goes_on():
    call = scene(
        Utterance(3.0, 1.0, "I would like to"),
        Utterance(4.3, 1.0, "make an appointment."),
        until=12,
    )
    assert [event.text for event in call.of(CallerSaid)] == ["I would like to make an appointment."]
    assert call.stt.asked == 2
    assert [event.text for event in call.of(CallerWordsGuessed)] == [
        "I would like to",
        "I would like to make an appointment.",
    ]


def test_a_caller_who_searches_for_words_is_given_time():
    call = scene(Utterance(3.0, 1.0, "I need to see doctor um"), until=9)
    assert call.times(CallerSaid)[0] > 4.0 + 1.1


def test_the_judge_alone_does_not_end_a_turn_that_reads_unfinished():
    call = scene(Utterance(3.0, 1.0, "my number is"), until=9, judge=ScriptedJudge(0.99))
    assert call.times(CallerSaid)[0] > 4.0 + 1.1


def test_a_number_may_be_dictated_with_long_pauses():
    call = scene(Utterance(3.0, 1.0, "555"), Utterance(5.2, 1.0, "0100"), until=12, expects="number")
    assert [event.text for event in call.of(CallerSaid)] == ["555 0100"]


def test_barge_in_stops_the_agent_and_tells_the_conversation_what_was_heard():
    call = scene(
        Utterance(3.0, 1.0, HOURS),
        Utterance(6.5, 1.2, "No wait, I meant Sunday."),
        answers={HOURS: [Say(LONG_ANSWER)]},
        until=14,
    )
    assert call.line.silent_at(6.5 + 0.2), "silent within 200 ms of the caller's first sound"
    started = call.of(CallerStartedSpeaking)[-1]
    assert started.over_agent
    heard, interrupted = call.conversation.told[1]
    assert interrupted and LONG_ANSWER.startswith(heard) and 10 < len(heard) < len(LONG_ANSWER)
    assert call.conversation.asked[-1] == "No wait, I meant Sunday."
    assert call.of(AgentHeard)[1].interrupted


def test_after_a_cough_the_agent_goes_on_from_where_it_was():
    call = scene(
        Utterance(3.0, 1.0, HOURS),
        Utterance(6.5, 0.3, NOISE),
        answers={HOURS: [Say(LONG_ANSWER)]},
        until=16,
    )
    assert call.of(CallerSaidNothing)[0].agent_resumed
    assert call.conversation.told[1] == (LONG_ANSWER, False)
    assert " ".join(call.tts.spoken[1:]) == LONG_ANSWER, "the sound was kept, not made anew"
    played = sum(end - start for start, end in call.line.sounded if start > 4.2)
    assert played == pytest.approx(len(LONG_ANSWER) / 15 + 0.25, abs=0.1), "a touch of it is said again"


def test_mm_hm_while_the_agent_speaks_is_no_turn_but_yes_to_a_question_is():
    def said(expects):
        return scene(
            Utterance(3.0, 1.0, HOURS),
            Utterance(6.5, 0.4, "Yes."),
            answers={HOURS: [Say(LONG_ANSWER)]},
            until=16,
            expects=expects,
        ).conversation.asked

    assert "Yes." not in said("anything")
    assert "Yes." in said("yes_no")


def test_words_that_go_on_before_the_answer_was_heard_join_the_turn():
    call = scene(
        Utterance(3.0, 1.0, "Can I book a visit?"),
        Utterance(4.5, 1.0, "For my daughter."),
        answers={"Can I book a visit?": [0.8, Say("Yes.")]},
        until=12,
    )
    assert call.conversation.asked[-1] == "Can I book a visit? For my daughter."
    assert call.conversation.told[1] == ("", True)


def test_what_may_not_be_interrupted_is_said_to_its_end_and_the_words_are_answered_after():
    call = scene(
        Utterance(0.8, 1.0, HOURS),
        answers={"greet": [Say("This call is recorded for training.", interruptible=False)]},
        until=9,
    )
    assert call.conversation.told[0] == ("This call is recorded for training.", False)
    assert call.conversation.asked[-1] == HOURS


def test_interruption_can_be_switched_off():
    call = scene(
        Utterance(3.0, 1.0, HOURS),
        Utterance(6.0, 1.0, "Stop."),
        answers={HOURS: [Say(LONG_ANSWER)]},
        until=18,
        interruptible=False,
    )
    assert (LONG_ANSWER, False) in call.conversation.told
    assert call.conversation.asked[-1] == "Stop."


def test_notes_of_the_conversation_become_events():
    call = scene(
        Utterance(3.0, 1.0, HOURS),
        answers={HOURS: [Noted("intent", "hours", {"score": 0.8}), Say("Eight to six.")]},
        until=9,
    )
    assert call.of(StepNoted)[0].data == {"score": 0.8}


def test_a_long_turn_is_transcribed_in_segments_and_loses_nothing():
    words = [Utterance(3.0 + 12 * n, 11.7, f"part {n} of the story and") for n in range(4)]
    call = scene(*words, until=70)
    said = call.of(CallerSaid)[0].text
    assert [f"part {n}" in said for n in range(4)] == [True] * 4


def test_a_turn_that_waited_while_the_agent_began_to_answer_is_answered_too():
    call = scene(
        Utterance(3.0, 1.0, "Are you open?"),
        Utterance(5.5, 1.0, "And on Sunday?"),
        Utterance(12.5, 1.0, "Hello?"),
        stt={"hangs": 1},
        answers={"Are you open?": [Say(LONG_ANSWER)], "And on Sunday?": [Say(LONG_ANSWER)]},
        until=30,
    )
    assert any("Sunday" in asked for asked in call.conversation.asked)
    assert any("Hello?" in asked for asked in call.conversation.asked)
    assert call.tasks_left == 0


def test_every_turn_spoken_over_what_must_be_heard_is_answered_after_it():
    call = scene(
        Utterance(1.0, 0.8, "First."),
        Utterance(3.0, 0.8, "Second."),
        answers={"greet": [Say("This call is recorded for training and for the law.", interruptible=False)]},
        until=14,
    )
    assert not call.conversation.told[0][1]
    assert "First." in call.conversation.asked[1]
    assert any("Second." in asked for asked in call.conversation.asked)


def test_what_must_be_heard_is_heard_even_if_more_is_made_after_it():
    disclosure = "This call is recorded for training."
    call = scene(
        Utterance(1.5, 1.0, "Yes yes, I know."),
        answers={"greet": [Say(disclosure, interruptible=False), Say("How can I help you today?")]},
        until=12,
    )
    assert call.conversation.told[0][0].startswith(disclosure)


def test_a_false_alarm_does_not_let_the_agent_speak_over_a_caller_who_has_begun_again():
    call = scene(
        Utterance(3.0, 1.0, HOURS),
        Utterance(6.5, 0.3, NOISE),
        Utterance(7.5, 3.0, "Actually I wanted to know about Sunday afternoon."),
        answers={HOURS: [Say(LONG_ANSWER)]},
        stt={"seconds": 1.1},
        until=20,
    )
    assert all(call.line.silent_at(7.8 + step / 10) for step in range(25))
    assert "Sunday" in call.conversation.asked[-1]


def test_steady_voices_in_the_background_do_not_keep_the_agent_silent():
    call = scene(
        Utterance(3.0, 1.0, HOURS),
        Utterance(6.0, 40.0, NOISE),
        answers={HOURS: [Say(LONG_ANSWER)]},
        until=50,
    )
    assert (LONG_ANSWER, False) in call.conversation.told
    said_to_the_end = next(
        at for at, event in call.events if isinstance(event, AgentHeard) and event.turn == 1
    )
    assert said_to_the_end < 18


def test_a_cough_while_the_first_sound_is_made_does_not_lose_the_measurement():
    call = scene(
        Utterance(3.0, 1.0, HOURS),
        Utterance(4.45, 0.3, NOISE),
        answers={HOURS: [Say("From eight to six.")]},
        tts={"seconds": 0.4},
        until=12,
    )
    assert len(call.of(TurnMeasured)) == 1
    assert [event.state for event in call.of(AgentStateChanged)][-2:] == ["speaking", "listening"]


def test_what_holds_no_word_is_not_given_to_a_voice():
    call = scene(answers={"greet": [Say("Welcome to the clinic! 😊 How can I help? **")]}, until=6)
    assert call.tts.spoken == ["Welcome to the clinic!", "How can I help?"]
    assert call.ending.reason == "caller_hung_up"


def test_one_moment_is_no_answer_that_was_heard():
    call = scene(
        Utterance(3.0, 1.0, "Can I book a visit?"),
        Utterance(6.6, 1.0, "For my daughter."),
        answers={"Can I book a visit?": [4.0, Say("Yes.")]},
        until=14,
    )
    assert "One moment" in call.of(AgentHeard)[1].text
    assert call.conversation.told[1] == ("", True)
    assert call.conversation.asked[-1] == "Can I book a visit? For my daughter."


def test_who_waits_only_for_the_end_of_our_own_words_is_not_told_to_wait():
    disclosure = "This call is recorded, for training and for the law, as we have to tell every caller."
    call = scene(
        Utterance(0.8, 1.0, HOURS),
        answers={"greet": [Say(disclosure, interruptible=False)], HOURS: [Say(LONG_ANSWER)]},
        until=16,
    )
    assert "One moment, please." not in [event.text for event in call.of(AgentSaid)]
    assert call.of(TurnMeasured)[0].voice_to_voice_seconds < 0.3, "counted from when we fell silent"


def test_words_that_come_late_are_answered_without_a_second_request_to_wait():
    call = scene(Utterance(3.0, 1.0, HOURS), stt={"seconds": 2.5}, until=12)
    assert [event.text for event in call.of(AgentSaid)].count("One moment, please.") == 1


def test_mm_hm_over_what_may_not_be_interrupted_is_no_turn_either():
    call = scene(
        Utterance(3.0, 1.0, HOURS),
        Utterance(6.0, 0.4, "Mm-hm."),
        answers={HOURS: [Say(LONG_ANSWER)]},
        until=16,
        interruptible=False,
    )
    assert call.conversation.asked == ["greet", HOURS]


def test_who_starts_over_what_must_be_heard_is_listened_to_from_its_end():
    call = scene(
        Utterance(1.0, 6.0, "Wait a moment, I only wanted to ask you about something else."),
        answers={
            "greet": [
                Say("This call is recorded for training.", interruptible=False),
                Say("We are glad that you call, and there is a lot that we would like to tell you first."),
            ]
        },
        until=14,
    )
    disclosed = 0.1 + 35 / 15 + 0.05
    assert all(call.line.silent_at(disclosed + 0.2 + step / 10) for step in range(35))


def test_a_caller_who_speaks_at_last_into_background_noise_is_heard():
    call = scene(
        Utterance(3.0, 1.0, HOURS),
        Utterance(6.0, 4.0, NOISE),
        Utterance(10.0, 8.0, "No stop that is not what I asked you, please tell me about Sunday."),
        answers={HOURS: [Say(LONG_ANSWER * 3)]},
        until=30,
    )
    assert call.line.silent_at(14.5) and call.line.silent_at(16.0)
    assert "Sunday" in call.of(CallerSaid)[-1].text


@pytest.mark.parametrize("second", ["For my daughter.", NOISE])
def test_a_question_whose_answer_was_put_off_is_not_lost(second):
    """The next sound of the caller takes so long to be transcribed that the caller is told to wait."""
    call = scene(
        Utterance(3.0, 1.0, "Can I book a visit?"),
        Utterance(5.5, 1.0, second),
        answers={"Can I book a visit?": [2.5, Say("Yes.")]},
        stt={"seconds": 2.2},
        until=20,
    )
    questions = [asked for asked in call.conversation.asked[1:] if not asked.startswith("silence")]
    assert all(asked.startswith("Can I book a visit?") for asked in questions)
    assert {"Yes.", "I see."} & {heard for heard, _ in call.conversation.told}
