"""What is put right in a message, word by word, and what is left alone."""

from __future__ import annotations

import re

import pytest

from agents.flow import corrections
from agents.flow.corrections import Change, Told, behind, change_in, change_of_name, put_right
from agents.flow.hearing import yes_or_no

MESSAGE = "I come on Tuesday at half past three"


@pytest.mark.parametrize("words", [1500, 3000])
@pytest.mark.parametrize("said", ["not {}", "{}", "change {}", "please {} not this"])
def test_however_much_is_said_the_work_is_bounded(
    monkeypatch: pytest.MonkeyPatch, words: int, said: str
) -> None:
    looked_for: list[str] = []
    compiled: list[str] = []
    find, compile_pattern = corrections._find, re._compiler.compile  # type: ignore[attr-defined]

    def counted_find(text: str, wrong: str) -> object:
        looked_for.append(wrong)
        return find(text, wrong)

    def counted_compile(pattern: str, flags: int = 0) -> object:
        compiled.append(pattern)
        return compile_pattern(pattern, flags)

    monkeypatch.setattr(corrections, "_find", counted_find)
    put_right(MESSAGE, "not this")  # whatever is compiled once
    monkeypatch.setattr(re._compiler, "compile", counted_compile)  # type: ignore[attr-defined]
    long = " ".join(f"word{at}" for at in range(words))
    assert put_right(MESSAGE, said.format(long)) is None
    assert len(looked_for) <= 2 * (corrections.MOST_SPLITS + 4)
    assert compiled == []


def test_few_words_in_place_of_many_are_found_behind_them() -> None:
    told = "please bring " + " ".join(f"thing{at}" for at in range(40)) + " along"
    many = told.removeprefix("please bring ").removesuffix(" along")
    assert put_right(told, f"not {many}, but no, it's on the whole only the keys please") == (
        "please bring on the whole only the keys along"
    )


@pytest.mark.parametrize(
    ("text", "words", "right"),
    [
        ("bring Tuesday's paper", "not Tuesday, Wednesday", "bring Wednesday's paper"),
        ("at ten-thirty", "not ten thirty, eleven", "at eleven"),
        ("Tuesdays are bad", "not Tuesday, Wednesday", None),
    ],
)
def test_whole_words_are_replaced(text: str, words: str, right: str | None) -> None:
    assert put_right(text, words) == right


def test_the_words_behind_a_yes_are_found_from_the_end() -> None:
    assert behind("Yes, um, bring the Keys.", "bring the keys") == "bring the Keys."
    assert behind("Yes, I mean Ten-Thirty.", "ten thirty") == "Ten-Thirty."


TOLD = Told("Bob", "5551234", "tell Anna I will not come")


def changed(words: str) -> Change | None:
    return change_in(words, yes_or_no(words), TOLD, asked=False)


@pytest.mark.parametrize(
    "words",
    [
        "Yes, and my account number is 12345678",
        "my invoice number is 12345678",
        "No, my account number is 12345678",
        "Yes but 12345678 is what I paid",
    ],
)
def test_a_number_that_is_none_to_call_back_on_belongs_to_the_message(words: str) -> None:
    change = changed(words)
    assert change and change.part == "words"
    assert change.value and change.value.startswith("tell Anna I will not come. Correction: ")
    assert "12345678" in change.value


@pytest.mark.parametrize(
    "words",
    [
        "555 9876",
        "no, 555 9876",
        "Yes, but my number is 555 9876",
        "yes but call me back on 555 9876",
        "yes but my mobile is 555 9876",
        "it's five five five, nine eight seven six please",
    ],
)
def test_a_number_to_call_back_on_takes_the_place_of_the_one_that_was_told(words: str) -> None:
    assert changed(words) == Change("number", "5559876")


@pytest.mark.parametrize(
    "words",
    [
        "Yes and thank you very much for your help",
        "yes, and bye",
        "right and have a nice day",
        "yes 555 1234",
    ],
)
def test_a_polite_yes_changes_nothing(words: str) -> None:
    assert changed(words) is None


def test_a_yes_with_something_behind_and_changes_the_message() -> None:
    assert changed("yes and Ben too") == Change("words", "tell Anna I will not come. Correction: and ben too")


@pytest.mark.parametrize(
    ("words", "value"),
    [
        (
            "yes, not come tomorrow that is",
            "tell Anna I will not come. Correction: not come tomorrow that is",
        ),
        ("yes but change Anna to Berta", "tell Berta I will not come"),
        ("no, not Anna, Berta", "tell Berta I will not come"),
    ],
)
def test_words_are_exchanged_only_where_nobody_said_yes(words: str, value: str) -> None:
    assert changed(words) == Change("words", value)


def test_who_was_asked_what_to_change_may_begin_with_yes() -> None:
    words = "yes, change Anna to Berta"
    assert change_in(words, yes_or_no(words), TOLD, asked=True) == Change(
        "words", "tell Berta I will not come"
    )


@pytest.mark.parametrize("words", ["No, it's seven", "no, seven", "No, it's seven nine"])
def test_a_digit_is_no_name(words: str) -> None:
    told = Told("Steven Miller", "5551234", "")
    assert change_of_name(words, yes_or_no(words), told) is None
    assert change_of_name("No, it's Stephen", yes_or_no("no"), told) == Change("name", "Stephen")
