"""What people do to a call while it lasts: say, whisper, take over, give back, transfer."""

from __future__ import annotations

import numpy as np
import pytest

from agents.flow.steps import Say, Transfer
from telephony.session.events import (
    AgentHeard,
    AgentSaid,
    CallerSaid,
    EngineFailed,
    OperatorGaveBack,
    OperatorSaid,
    OperatorTookOver,
    OperatorWhispered,
    SilencePrompted,
    TransferStarted,
)
from telephony.session.operators import Direction, GiveBack, TakeOver, WordsToSay
from tests.fakes.clock import run_in_virtual_time
from tests.fakes.scripted_engines import NOISE, RATE, Utterance
from tests.fakes.stage import play

HOURS = "what are your hours?"
FIRST, SECOND, THIRD = "We open at eight.", "We close at six.", "On Saturdays we are closed all day long."
ANSWER = {HOURS: [Say(f"{FIRST} {SECOND} {THIRD}")]}
SLOT = "We have a slot at ten."


def scene(*utterances: Utterance, **script):
    return run_in_virtual_time(play(*utterances, **script))


def ask(request):
    return lambda session: session.operators.ask(request)


def say(text: str):
    return ask(WordsToSay(text, "bob"))


def whisper(text: str):
    return ask(Direction(text, "bob"))


TAKE, BACK = ask(TakeOver("bob")), ask(GiveBack("bob", "He wants the blue one.", lost=False))


