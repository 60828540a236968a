"""Callers who say nothing, press keys or go; calls that must come to an end."""

from __future__ import annotations

import asyncio

import pytest

from agents.flow.steps import HangUp, KeepMessage, Say, Transfer
from telephony.session.events import (
    AgentHeard,
    AgentSaid,
    CallerSaid,
    DigitsPressed,
    MessageTaken,
    SilencePrompted,
    TransferStarted,
)
from telephony.session.floor import Floor
from tests.fakes.clock import run_in_virtual_time
from tests.fakes.scripted_engines import NOISE, Utterance
from tests.fakes.stage import PlayingLine, play

HOURS = "what are your hours?"
LONG_ANSWER = "We are open from eight to six on weekdays, and from nine to one on Saturdays."


def scene(*utterances: Utterance, **script):
    return run_in_virtual_time(play(*utterances, **script))


def test_the_agent_is_never_silent_for_ever_after_a_false_alarm_while_thinking():
    call = scene(
        Utterance(3.0, 1.0, HOURS),
        Utterance(4.8, 0.3, NOISE),
        answers={HOURS: [1.0, Say("From eight to six.")]},
        until=12,
    )
    assert ("From eight to six.", False) in call.conversation.told


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
        Utterance(28.5, 1.0, HOURS),
        stt={"failures": 2},
        until=60,
    )
    assert [event.count for event in call.of(SilencePrompted)][:4] == [1, 2, 3, 1]


def test_a_message_that_is_still_to_be_kept_is_kept_when_the_caller_hangs_up():
    message = KeepMessage("Ann", "", number_confirmed=False, words="", complete=False)
    (kept,) = scene(until=4, messages=[message]).of(MessageTaken)
    assert (kept.name, kept.complete) == ("Ann", False)


@pytest.mark.parametrize("until", [4.9, 5.3])
def test_what_a_caller_says_right_before_hanging_up_is_heard(until):
    """In the middle of a word, or before its answer."""
    call = scene(Utterance(4.0, 1.0, HOURS), answers={HOURS: [2.0, Say("From nine.")]}, until=until)
    assert call.ending.reason == "caller_hung_up"
    assert [event.text for event in call.of(CallerSaid)] == [HOURS]
    assert call.conversation.last_words == HOURS
    assert call.tasks_left == 0


@pytest.mark.parametrize("until", [6.5, 7.5])
def test_last_words_that_are_being_written_down_are_waited_for(until):
    call = scene(Utterance(4.0, 1.0, HOURS), stt={"seconds": 3.0}, until=until)
    assert [event.text for event in call.of(CallerSaid)] == [HOURS]
    assert call.conversation.last_words == HOURS
    assert call.tasks_left == 0


def test_who_hangs_up_while_an_answer_is_dropped_for_more_words_has_said_them(monkeypatch):
    drop_unheard = Floor.drop_unheard

    async def slowly(floor):
        await asyncio.sleep(0.5)
        return await drop_unheard(floor)

    monkeypatch.setattr(Floor, "drop_unheard", slowly)
    call = scene(Utterance(4.0, 1.0, HOURS), until=5.6)
    assert [event.text for event in call.of(CallerSaid)] == [HOURS]
    assert call.conversation.last_words == HOURS


@pytest.mark.parametrize(("expects", "said"), [("anything", []), ("yes_no", ["mm-hm"])])
def test_mm_hm_over_the_agent_is_no_turn_of_who_hangs_up_either(expects, said):
    """`until` is before the pause that ends the turn."""
    call = scene(
        Utterance(1.0, 0.4, "mm-hm"), answers={"greet": [Say(LONG_ANSWER)]}, expects=expects, until=1.5
    )
    assert [event.text for event in call.of(CallerSaid)] == said
    assert call.conversation.last_words == " ".join(said)


def test_what_was_answered_is_not_told_again_as_the_last_words():
    call = scene(Utterance(3.0, 1.0, HOURS), answers={HOURS: [Say("From nine.")]}, until=12)
    assert [event.text for event in call.of(CallerSaid)] == [HOURS]
    assert call.conversation.last_words == ""


def test_a_caller_who_answers_over_the_last_goodbye_is_not_hung_up_on():
    call = scene(Utterance(28.5, 1.0, "Sorry, I am here!"), until=40)
    assert [event.count for event in call.of(SilencePrompted)][:3] == [1, 2, 3]
    assert call.conversation.asked[-1] != "silence 3"
    assert [event.text for event in call.of(CallerSaid)] == ["Sorry, I am here!"]


def test_a_cough_over_the_last_goodbye_puts_the_end_off_by_one_prompt():
    call = scene(Utterance(28.5, 0.4, NOISE), until=60)
    assert [event.count for event in call.of(SilencePrompted)] == [1, 2, 3, 4]
    assert call.ending.reason == "silence"


def test_who_has_to_think_of_a_number_is_left_in_peace_for_longer():
    first = scene(until=20).times(SilencePrompted)[0]
    assert scene(until=20, expects="number").times(SilencePrompted)[0] == pytest.approx(first + 4.0, abs=0.1)


def test_a_cough_between_two_keys_does_not_make_the_agent_go_on():
    call = scene(
        Utterance(3.0, 1.0, HOURS),
        Utterance(6.0, 0.3, NOISE),
        answers={HOURS: [Say(LONG_ANSWER)]},
        keys=[(5.8, "4"), (7.3, "1")],
        until=14,
    )
    assert all(call.line.silent_at(6.2 + step / 10) for step in range(25))
    assert call.of(DigitsPressed)[0].digits == "41"


def test_turns_that_could_not_be_heard_count_only_in_a_row():
    call = scene(
        Utterance(3.0, 1.0, HOURS),
        Utterance(10.0, 1.0, HOURS),
        Utterance(20.0, 1.0, HOURS),
        stt={"failing": {0, 1, 3, 4}},
        until=40,
        silence_seconds=60.0,
    )
    assert call.ending.reason == "caller_hung_up"


def test_a_caller_who_holds_the_agent_is_not_asked_whether_they_are_there():
    held = [(3.0, lambda session: session.hold(True)), (40.0, lambda session: session.hold(False))]
    call = scene(operator=held, until=52, silence_seconds=8.0)
    assert [round(at) for at in call.times(SilencePrompted)] == [48]
    assert call.ending.reason == "caller_hung_up"
