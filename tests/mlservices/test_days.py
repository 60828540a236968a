"""Days as they stand in addresses."""

from __future__ import annotations

from datetime import date

import pytest

from mlservices.days import day_of


@pytest.mark.parametrize("text", ["", "yesterday", "2026-02-30", "1999-12-31", "2201-01-01", "0001-01-05"])
def test_what_is_no_day_or_one_that_nothing_can_have_is_none(text: str) -> None:
    assert day_of(text) is None


def test_a_day_is_read() -> None:
    assert day_of("2026-03-05") == date(2026, 3, 5)
