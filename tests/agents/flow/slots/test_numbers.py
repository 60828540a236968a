"""Numbers that count something, in words and figures."""

from __future__ import annotations

import pytest

from agents.flow.slots import Slot, Value, read, read_keys

from .conftest import NOW

NUMBER = Slot("number", "How many?")


@pytest.mark.parametrize(
    ("words", "number"),
    [
        ("a hundred and twenty", 120),
        ("three", 3),
        ("for five people", 5),
        ("there'll be six of us", 6),
        ("a party of six", 6),
        ("twelve hundred", 1200),
        ("1,200", 1200),
        ("two thousand and three", 2003),
        ("ninety-nine", 99),
        ("three hundred forty five thousand six hundred and seven", 345607),
        ("2 million", 2_000_000),
        ("two point five", 2.5),
        ("two and a half", 2.5),
        ("3.75", 3.75),
        ("minus four", -4),
        ("a dozen", 12),
        ("a couple", 2),
        ("five, no, six", 6),
        ("that would be 7, please", 7),
        ("none", 0),
        ("zero", 0),
    ],
)
def test_a_number_is_heard_however_it_is_said(words: str, number: float) -> None:
    assert isinstance(value := read(NUMBER, words, NOW), Value)
    assert value.value == number


def test_a_whole_number_stays_whole_and_is_read_back_in_words() -> None:
    assert read(NUMBER, "a hundred and twenty", NOW) == Value(120, "one hundred twenty")
    assert isinstance(read(NUMBER, "120", NOW).value, int)
    assert read(NUMBER, "minus two point five", NOW).spoken == "minus two point five"


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("twenty", "too_large"),
        ("zero", "too_small"),
        ("two or three", "which_one"),
        ("between three and four", "which_one"),
        ("a few", "not_understood"),
    ],
)
def test_what_is_no_number_in_range_is_refused(words: str, reason: str) -> None:
    assert read(Slot("number", "How many?", minimum=1, maximum=8), words, NOW).reason == reason


def test_the_bounds_are_told() -> None:
    both, least, most = Slot("number", "?", minimum=1, maximum=8), {"minimum": 18.0}, {"maximum": 8.0}
    assert read(both, "nine", NOW).hint == "It should be between one and eight."
    assert read(Slot("number", "?", **least), "nine", NOW).hint == "It should be eighteen or more."
    assert read(Slot("number", "?", **most), "nine", NOW).hint == "It should be eight or less."


def test_digits_one_by_one_are_a_number_that_is_doubted() -> None:
    assert read(NUMBER, "one two zero", NOW) == Value(120, "one hundred twenty", sure=False)


def test_a_number_is_keyed_in() -> None:
    assert read_keys(NUMBER, "120#", NOW) == Value(120, "one hundred twenty")