def speak(by: str = "bob", value: int = 1000, window: str = ""):
    """A fifth of a second of a person's voice."""
    pcm = np.full(RATE // 5, value, "<i2").tobytes()
    return lambda session: session.operators.hear(by, pcm, window)


def frame(text: str, number: int):
    """One frame of an operator's voice, which the stage's ear takes for its first utterance."""
    pcm = np.full(RATE // 50, 1000, "<i2").tobytes()
    return lambda session: session.operators.hear("bob", pcm)


def spoken(call) -> list[tuple[str, str]]:
    return [(event.text, event.by) for event in call.of(AgentSaid)]


# ---- say ------------------------------------------------------------------------------------


def test_an_operators_words_are_spoken_into_a_silence():
    call = scene(operator=[(4.0, say(SLOT))], until=7)
    assert spoken(call)[-1] == (SLOT, "bob")
    assert call.conversation.told[-1] == (SLOT, False), "the conversation knows what was said in its name"


def test_a_recorded_goodbye_in_place_of_an_operators_words_is_not_the_operators():
    script = {"answers": {"greet": []}, "tts": {"failures": 2}, "goodbye_text": "Call 555."}
    call = scene(operator=[(2.0, say(SLOT))], until=20, **script)
    assert spoken(call) == [("Call 555.", "")]


def test_they_come_after_the_sentence_that_is_being_heard_and_in_place_of_the_rest():
    call = scene(Utterance(3.0, 1.0, HOURS), answers=ANSWER, operator=[(5.0, say(SLOT))], until=12)
    assert THIRD not in dict(spoken(call))
    assert spoken(call)[-1] == (SLOT, "bob")
    assert [event.text for event in call.of(AgentHeard)][1:] == [FIRST, SLOT]
    cut = next(at for at in call.line.cleared if at > 5)
    assert cut > 4.4 + len(FIRST) / 15, "the first sentence was heard to its end"


def test_words_that_the_caller_talks_over_are_said_once_the_caller_is_done():
    call = scene(Utterance(3.0, 3.0, HOURS), answers=ANSWER, operator=[(4.0, say(SLOT))], until=12)
    assert spoken(call)[1:] == [(SLOT, "bob")]
    assert call.conversation.overheard_words == [("caller", HOURS)]
    assert HOURS not in call.conversation.asked, "a person has answered"


def test_words_that_were_heard_are_not_said_again():
    call = scene(Utterance(8.0, 1.0, HOURS), answers=ANSWER, operator=[(4.0, say(SLOT))], until=14)
    assert [text for text, _ in spoken(call)].count(SLOT) == 1
    assert HOURS in call.conversation.asked


# ---- whisper ----------------------------------------------------------------------------------


def test_a_direction_is_known_before_the_next_answer_and_makes_no_sound():
    call = scene(Utterance(5.0, 1.0, HOURS), operator=[(4.0, whisper("be brief"))], until=12)
    (whispered,) = call.of(OperatorWhispered)
    assert (whispered.by, whispered.text, whispered.followed) == ("bob", "be brief", True)
    assert call.conversation.directions == ["be brief"]
    assert len(call.of(AgentSaid)) == 2


def test_in_the_middle_of_an_answer_it_is_followed_from_the_next_sentence():
    answers = {**ANSWER, "go on": [Say("In short: come by.")]}
    call = scene(Utterance(3.0, 1.0, HOURS), answers=answers, operator=[(5.0, whisper("be brief"))], until=12)
    assert spoken(call)[-1][0] == "In short: come by."
    assert call.of(AgentHeard)[1].text == FIRST


def test_before_the_answer_is_heard_it_is_thought_over():
    slow = {HOURS: [1.0, Say(FIRST)]}
    call = scene(Utterance(3.0, 1.0, HOURS), answers=slow, operator=[(4.8, whisper("be brief"))], until=12)
    assert call.conversation.asked.count(HOURS) == 2
    assert [text for text, _ in spoken(call)].count(FIRST) == 1


def test_a_direction_that_cannot_be_followed_is_said_so_and_changes_nothing():
    call = scene(
        Utterance(3.0, 1.0, HOURS), answers=ANSWER, operator=[(5.0, whisper("impossible"))], until=14
    )
    assert not call.of(OperatorWhispered)[0].followed
    assert call.of(AgentHeard)[1].text == f"{FIRST} {SECOND} {THIRD}"


# ---- take over ----------------------------------------------------------------------------------


def test_the_agent_falls_silent_at_once_and_the_operator_is_heard():
    call = scene(Utterance(3.0, 1.0, HOURS), answers=ANSWER, operator=[(5.0, TAKE), (5.1, speak())], until=8)
    assert 5.0 in [pytest.approx(at, abs=0.001) for at in call.line.cleared]
    assert call.line.silent_at(5.12) and not call.line.silent_at(5.2)
    assert [event.by for event in call.of(OperatorTookOver)] == ["bob"]
    assert call.of(AgentHeard)[-1].interrupted


def test_a_call_that_is_moved_to_another_window_is_heard_from_there_alone():
    moved = [
        (5.0, ask(TakeOver("bob", "left"))),
        (5.2, speak(window="right")),
        (5.6, ask(TakeOver("bob", "right"))),
        (5.8, speak(window="left")),
        (6.4, speak(window="right")),
    ]
    call = scene(Utterance(3.0, 1.0, HOURS), answers=ANSWER, operator=moved, until=8)
    assert [event.window for event in call.of(OperatorTookOver)] == ["left", "right"]
    assert call.line.silent_at(5.3) and call.line.silent_at(5.9) and not call.line.silent_at(6.5)


def test_the_transcript_goes_on_and_the_agent_answers_nothing():
    call = scene(Utterance(6.0, 1.0, HOURS), operator=[(5.0, TAKE)], until=25)
    assert [event.text for event in call.of(CallerSaid)] == [HOURS]
    assert call.conversation.overheard_words == [("caller", HOURS)]
    assert HOURS not in call.conversation.asked
    assert not call.of(SilencePrompted), "people may think"
    assert len(call.of(AgentSaid)) == 1


def test_only_the_one_who_has_the_call_is_heard():
    call = scene(operator=[(5.0, TAKE), (5.5, speak("charlie"))], until=8)
    assert call.line.silent_at(5.6)


def test_sound_of_an_operator_that_comes_too_fast_does_not_pile_up():
    flood = [(5.5 + n / 1000, speak()) for n in range(50)]  # ten seconds in a twentieth
    call = scene(operator=[(5.0, TAKE), *flood], until=9)
    assert call.line.silent_at(6.4)


def test_whoever_has_the_call_is_not_cut_off_by_the_longest_call_but_the_agent_is_after():
    call = scene(operator=[(5.0, TAKE), (20.0, BACK)], max_call_seconds=10, until=40)
    assert call.ending.reason == "max_duration"
    assert call.times(OperatorGaveBack)[0] == pytest.approx(20.0, abs=0.1)


def test_given_back_the_agent_goes_on_with_the_note():
    answers = {"resume He wants the blue one.": [Say("I'm back with you.")]}
    call = scene(Utterance(12.0, 1.0, HOURS), answers=answers, operator=[(5.0, TAKE), (9.0, BACK)], until=18)
    (back,) = call.of(OperatorGaveBack)
    assert (back.by, back.note, back.lost) == ("bob", "He wants the blue one.", False)
    assert spoken(call)[1] == ("I'm back with you.", "")
    assert HOURS in call.conversation.asked, "the agent answers again"


def test_a_cough_while_an_operator_has_the_call_does_not_bring_the_agent_back():
    call = scene(
        Utterance(3.0, 1.0, HOURS),
        Utterance(6.0, 0.6, NOISE),
        answers=ANSWER,
        operator=[(5.0, TAKE)],
        until=12,
    )
    assert call.line.silent_at(7.5) and call.line.silent_at(9)


def test_an_ear_that_fails_while_a_person_talks_is_no_reason_to_apologise():
    call = scene(Utterance(6.0, 1.0, HOURS), stt={"failures": 5}, operator=[(5.0, TAKE)], until=15)
    assert call.of(EngineFailed)[-1].remedy == "left_out"
    assert len(call.of(AgentSaid)) == 1


def test_a_transfer_by_an_operator_is_at_once():
    call = scene(operator=[(5.0, lambda session: session.transfer("+14155550123", by="bob"))], until=30)
    assert (call.ending.reason, call.ending.transfer_to) == ("transferred", "+14155550123")
    (transfer,) = call.of(TransferStarted)
    assert (transfer.reason, transfer.by) == ("operator", "bob")


def test_nothing_of_it_is_left_behind():
    call = scene(operator=[(5.0, TAKE), (5.5, speak())], until=6)
    assert call.tasks_left == 0


# ---- what comes to pass at the same moment ----------------------------------------------------


def test_a_farewell_that_is_taken_over_is_no_end():
    call = scene(operator=[(10.6, TAKE), (16.0, BACK)], max_call_seconds=10, until=40)
    assert call.times(OperatorGaveBack) == [pytest.approx(16.0, abs=0.1)]
    assert call.ending.reason == "max_duration"
    assert max(at for at, _ in call.events) > 16


def test_an_operator_who_answers_the_last_silence_keeps_the_call():
    call = scene(operator=[(26.5, say(SLOT))], until=34)
    assert call.ending.reason == "caller_hung_up"
    assert (SLOT, "bob") in spoken(call)


def test_a_transfer_that_was_promised_comes_before_words_to_say():
    answers = {HOURS: [Say("One moment, I put you through."), Transfer("+14155550199")]}
    call = scene(Utterance(3.0, 1.0, HOURS), answers=answers, operator=[(5.0, say(SLOT))], until=15)
    assert (call.ending.reason, call.ending.transfer_to) == ("transferred", "+14155550199")


def test_a_whisper_keeps_no_dead_call_alive():
    call = scene(
        Utterance(3.0, 1.0, HOURS),
        answers=ANSWER,
        tts={"failures": 50},
        operator=[(t, whisper("be brief")) for t in (4.5, 5.0, 5.5)],
        until=30,
    )
    assert call.ending.reason == "engine_failure"


def test_a_second_give_back_takes_the_call_from_nobody_else():
    twice = [(8.0, BACK), (8.01, ask(TakeOver("carol"))), (8.02, BACK)]
    call = scene(operator=[(5.0, TAKE), *twice, (8.1, speak("carol"))], until=9)
    assert [event.by for event in call.of(OperatorGaveBack)] == ["bob"]
    assert not call.line.silent_at(8.3), "carol is heard"


def test_words_to_say_outlive_a_key_that_comes_between():
    answers = {"digits 1": [Say("You pressed one.")]}
    call = scene(answers=answers, operator=[(4.0, say(SLOT))], keys=[(4.05, "1"), (4.1, "#")], until=12)
    assert [text for text, _ in spoken(call)][1:] == ["You pressed one.", SLOT]


def test_the_last_words_before_giving_back_are_in_the_transcript_at_their_place():
    voice = [(6.0 + n / 50, frame("I give you back", n)) for n in range(60)]
    call = scene(
        Utterance(100.0, 1.2, "I give you back"), operator=[(5.0, TAKE), *voice, (7.2, BACK)], until=12
    )
    (said,) = call.of(OperatorSaid)
    assert said.text == "I give you back"
    assert said.start_seconds == pytest.approx(6.0, abs=0.4)


def test_a_clause_is_no_sentence_to_stop_after():
    long = "On Saturdays and on all public holidays of the whole year, we are closed from noon on."
    call = scene(
        Utterance(3.0, 1.0, HOURS),
        answers={HOURS: [Say(f"{long} {THIRD}")]},
        operator=[(5.0, say(SLOT))],
        until=18,
    )
    assert call.of(AgentHeard)[1].text == long


# ---- a call that somebody placed to speak themselves -----------------------------------------


def test_who_placed_the_call_has_it_from_its_first_moment_and_the_agent_is_silent():
    call = scene(operator=[(2.0 + n / 5, speak()) for n in range(9)], held_by="bob", until=20)
    assert [event.by for event in call.of(OperatorTookOver)] == ["bob"]
    assert not call.of(AgentSaid)


def test_given_back_the_agent_begins():
    call = scene(operator=[(2.0, BACK)], held_by="bob", until=6)
    assert call.of(OperatorGaveBack) and call.of(AgentSaid)
