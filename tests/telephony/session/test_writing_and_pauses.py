"""A caller who writes in place of speaking, and one who wants the agent to wait."""

from __future__ import annotations

from agents.flow.steps import Say
from telephony.session.events import AgentHeard, AgentSaid, CallerSaid, SilencePrompted
from tests.fakes.clock import run_in_virtual_time
from tests.fakes.scripted_engines import Utterance
from tests.fakes.stage import GREETING, play

LONG = "This is quite a long sentence, which takes some seconds to be spoken to its very end."
ANSWERS = {"hello": [Say("Good morning.")], "long": [Say(LONG)]}


def scene(*utterances: Utterance, **script):
    return run_in_virtual_time(play(*utterances, **{"answers": ANSWERS, **script}))


def write(text: str):
    return lambda session: session.write(text)


def paused(session):
    session.pause(True)


def resumed(session):
    session.pause(False)


def test_what_is_written_is_a_turn_that_takes_no_time_of_the_sound():
    call = scene(operator=[(4.0, write("hello"))], until=8.0)
    (said,) = call.of(CallerSaid)
    assert (said.text, said.confidence, said.end_seconds - said.start_seconds) == ("hello", 1.0, 0.0)
    assert call.of(AgentSaid)[-1].text == "Good morning."
    assert call.stt.asked == 0


def test_what_is_written_while_the_agent_speaks_interrupts_it():
    call = scene(operator=[(4.0, write("long")), (6.0, write("hello"))], until=12.0)
    cut, whole = call.of(AgentHeard)[1:3]
    assert cut.interrupted and cut.text and LONG.startswith(cut.text)
    assert (whole.text, whole.interrupted) == ("Good morning.", False)


def test_an_agent_that_is_paused_falls_silent_at_once_and_goes_on_where_it_was():
    call = scene(operator=[(4.0, write("long")), (6.0, paused), (16.0, resumed)], until=25.0)
    begun = call.times(AgentSaid)[-1] - call.times(AgentSaid)[0]
    assert begun > 0
    start = call.line.cleared[0]
    assert all(call.line.silent_at(start + second) for second in (0.1, 3.0, 9.5))
    assert call.of(AgentHeard)[-1].text == LONG
    assert not call.of(AgentHeard)[-1].interrupted
    assert not call.of(SilencePrompted)[:1] or call.times(SilencePrompted)[0] > start + 10


def test_even_what_must_be_heard_out_waits():
    answers = {"greet": [Say(LONG, interruptible=False)]}
    call = scene(answers=answers, operator=[(2.0, paused), (8.0, resumed)], until=16.0)
    start = call.line.cleared[0]
    assert all(call.line.silent_at(start + second) for second in (0.1, 2.0, 5.5))
    assert call.of(AgentHeard)[0].text == LONG


def test_what_is_written_while_it_is_paused_is_answered_afterwards():
    call = scene(operator=[(4.0, paused), (5.0, write("hello")), (9.0, resumed)], until=14.0)
    said_at = next(at for at, event in call.events if isinstance(event, CallerSaid))
    answered = [at for at, event in call.events if isinstance(event, AgentSaid)][-1]
    assert answered - said_at > 3.5
    assert call.of(AgentHeard)[-1].text == "Good morning."


def test_a_pause_that_is_asked_for_twice_is_one():
    operator = [(0.5, paused), (0.6, paused), (3.0, resumed), (3.1, resumed)]
    call = scene(operator=operator, until=8.0)
    assert call.of(AgentHeard)[0].text == GREETING["greet"][0].text
    assert len(call.line.cleared) == 1
