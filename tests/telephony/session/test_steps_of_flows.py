"""What flows ask of a call beside speaking: how to behave, to wait, to press keys."""

from __future__ import annotations

import pytest

from agents.flow.steps import ForgetWords, HangUp, Manner, Pause, Say, SendDigits
from telephony.session.events import AgentSaid, CallerSaid, SilencePrompted, WordsForgotten
from tests.fakes.clock import run_in_virtual_time
from tests.fakes.scripted_engines import CHARACTERS_PER_SECOND, Utterance
from tests.fakes.stage import PlayingLine, play

HOURS = "what are your hours?"
LONG_ANSWER = "We are open from eight to six on weekdays, and from nine to one on Saturdays."


def scene(*utterances: Utterance, **script):
    return run_in_virtual_time(play(*utterances, **script))


def answering(*steps, until=16, more=(), **script):
    return scene(Utterance(3.0, 1.0, HOURS), *more, answers={HOURS: list(steps)}, until=until, **script)


def test_a_pause_is_silence_that_is_meant_and_nobody_apologises_for():
    call = answering(Say("One."), Pause(4.0), Say("Two."))
    said = [(event.text, at) for event, at in zip(call.of(AgentSaid), call.times(AgentSaid), strict=True)]
    (one, at_one), (two, at_two) = said[-2:]
    assert (one, two) == ("One.", "Two.")
    assert at_two - at_one > 4.0
    assert "One moment, please." not in [text for text, _ in said]


def test_a_caller_may_speak_in_a_pause():
    call = answering(Say("One."), Pause(8.0), Say("Two."), more=[Utterance(6.5, 1.0, "Hello?")])
    assert call.conversation.asked[-1] == "Hello?"
    assert "Two." not in [event.text for event in call.of(AgentSaid)]


def test_keys_are_sounded_behind_what_is_said_and_are_no_words():
    def sound(call):
        return sum(end - start for start, end in call.line.sounded)

    plainly = answering(Say("Dialling."), until=8)
    call = answering(Say("Dialling."), SendDigits("12"), until=8)
    assert sound(call) - sound(plainly) == pytest.approx(0.36, abs=0.05)  # two tones, each with a gap behind
    assert call.conversation.told[-1] == ("Dialling.", False)


def test_a_line_with_signals_for_keys_sends_these_and_silence_while_they_last():
    line = PlayingLine(presses_keys=True)
    call = answering(Say("Dialling."), SendDigits("12"), Say("Done."), until=12, line=line)
    [(pressed_at, digits)] = line.pressed
    (dialling, done) = [start for start, _ in line.sounded if start > 4.0][:1], line.sounded[-1]
    assert digits == "12"
    assert pressed_at > dialling[0] + len("Dialling.") / CHARACTERS_PER_SECOND - 0.01
    assert done[0] - pressed_at > 0.36
    assert call.conversation.told[-1] == ("Dialling. Done.", False)


def test_a_node_s_manner_holds_from_then_on():
    stop = Utterance(6.0, 1.0, "Stop.")
    call = answering(Manner(interruptible=False), Say(LONG_ANSWER), more=[stop], until=18)
    assert (LONG_ANSWER, False) in call.conversation.told
    patient = answering(Manner(silence_seconds=30.0), Say("Yes."), until=28)
    assert not patient.of(SilencePrompted)
    assert answering(Say("Yes."), until=28).of(SilencePrompted)


def test_a_manner_of_nothing_is_the_agents_own():
    stop = Utterance(6.0, 1.0, "Stop.")
    call = answering(Manner(interruptible=False), Manner(), Say(LONG_ANSWER), more=[stop], until=18)
    assert (LONG_ANSWER, False) not in call.conversation.told


def test_that_words_are_not_to_be_kept_is_told_and_those_who_watch_still_see_them():
    call = answering(ForgetWords(), Say("Goodbye."), HangUp())
    assert len(call.of(WordsForgotten)) == 1
    assert call.of(CallerSaid)[0].text == HOURS and call.of(AgentSaid)[-1].text == "Goodbye."
    assert not answering(Say("Goodbye."), HangUp()).of(WordsForgotten)
