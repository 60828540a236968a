"""What a slot asks for, and what a caller's words give: a value, or a reason to ask again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

Kind = Literal[
    "digits", "name", "phone", "email", "date", "time", "datetime", "number", "yes_no", "choice", "text"
]
Confirm = Literal["always", "unsure", "never"]


@dataclass(frozen=True, slots=True)
class Option:
    """One thing to choose. `phrases` are other words for its label; `key` is what to press for it, by
    default its place in the list, from 1."""

    value: str
    label: str
    phrases: tuple[str, ...] = ()
    key: str = ""


@dataclass(frozen=True, slots=True)
class Slot:
    """One typed value to ask a caller for. A bound of None or 0 does not bound."""

    kind: Kind
    prompt: str
    retry_prompt: str = ""  # asked in place of the prompt once that has failed
    options: tuple[Option, ...] = ()  # of a choice
    min_digits: int = 1
    max_digits: int = 0
    minimum: float | None = None  # of a number, both included
    maximum: float | None = None
    confirm: Confirm = "unsure"
    attempts: int = 3  # that may fail, at least 1
    region: str = ""  # where a number without country code is, as in "US"; also, how "3/4" is read
    must_be_future: bool = False  # of a date, or a date with its time


@dataclass(frozen=True, slots=True)
class Value:
    """What was understood: `value` as JSON keeps it (a date, a time ISO 8601, a phone number E.164), `spoken`
    for the ear. Not `sure`: the words could mean something else as well."""

    value: str | float | bool
    spoken: str
    sure: bool = True


@dataclass(frozen=True, slots=True)
class Moment:
    """What is known of a day and a time, while it is being found out."""

    day: date | None = None
    hour: int | None = None  # 0 to 23, or 1 to 12 until the part of the day is `settled`
    minute: int = 0
    settled: bool = False
    part: Literal["", "am", "pm", "night"] = ""
    sure: bool = True
    weekly: bool = False  # the day was named by its weekday alone: it comes again in a week


SoFar = str | Moment
"""Digits or the beginning of an address; or what is known of a moment."""

Reason = Literal[
    "not_understood",
    "not_told",  # "I don't know", "I'd rather not say"
    "incomplete",  # the rest is asked for
    "too_short",
    "too_long",
    "too_small",
    "too_large",
    "no_such_number",
    "country_code",
    "which_half",  # of the day
    "which_day",
    "which_one",
    "past",
    "denied",  # it was read back, and was not right
]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why words give no value yet. `hint` is said before the question is asked again; with `so_far`, it is
    the question itself, and the next words go on from there."""

    reason: Reason
    hint: str
    so_far: SoFar | None = None


Reading = Value | Refusal
