"""Whole numbers that others write."""

from __future__ import annotations

import pytest

from mlservices.whole_numbers import whole_number


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("42", 42), ("007", 7), ("9" * 18, 10**18 - 1)])
def test_digits_are_a_number(text: str, number: int) -> None:
    assert whole_number(text) == number


@pytest.mark.parametrize(
    "text",
    ["", "-1", "+1", " 1", "1_0", "1.5", "²", "\u0661", "9" * 19, "9" * 5000],
    ids=[
        "none",
        "minus",
        "plus",
        "a space",
        "_",
        "a half",
        "a power",
        "Arabic",
        "too large",
        "far too large",
    ],
)
def test_nothing_else_is(text: str) -> None:
    assert whole_number(text) is None
