"""Names, said and spelled."""

from __future__ import annotations

import pytest

from agents.flow.slots import Refusal, Slot, Value, read

from .conftest import NOW, Ask

NAME = Slot("name", "What is your name?")


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("alice brown", "Alice Brown"),
        ("My name is Bob.", "Bob"),
        ("uh, that would be Jane Doe", "Jane Doe"),
        ("you can put down Charlie", "Charlie"),
        ("first name Jane, last name Doe", "Jane Doe"),
        ("Maria, and the last name is Lopez", "Maria Lopez"),
        ("S M Y T H E", "Smythe"),
        ("S-M-Y-T-H-E.", "Smythe"),
        ("Smythe, S, M, Y, T, H, E.", "Smythe"),
        ("Smith, that's S for Sierra M Y T H E", "Smythe"),
        ("it's Smith spelled S M Y T H E", "Smythe"),
        ("sierra mike yankee tango hotel echo", "Smythe"),
        ("John Smith, S M Y T H E", "John Smythe"),
        ("Abbott A double B O double T", "Abbott"),
        ("Bob W O O D space S M I T H", "Bob Wood Smith"),
        ("s as in sierra, m as in mike, i, t, h", "Smith"),
    ],
)
def test_a_name_is_heard_however_it_is_said(words: str, name: str) -> None:
    assert isinstance(value := read(NAME, words, NOW), Value)
    assert (value.value, value.sure) == (name, True)


def test_a_name_that_was_spelled_is_read_back_with_its_letters() -> None:
    assert read(NAME, "Smith, S M Y T H E", NOW) == Value("Smythe", "Smythe, spelled S M Y T H E")


@pytest.mark.parametrize("words", ["what are your opening hours", "can you help me", "42", ""])
def test_words_that_hold_no_name_are_refused(words: str) -> None:
    assert isinstance(read(NAME, words, NOW), Refusal)


@pytest.mark.parametrize(
    ("words", "right"),
    [
        ("no, S M Y T H E", "Alice Smythe"),
        ("it's Smythe, S M Y T H E", "Alice Smythe"),
        ("not Smith, Smythe", "Alice Smythe"),
        ("no my name is Bob", "Bob"),
    ],
)
def test_a_name_is_put_right(ask: Ask, words: str, right: str) -> None:
    name = ask("name", confirm="always")
    assert name.say("Alice Smith") == "I have Alice Smith. Is that right?"
    assert "Is that right?" in name.say(words)
    name.say("yes")
    assert name.value == right


def test_a_denied_name_may_be_spelled(ask: Ask) -> None:
    name = ask("name", "Who is calling?", confirm="always")
    name.say("Alice Smith")
    assert name.say("no") == "Sorry about that. Who is calling? You can also spell it."
    assert name.gatherer.expects == "name"
    assert name.say("S M Y T H E") == "I have Alice Smythe, spelled S M Y T H E. Is that right?"
    name.say("correct")
    assert name.value == "Alice Smythe"
