"""All that is said while a slot is filled, beside the flow's own prompts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mlservices.text import number_words

from ..wording import listed
from .kinds import Kind

NOT_UNDERSTOOD = "I'm sorry, I didn't get that."
NOT_TOLD = "I do need that to go on."
SORRY = "Sorry about that."
YES_OR_NO = "Please say yes or no."
NO_AT_SIGN = "I didn't catch where the at sign goes."
AFTER_THE_AT = "And what comes after the at sign?"
NO_ADDRESS = "That doesn't sound like a whole e-mail address."
COUNTRY_CODE = "Please begin with plus and the country code."
NO_SUCH_NUMBER = "I don't think that is a telephone number."
NO_SUCH_DAY = "I don't think there is such a day."
WHICH_DAY = "On which day?"
WHICH_TIME = "At what time?"
PAST = "That has passed already."
TWO_NUMBERS = "I heard more than one number."
PHONE_TOO_LONG = "That was too long for a telephone number."

# What helps when it was not understood, or not right.
ADVICE: Mapping[Kind, str] = {
    "digits": "You can say it digit by digit, or key it in and press pound.",
    "phone": "You can say it digit by digit, or key it in and press pound.",
    "name": "You can also spell it.",
    "email": "You can also spell it, and say dot and at.",
    "yes_no": YES_OR_NO,
}


def is_that_right(kind: Kind, spoken: str) -> str:
    spoken = spoken.removesuffix(".")
    match kind:
        case "yes_no":
            return f"You said {spoken}. Is that right?"
        case "text":
            return f"I've noted: {spoken}. Is that right?"
    return f"I have {spoken}. Is that right?"


def and_the_rest(spoken: str) -> str:
    return f"{spoken[:1].upper()}{spoken[1:]}. And the rest?"


def too_short(heard: int, wanted: int) -> str:
    return f"That's {_digits(heard)}, and I need {number_words(wanted)}."


def too_long(heard: int, wanted: int) -> str:
    return f"That's {_digits(heard)}, and it should be {number_words(wanted)} at most."


def too_small(least: str) -> str:
    return f"It should be {least} or more."


def too_large(most: str) -> str:
    return f"It should be {most} or less."


def between(least: str, most: str) -> str:
    return f"It should be between {least} and {most}."


def which_half(early: str, late: str) -> str:
    """ "three o'clock in the morning", "three o'clock in the afternoon"."""
    return f"Is that {early}, or {late}?"


def which_one(labels: Sequence[str]) -> str:
    return f"Do you mean {listed(labels, 'or')}?"


def one_of(labels: Sequence[str]) -> str:
    return f"Please say {listed(labels, 'or')}." if labels else NOT_UNDERSTOOD


def _digits(count: int) -> str:
    return "one digit" if count == 1 else f"{number_words(count)} digits"
