"""What people write, and what is stored of it."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from agents.fields import PhoneField


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("+1 415-555-0112", "+14155550112"),
        ("(+1) 415.555.0112", "+14155550112"),
        ("+1\u00a0415\u2013555\u20130112", "+14155550112"),
        ("tel:+1-415-555-0112", "+14155550112"),
        ("+44 (0)20 7946 0958", "+442079460958"),
        ("+49 030 901820", "+4930901820"),
        ("0044 20 7946 0958", "+442079460958"),
        ("", ""),
    ],
)
def test_a_number_is_read_as_people_write_it(written: str, stored: str) -> None:
    assert PhoneField(required=False).clean(written) == stored


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("reception", "with its country code"),
        ("415 555 0112", "with its country code"),
        ("+1 555 0112", "how many digits"),
        ("+1 415 555 01123", "how many digits"),
        ("+1 415 555 0112 ext. 7", "An extension cannot be dialled"),
        ("+1" + "5" * 400, "with its country code"),
    ],
)
def test_what_no_line_could_dial_is_refused_with_what_is_missing(written: str, told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        PhoneField().clean(written)


def test_a_stored_number_is_shown_in_groups_and_what_was_typed_as_it_was() -> None:
    shown = PhoneField().prepare_value
    assert shown("+14155550112") == "+1 415-555-0112"
    assert (shown("recep tion"), shown("+1 (415) 5550112"), shown("")) == (
        "recep tion",
        "+1 (415) 5550112",
        "",
    )
