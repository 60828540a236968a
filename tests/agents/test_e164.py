"""One number, however it is written, is one text."""

from __future__ import annotations

import pytest

from agents.e164 import as_e164, is_assigned


@pytest.mark.parametrize(
    "written", ["+14155550100", "+1 415 555 0100", "+1-415-555-0100", "+1.415.555.0100", "+1(415)5550100"]
)
def test_however_a_number_is_written_it_is_the_same(written: str) -> None:
    assert as_e164(written) == "+14155550100"


def test_a_country_says_how_a_number_without_its_code_is_read() -> None:
    assert as_e164("4155550199", "US") == "+14155550199"
    assert as_e164("02079460000", "GB") == as_e164("2079460000", "GB") == "+442079460000"
    assert as_e164("0044 20 7946 0958", "US") == "+442079460958"


@pytest.mark.parametrize(
    "written",
    ["", "100", "reception", "4155550100", "+1415KKK0100", "+14155550100;ext=5", "+14155550100#7", "+1 555"],
)
def test_what_no_telephone_can_have_is_none(written: str) -> None:
    assert as_e164(written) == ""


def test_no_number_is_longer_than_its_column() -> None:
    assert as_e164("+44 (0)20 7946 0958") == "+442079460958"
    assert as_e164("+49" + "3" * 15) == ""


def test_nobody_has_a_number_that_its_country_does_not_give_out() -> None:
    assert is_assigned("+14155550100") and is_assigned("+4930901820")
    assert not is_assigned("+49110") and not is_assigned("+4911850")
