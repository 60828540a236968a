"""One of several things, yes or no, and free text."""

from __future__ import annotations

import pytest

from agents.flow.slots import Option, Slot, Value, read, read_keys

from .conftest import NOW

SALES = Option("sales", "Sales", ("buying something", "a quote"))
SUPPORT = Option("support", "Technical support", ("help with a problem", "tech"))
BILLING = Option("billing", "Billing", ("my invoice", "my bill"))
CHOICE = Slot("choice", "Which department?", options=(SALES, SUPPORT, BILLING))
YES_NO = Slot("yes_no", "Do you have an account?")


@pytest.mark.parametrize(
    ("words", "value"),
    [
        ("Sales.", "sales"),
        ("uh sales please", "sales"),
        ("technical support", "support"),
        ("tech", "support"),
        ("I'd like a quote", "sales"),
        ("I have a question about my invoice", "billing"),
        ("the second one", "support"),
        ("the 2nd one please", "support"),
        ("number three", "billing"),
        ("option 2", "support"),
        ("two", "support"),
        ("the first", "sales"),
        ("the last one", "billing"),
        ("not sales, billing", "billing"),
    ],
)
def test_a_choice_is_made_by_label_phrase_place_or_number(words: str, value: str) -> None:
    assert isinstance(chosen := read(CHOICE, words, NOW), Value)
    assert (chosen.value, chosen.sure) == (value, True)


def test_a_choice_by_some_of_its_words_is_doubted() -> None:
    assert read(CHOICE, "I want to buy something", NOW) == Value("sales", "Sales", sure=False)


def test_of_two_choices_the_caller_is_asked_which() -> None:
    refusal = read(CHOICE, "sales or billing", NOW)
    assert (refusal.reason, refusal.hint) == ("which_one", "Do you mean Sales or Billing?")


@pytest.mark.parametrize("words", ["bananas", "both", "no", "not sales", ""])
def test_what_names_no_option_is_refused(words: str) -> None:
    assert not isinstance(read(CHOICE, words, NOW), Value)


def test_options_are_named_when_nothing_was_understood() -> None:
    assert read(CHOICE, "bananas", NOW).hint == "Please say Sales, Technical support or Billing."


def test_an_option_may_be_none_or_not_known() -> None:
    slot = Slot("choice", "?", options=(Option("none", "None of them"), Option("?", "I don't know")))
    assert read(slot, "none", NOW).value == "none"
    assert read(slot, "I don't know", NOW).value == "?"


def test_a_choice_is_made_by_its_key_or_else_its_place() -> None:
    keyed = Slot("choice", "?", options=(Option("a", "Apples", key="7"), Option("b", "Pears")))
    assert [read_keys(keyed, key, NOW).value for key in ("7", "2#")] == ["a", "b"]
    assert read_keys(keyed, "1", NOW).reason == "not_understood"
    assert read_keys(CHOICE, "3", NOW).value == "billing"


@pytest.mark.parametrize(
    ("words", "yes"),
    [
        ("yes", True),
        ("Yeah, sure.", True),
        ("I think so", True),
        ("I'd say yes", True),
        ("I do, thanks", True),
        ("uh yes please", True),
        ("yes, that's me", True),
        ("yes, the water is rising", True),
        ("nope", False),
        ("absolutely not", False),
        ("we haven't", False),
        ("I don't", False),
        ("no thanks", False),
        ("not really", False),
    ],
)
def test_yes_and_no_are_heard(words: str, yes: bool) -> None:
    assert read(YES_NO, words, NOW) == Value(yes, "yes" if yes else "no")


@pytest.mark.parametrize("words", ["yes but only on Mondays", "yes if it is free", "yes or no"])
def test_a_yes_that_is_taken_back_by_more_is_doubted(words: str) -> None:
    assert read(YES_NO, words, NOW) == Value(True, "yes", sure=False)


def test_yes_and_no_are_keyed_in() -> None:
    assert [read_keys(YES_NO, key, NOW).value for key in ("1", "2#")] == [True, False]
    assert read_keys(YES_NO, "3", NOW).reason == "not_understood"


def test_free_text_is_kept_as_it_was_said() -> None:
    text = Slot("text", "What is it about?")
    assert read(text, "Um, I want to cancel my order.", NOW).value == "I want to cancel my order."
    assert read(text, "none", NOW).value == "none"
    assert read(text, "I don't know", NOW).reason == "not_told"
    assert read(text, "...", NOW).reason == "not_understood"
    assert read_keys(text, "5", NOW).reason == "not_understood"
