"""Conversations as scripts in time: who says what at which second, and what must come of it."""

from __future__ import annotations

from itertools import pairwise

import pytest

from agents.flow.steps import HangUp, Noted, Say, Transfer
from mlservices.errors import EngineError
from telephony.session.events import (
    AgentHeard,
    AgentSaid,
    AgentStateChanged,
    CallerSaid,
    CallerSaidNothing,
    CallerStartedSpeaking,
    CallerWordsGuessed,
    DigitsPressed,
    EngineFailed,
    SilencePrompted,
    StepNoted,
    TransferStarted,
    TurnMeasured,
)
from tests.fakes.clock import run_in_virtual_time
from tests.fakes.stage import NOISE, PlayingLine, ScriptedJudge, Utterance, play

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
    played = sum(end - start for start, end in call.line.sounded if start > 4.5)
    assert played == pytest.approx(len(LONG_ANSWER) / 15, abs=0.4)


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


def test_the_agent_is_never_silent_for_ever_after_a_false_alarm_while_thinking():
    call = scene(
        Utterance(3.0, 1.0, HOURS),
        Utterance(4.8, 0.3, NOISE),
        answers={HOURS: [1.0, Say("From eight to six.")]},
        until=12,
    )
    assert ("From eight to six.", False) in call.conversation.told


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


def test_silence_is_asked_about_and_ended_politely_after_three_prompts():
    call = scene(until=60)
    assert [event.count for event in call.of(SilencePrompted)] == [1, 2, 3]
    assert call.ending.reason == "silence"
    assert call.of(AgentSaid)[-1].text == "Goodbye."
    assert call.conversation.told[-1] == ("Goodbye.", False)


def test_a_word_from_the_caller_starts_the_count_of_silences_anew():
    call = scene(Utterance(12.0, 1.0, "I am here."), until=40)
    assert [event.count for event in call.of(SilencePrompted)] == [1, 1, 2]


def test_silence_is_noticed_even_when_the_line_loses_every_mark():
    call = scene(until=70, line=PlayingLine(loses_marks=True))
    assert call.ending.reason == "silence"


def test_a_mark_that_comes_a_little_early_is_not_waited_for_again():
    call = scene(until=5, line=PlayingLine(early_marks=0.1))
    played_until = max(end for _, end in call.line.sounded)
    assert call.times(AgentHeard)[0] == pytest.approx(played_until, abs=0.1)


def test_a_cough_every_few_seconds_does_not_hang_the_call():
    call = scene(*(Utterance(second, 0.3, NOISE) for second in range(3, 40, 5)), until=120)
    assert call.ending.reason == "silence"


def test_the_longest_call_ends_with_a_spoken_goodbye():
    call = scene(until=60, max_call_seconds=20.0, silence_seconds=50.0)
    assert call.ending.reason == "max_duration"
    assert call.of(AgentSaid)[-1].text == "Goodbye."
    assert call.conversation.told[-1] == ("Our time is up. Goodbye.", False)


def test_the_longest_call_ends_even_if_the_voice_hangs():
    call = scene(until=90, max_call_seconds=20.0, silence_seconds=50.0, tts={"hangs": 9})
    assert call.ending.reason in ("max_duration", "engine_failure")
    assert call.events[-1][0] < 50


def test_hanging_up_waits_until_the_goodbye_was_heard():
    call = scene(
        Utterance(3.0, 1.0, "That is all, bye."),
        answers={"That is all, bye.": [Say("Thank you for calling. Goodbye."), HangUp()]},
        until=30,
    )
    assert call.ending.reason == "agent_hung_up"
    assert call.conversation.told[-1] == ("Thank you for calling. Goodbye.", False)


def test_a_caller_who_speaks_over_the_goodbye_is_answered_instead():
    call = scene(
        Utterance(3.0, 1.0, "That is all."),
        Utterance(5.5, 1.0, "Oh, one more thing."),
        answers={"That is all.": [Say("Thank you for calling. Goodbye."), HangUp()]},
        until=14,
    )
    assert call.ending.reason == "caller_hung_up"
    assert call.conversation.asked[-1] == "Oh, one more thing."


