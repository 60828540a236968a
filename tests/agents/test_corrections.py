"""What is put right in a message, word by word, and what is left alone."""

from __future__ import annotations

import re

import pytest

from agents.flow import corrections
from agents.flow.corrections import behind, put_right

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
