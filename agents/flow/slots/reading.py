"""What a caller's words or keys say for a slot, seen for themselves or after what was told before."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime

from ..hearing import Verdict, is_courtesy, plain
from . import phrases
from .agreement import agreement
from .choices import choice_of_key, read_choice
from .courtesies import is_not_told, is_nothing
from .emails import corrected_email, read_email
from .kinds import Moment, Reading, Refusal, Slot, SoFar, Value
from .moments import corrected_moment, moment_of_keys, read_moment
from .names import corrected_name, read_name
from .numbers import number_of_keys, read_number
from .telephones import corrected_digits, corrected_phone, digits_of, phone_of, read_digits, read_phone

LONGEST_ANSWER = 600  # characters; nobody says more to give one value
LONGEST_TEXT = 4000

_FILLERS = re.compile(r"^(?:(?:um+|uh+|er+|erm|well|so|oh)\b[\s,.]*)+", re.I)
_ENDS_ENTRY, _BEGINS_AGAIN = "#", "*"


def read(slot: Slot, words: str, now: datetime, so_far: SoFar | None = None) -> Reading:
    """`now` is on the caller's clock: dates are seen from there, and a date with its time keeps its zone.
    `so_far` comes from the refusal before, if that had some."""
    words = _with_ascii_figures(words)[:LONGEST_TEXT]
    if slot.kind == "choice":  # which may well have "none" and "I don't know" among its options
        chosen = read_choice(slot, words[:LONGEST_ANSWER])
        if isinstance(chosen, Value) or not is_not_told(words):
            return chosen
    if is_not_told(words) or (is_nothing(words) and slot.kind not in ("text", "number", "yes_no")):
        return Refusal("not_told", phrases.NOT_TOLD)
    if slot.kind == "text":
        text = _FILLERS.sub("", words.strip())
        return Value(text, text) if any(map(str.isalnum, text)) else _not_understood()
    words = words[:LONGEST_ANSWER]
    known, moment = _as_text(so_far), _as_moment(so_far)
    match slot.kind:
        case "digits":
            return read_digits(slot, words, known)
        case "phone":
            return read_phone(slot, words, known)
        case "name":
            return read_name(words)
        case "email":
            return read_email(words, known)
        case "number":
            return read_number(slot, words)
        case "yes_no":
            return _read_yes_no(words)
        case _:
            return read_moment(slot, words, now, moment)


def read_keys(slot: Slot, keys: str, now: datetime, so_far: SoFar | None = None) -> Reading:
    """Of an entry on the telephone's keys: # ends it, * begins it again. Names, addresses and free text
    cannot be keyed in."""
    if _BEGINS_AGAIN in keys:
        keys, so_far = keys.rpartition(_BEGINS_AGAIN)[2], None
    keys = keys.partition(_ENDS_ENTRY)[0]
    figures = "".join(key for key in keys if key in "0123456789")
    if not figures:
        return _not_understood()
    match slot.kind:
        case "digits":
            return digits_of(slot, figures, _as_text(so_far))
        case "phone":
            return phone_of(slot, figures, _as_text(so_far))
        case "number":
            return number_of_keys(slot, figures)
        case "choice":
            return choice_of_key(slot, keys)
        case "yes_no" if figures in ("1", "2"):
            return _yes_no(figures == "1")
        case "date" | "time" | "datetime":
            return moment_of_keys(slot, figures, now, _as_moment(so_far))
        case _:
            return _not_understood()


def corrected(
    slot: Slot, value: Value, words: str, verdict: Verdict | None, now: datetime, *, asked: bool = False
) -> Reading | None:
    """What is right instead of a value that was read back, in words that answer "is that right?" or, once
    `asked`, what is; None if they do not tell. `verdict` is the yes or no in them."""
    words = _with_ascii_figures(words)[:LONGEST_ANSWER]
    if not words.strip() or is_not_told(words):
        return None
    told = str(value.value)
    match slot.kind:
        case "digits":
            if (right := corrected_digits(told, words)) is not None:
                return digits_of(slot, right)
        case "phone":
            if (phone := corrected_phone(slot, told, words)) is not None:
                return phone
        case "name":
            return corrected_name(told, words, verdict, asked=asked)
        case "email":
            if (email := corrected_email(told, words)) is not None:
                return email
            again = read(slot, words, now)  # the whole of it
            return again if isinstance(again, Value) else None
        case "date" | "time" | "datetime":
            return _only_value(corrected_moment(slot, told, _denied_taken_out(words), now))
        case "text":
            return _read_again(words, verdict)
        case "yes_no":
            return None
        case "number" | "choice":
            words = _denied_taken_out(words)
    return _only_value(read(slot, words, now))


def _read_yes_no(words: str) -> Reading:
    verdict = agreement(words)
    if verdict is None:
        return _not_understood()
    unsaid = is_courtesy(verdict.rest) or not _TAKES_BACK.search(plain(verdict.rest))
    return replace(_yes_no(verdict.yes), sure=unsaid or not verdict.yes)


def _yes_no(yes: bool) -> Value:
    return Value(yes, "yes" if yes else "no")


# After a yes: "yes, but not today", "yes, if it is free", "yes or no".
_TAKES_BACK = re.compile(
    r"\b(?:but|only|except|unless|if|or|not|no|never|maybe|actually|wait|however|although|instead|rather)\b"
)

_NOT = re.compile(r"\bnot (?:on |at )?(?:the )?(?:\w+ )?\w+(?= ?,|\s+(?:but|it's|rather)\b)[\s,]*", re.I)
_NOT_AFTERWARDS = re.compile(r"[\s,]+(?:and )?not (?:on |at )?(?:the )?(?:\w+ ?){1,3}\W*$", re.I)


def _denied_taken_out(words: str) -> str:
    """ "Wednesday" of "not Tuesday, Wednesday" and of "Wednesday, not Tuesday"."""
    rest = _NOT_AFTERWARDS.sub("", _NOT.sub(" ", words))
    return rest if any(map(str.isalnum, rest)) else words


def _only_value(reading: Reading | None) -> Reading | None:
    """Words that give nothing were no correction; ones that give a part of it, or too much, were."""
    if isinstance(reading, Refusal) and reading.reason in ("not_understood", "not_told", "which_day"):
        return None
    return reading


def _read_again(words: str, verdict: Verdict | None) -> Reading | None:
    text = re.sub(r"^\W*(?:(?:no|nope|sorry|actually|i said)\b\W*)+", "", words, flags=re.I).strip()
    if (verdict and verdict.yes) or not any(map(str.isalnum, text)) or is_courtesy(text):
        return None
    return Value(text, text)


def _with_ascii_figures(words: str) -> str:
    return "".join(str(int(letter)) if letter.isdecimal() else letter for letter in words)


def _as_text(so_far: SoFar | None) -> str:
    return so_far if isinstance(so_far, str) else ""


def _as_moment(so_far: SoFar | None) -> Moment | None:
    return so_far if isinstance(so_far, Moment) else None


def _not_understood() -> Refusal:
    return Refusal("not_understood", phrases.NOT_UNDERSTOOD)
