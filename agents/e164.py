"""Telephone numbers as machines write them: what is looked up, checked and dialled is the same text."""

from __future__ import annotations

import re

import phonenumbers

LONGEST = 16  # the + and fifteen digits
_DIALLED_ABROAD = re.compile(r"^00(?=[1-9])")  # what most of the world dials for the +


def as_e164(written: str, region: str = "") -> str:
    """A number as people or exchanges write it, like "+44 (0)20 7946 0958", as E.164; "" for what no
    telephone can have, for one with an extension, and for one that is spelt in letters. Without a + or 00 it
    is read as it is dialled in `region`, as "GB"."""
    bare = _DIALLED_ABROAD.sub("+", written.strip().removeprefix("tel:"))
    if any(letter.isalpha() for letter in bare):  # phonenumbers takes the keys that they stand on
        return ""
    try:
        parsed = phonenumbers.parse(bare, region or None)
    except phonenumbers.NumberParseException:
        return ""
    whole = phonenumbers.is_possible_number_with_reason(parsed) == phonenumbers.ValidationResult.IS_POSSIBLE
    number = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    return number if whole and not parsed.extension and len(number) <= LONGEST else ""


def is_assigned(number: str) -> bool:
    """Whether somebody can have this E.164 number, by the plan of its country: +49110 is none."""
    return phonenumbers.is_valid_number(phonenumbers.parse(number))