def test_a_transfer_comes_after_its_announcement():
    call = scene(
        Utterance(3.0, 1.0, "A person please."),
        answers={"A person please.": [Say("I am putting you through."), Transfer("+14155550100")]},
        until=30,
    )
    assert call.ending == type(call.ending)("transferred", "+14155550100")
    assert call.of(TransferStarted)[0].reason == "agent"
    assert ("I am putting you through.", False) in call.conversation.told


def test_notes_of_the_conversation_become_events():
    call = scene(
        Utterance(3.0, 1.0, HOURS),
        answers={HOURS: [Noted("intent", "hours", {"score": 0.8}), Say("Eight to six.")]},
        until=9,
    )
    assert call.of(StepNoted)[0].data == {"score": 0.8}


def test_keys_are_gathered_into_one_entry_and_stop_the_agent():
    call = scene(
        Utterance(3.0, 1.0, HOURS),
        answers={HOURS: [Say(LONG_ANSWER)]},
        keys=[(6.0, "4"), (6.4, "2"), (6.8, "#")],
        until=14,
    )
    assert call.of(DigitsPressed)[0].digits == "42"
    assert call.line.silent_at(6.05)
    assert "digits 42" in call.conversation.asked


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


def test_a_long_turn_is_transcribed_in_segments_and_loses_nothing():
    words = [Utterance(3.0 + 12 * n, 11.7, f"part {n} of the story and") for n in range(4)]
    call = scene(*words, until=70)
    said = call.of(CallerSaid)[0].text
    assert [f"part {n}" in said for n in range(4)] == [True] * 4


def test_a_caller_who_hangs_up_at_any_moment_leaves_nothing_running():
    for until in (0.05, 0.5, 3.5, 4.2, 4.4, 5.0, 6.6, 7.0):
        call = scene(
            Utterance(3.0, 1.0, HOURS),
            Utterance(6.5, 1.0, "Wait."),
            answers={HOURS: [Say(LONG_ANSWER)]},
            until=until,
        )
        assert call.ending.reason == "caller_hung_up"
        assert call.tasks_left == 0, f"tasks left when hung up at {until} s"


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
    assert ("thinking", "speaking", "listening") and (LONG_ANSWER, False) in call.conversation.told
    said_to_the_end = next(
        at for at, event in call.events if isinstance(event, AgentHeard) and event.turn == 1
    )
    assert said_to_the_end < 18


def test_the_goodbye_at_the_end_of_the_longest_call_is_spoken_over_a_caller_who_talks_on():
    call = scene(
        Utterance(15.0, 30.0, "and another thing " * 20),
        until=60,
        max_call_seconds=20.0,
        silence_seconds=50.0,
    )
    assert call.ending.reason == "max_duration"
    assert call.conversation.told[-1] == ("Our time is up. Goodbye.", False)
    assert call.events[-1][0] < 26


def test_a_number_keyed_slowly_is_not_asked_whether_it_is_there():
    keys = [(4.0 + 1.8 * number, digit) for number, digit in enumerate("4155550")]
    call = scene(keys=keys, until=20, silence_seconds=8.0)
    assert call.of(SilencePrompted) == []
    assert call.of(DigitsPressed)[0].digits == "4155550"


def test_a_caller_who_was_not_understood_is_not_hung_up_on_for_silence():
    call = scene(
        Utterance(28.6, 1.0, HOURS),
        stt={"failures": 2},
        until=60,
    )
    assert [event.count for event in call.of(SilencePrompted)][:4] == [1, 2, 3, 1]


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


def test_notes_that_are_still_to_be_kept_are_kept_when_the_caller_hangs_up():
    call = scene(until=4, notes=[Noted("message", "incomplete", {"name": "Ann"})])
    assert call.of(StepNoted)[-1].data == {"name": "Ann"}


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
    assert texts[-2:] == ["One moment, please.", "I'm sorry, I didn't catch that. Could you say it again?"]
