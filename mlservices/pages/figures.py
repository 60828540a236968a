"""Numbers as people read them."""

from __future__ import annotations

import phonenumbers


def grouped(number: str) -> str:
    """+14155550112 as +1 415-555-0112; anything else (a name, a browser) as it is."""
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return number
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def digits_in(words: str) -> str:
    """Of a number as somebody searches it, with spaces and signs between or without."""
    return "".join(letter for letter in words if letter.isdigit())
