"""One slot, asked for until it is filled or given up."""

from __future__ import annotations

import pytest

from agents.flow.slots import Option

from .conftest import Ask


def test_a_sure_answer_fills_the_slot_without_a_word(ask: Ask) -> None:
    count = ask("number", "How many guests?")
    assert count.gatherer.question() == "How many guests?"
    assert count.say("four") == ""
    assert (count.value, count.gatherer.failed, count.gatherer.question()) == (4, False, "")


def test_a_doubtful_answer_is_read_back(ask: Ask) -> None:
    count = ask("number", "How many guests?")
    assert count.say("one two") == "I have twelve. Is that right?"
    assert (count.value, count.gatherer.expects) == (None, "yes_no")
    assert count.say("yes") == ""
    assert count.value == 12


def test_a_doubtful_answer_is_taken_where_nothing_is_to_be_read_back(ask: Ask) -> None:
    count = ask("number", confirm="never")
    count.say("one two")
    assert count.value == 12


def test_a_no_asks_again_and_the_next_answer_is_read_back(ask: Ask) -> None:
    count = ask("number", "How many?", retry_prompt="Tell me how many, please.", confirm="always")
    count.say("four")
    assert count.say("no") == "Sorry about that. Tell me how many, please."
    assert count.gatherer.question() == "Tell me how many, please."
    assert count.say("five") == "I have five. Is that right?"


def test_what_was_denied_is_doubted_also_where_it_was_sure(ask: Ask) -> None:
    count = ask("number")
    count.say("one two")
    count.say("no")
    assert count.say("twenty") == "I have twenty. Is that right?"


def test_a_no_that_brings_the_right_value_along_is_enough(ask: Ask) -> None:
    count = ask("number", confirm="always")
    count.say("four")
    assert count.say("no, five") == "I have five. Is that right?"
    count.say("that's right")
    assert count.value == 5


def test_the_same_value_again_agrees_with_what_was_read_back(ask: Ask) -> None:
    count = ask("number", confirm="always")
    count.say("four")
    count.say("four")
    assert count.value == 4


def test_keys_agree_and_deny(ask: Ask) -> None:
    count = ask("number", confirm="always")
    count.press("4#")
    assert count.press("2").startswith("Sorry about that.")
    count.press("5#")
    count.press("1#")
    assert count.value == 5


def test_an_unclear_answer_to_what_was_read_back_is_asked_again_until_the_last(ask: Ask) -> None:
    count = ask("number", confirm="always", attempts=2)
    count.say("four")
    assert count.say("bananas") == "I have four. Is that right? Please say yes or no."
    assert count.say("bananas") == ""
    assert (count.gatherer.failed, count.gatherer.reason, count.value) == (True, "not_understood", None)


@pytest.mark.parametrize(
    "words", ["I don't know", "I'd rather not say", "no idea", "I don't have one", "bananas", "", "skip it"]
)
def test_what_is_no_answer_costs_an_attempt(ask: Ask, words: str) -> None:
    number = ask("phone", "What is your number?", region="US", attempts=2)
    assert "What is your number?" in number.say(words)
    assert number.say(words) == ""
    assert number.gatherer.failed


def test_it_is_told_that_the_caller_would_not_say(ask: Ask) -> None:
    number = ask("phone", region="US")
    number.say("I'd rather not say")
    assert number.gatherer.reason == "not_told"


@pytest.mark.parametrize(
    "words",
    [
        "say that again",
        "Sorry, what?",
        "Pardon?",
        "can you repeat that please",
        "I didn't catch that",
        "what",
    ],
)
def test_to_hear_the_question_again_costs_no_attempt(ask: Ask, words: str) -> None:
    count = ask("number", "How many?", confirm="always", attempts=1)
    assert [count.say(words) for _ in range(5)] == ["How many?"] * 5
    count.say("four")
    assert [count.say(words) for _ in range(5)] == ["I have four. Is that right?"] * 5
    count.say("yes")
    assert count.value == 4


def test_the_star_alone_asks_again_too(ask: Ask) -> None:
    assert ask("digits", "What is the code?").press("*") == "What is the code?"


def test_a_caller_who_corrects_for_ever_is_given_up(ask: Ask) -> None:
    count = ask("number", confirm="always", attempts=3)
    count.say("one")
    said = [count.say(f"no, {number}") for number in ("two", "three", "four", "five")]
    assert said[:3] == [f"I have {number}. Is that right?" for number in ("two", "three", "four")]
    assert said[3] == ""
    assert (count.gatherer.failed, count.gatherer.reason) == (True, "denied")


def test_nothing_is_said_or_changed_after_the_end(ask: Ask) -> None:
    count = ask("number")
    count.say("four")
    assert (count.say("five"), count.press("6"), count.value) == ("", "", 4)
    lost = ask("number", attempts=1)
    lost.say("bananas")
    assert (lost.say("five"), lost.press("6"), lost.value) == ("", "", None)


def test_a_turn_can_be_undone(ask: Ask) -> None:
    count = ask("number", confirm="always")
    count.say("four")
    before = count.gatherer.copy()
    count.say("yes")
    assert count.value == 4
    assert before.done is None
    assert before.question() == "I have four. Is that right?"


def test_the_options_are_named_when_none_was_understood(ask: Ask) -> None:
    choice = ask("choice", "Which one?", options=(Option("a", "Apples"), Option("b", "Pears")))
    assert choice.say("bananas") == "Please say Apples or Pears. Which one?"
    choice.press("2")
    assert choice.value == "b"


def test_a_choice_between_two_is_asked_for_in_their_words(ask: Ask) -> None:
    options = (Option("a", "Apples"), Option("b", "Pears"), Option("c", "Plums"))
    choice = ask("choice", "Which one?", options=options)
    assert choice.say("apples or pears") == "Do you mean Apples or Pears?"
    choice.say("pears")
    assert choice.value == "b"


def test_a_choice_is_put_right(ask: Ask) -> None:
    options = (Option("a", "Apples"), Option("b", "Pears"))
    choice = ask("choice", options=options, confirm="always")
    choice.say("apples")
    assert choice.say("no, pears") == "I have Pears. Is that right?"
    assert choice.say("not pears, apples") == "I have Apples. Is that right?"


def test_free_text_is_put_right(ask: Ask) -> None:
    text = ask("text", confirm="always")
    assert text.say("My bike is broken.") == "I've noted: My bike is broken. Is that right?"
    assert text.say("No, my bike was stolen.") == "I've noted: my bike was stolen. Is that right?"


def test_a_yes_is_read_back_where_it_must(ask: Ask) -> None:
    account = ask("yes_no", confirm="always")
    assert account.gatherer.expects == "yes_no"
    assert account.say("yes") == "You said yes. Is that right?"
    account.say("yes")
    assert account.value is True
