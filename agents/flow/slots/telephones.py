"""Digits that callers dictate: a code of a certain length, a telephone number."""

from __future__ import annotations

import re

import phonenumbers
from phonenumbers import PhoneNumber, PhoneNumberFormat, ValidationResult

from mlservices.text import digit_words

from ..hearing import dictated_digits, spoken_digits
from ..wording import read_back
from . import phrases
from .courtesies import bare
from .kinds import Reading, Refusal, Slot, Value

_LONGEST_DIGITS = 64
_SHORTEST_PHONE = 3  # digits, below which words hold no part of a number
_ENDS = re.compile(
    r"\b(?:ends?|ending|finish(?:es|ing)?) (?:in|with|on)\b"
    r"|\b(?:the )?last (?:\w+ )?(?:digits?|numbers?|ones?|figures?)\b"
    r"|\b(?:the )?last (?:two|three|four|2|3|4)\b"
    r"|\bat the end\b"
)
_BEGINS = re.compile(
    r"\b(?:starts?|starting|begins?|beginning) (?:in|with|on)\b|\barea code\b"
    r"|\b(?:the )?first (?:\w+ )?(?:digits?|numbers?|ones?|figures?)\b"
)
_EXCHANGES = (
    re.compile(r"\bnot (?P<wrong>.+?)(?:,| but| it's| rather)+ (?P<right>.+)"),
    re.compile(r"(?P<right>.+?),? (?:not|instead of|rather than) (?P<wrong>.+)"),
    re.compile(r"\b(?:change|replace) (?P<wrong>.+?) (?:to|with|by|for) (?P<right>.+)"),
    re.compile(r"\bnot (?P<wrong>.+)(?P<right>)"),
)


def read_digits(slot: Slot, words: str, so_far: str = "") -> Reading:
    digits = dictated_digits(words) or dictated_digits(bare(words))
    return digits_of(slot, digits.replace("+", ""), so_far)


def digits_of(slot: Slot, digits: str, so_far: str = "") -> Reading:
    """`so_far` were told before; digits that are enough by themselves take their place."""
    if not digits:
        return Refusal("not_understood", phrases.NOT_UNDERSTOOD)
    if len(digits) < slot.min_digits:
        digits = so_far + digits
    most = slot.max_digits or _LONGEST_DIGITS
    if len(digits) > most:
        return Refusal("too_long", phrases.too_long(len(digits), most))
    if len(digits) < slot.min_digits:
        if slot.min_digits == slot.max_digits and len(digits) < 3:
            return Refusal("too_short", phrases.too_short(len(digits), slot.min_digits), digits)
        return Refusal("incomplete", phrases.and_the_rest(read_back(digits)), digits)
    return Value(digits, read_back(digits))


def read_phone(slot: Slot, words: str, so_far: str = "") -> Reading:
    text = re.sub(r"\b(?:the )?country code(?: is)?\b", " plus ", words.lower())
    return phone_of(slot, dictated_digits(text) or dictated_digits(bare(text)), so_far)


def phone_of(slot: Slot, digits: str, so_far: str = "") -> Reading:
    """A number as it was dictated, with "+" or 00 and a country code or without; `so_far` was told before."""
    if len(digits) < _SHORTEST_PHONE and not so_far:
        return Refusal("not_understood", phrases.NOT_UNDERSTOOD)
    alone = _parsed(slot, digits)
    if so_far and not (alone and phonenumbers.is_valid_number(alone)):
        digits = so_far + digits.replace("+", "")
    if not digits.startswith(("+", "00")) and not slot.region:
        return Refusal("country_code", phrases.COUNTRY_CODE)
    number = _parsed(slot, digits)
    if number is None:
        if len(digits) < 7:
            return Refusal("incomplete", phrases.and_the_rest(read_back(digits)), digits)
        return Refusal("no_such_number", phrases.NO_SUCH_NUMBER)
    match phonenumbers.is_possible_number_with_reason(number):
        case ValidationResult.IS_POSSIBLE:
            return _value(slot, number, sure=phonenumbers.is_valid_number(number))
        case ValidationResult.TOO_LONG:
            return Refusal("too_long", phrases.PHONE_TOO_LONG)
        case ValidationResult.TOO_SHORT | ValidationResult.IS_POSSIBLE_LOCAL_ONLY:
            return Refusal("incomplete", phrases.and_the_rest(read_back(digits)), digits)
    return Refusal("no_such_number", phrases.NO_SUCH_NUMBER)


def _parsed(slot: Slot, digits: str) -> PhoneNumber | None:
    if digits.startswith("00") and not slot.region:
        digits = f"+{digits[2:]}"
    try:
        return phonenumbers.parse(digits, slot.region or None)
    except phonenumbers.NumberParseException:
        return None


def _value(slot: Slot, number: PhoneNumber, *, sure: bool) -> Value:
    e164 = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    return Value(e164, spoken_phone(number, slot.region), sure=sure)


def spoken_phone(number: PhoneNumber, region: str) -> str:
    """Digit by digit, in the groups of its country; the country code is said of numbers from elsewhere."""
    at_home = bool(region) and number.country_code == phonenumbers.country_code_for_region(region)
    style = PhoneNumberFormat.NATIONAL if at_home else PhoneNumberFormat.INTERNATIONAL
    groups = re.findall(r"\d+", phonenumbers.format_number(number, style), re.ASCII)
    said = ", ".join(digit_words(group) for group in groups)
    return said if at_home else f"plus {said}"


# --- put right -----------------------------------------------------------------------------------


def corrected_digits(digits: str, words: str) -> str | None:
    """The digits with those changed that the words tell: "it ends in 43", "not 42, 43"; None if they tell
    none."""
    text = words.lower()
    for pattern in (_ENDS, _BEGINS):
        if match := pattern.search(text):
            part = spoken_digits(text[match.end() :]) or spoken_digits(text[: match.start()])
            if not 0 < len(part) < len(digits):
                return None
            return digits[: -len(part)] + part if pattern is _ENDS else part + digits[len(part) :]
    for exchange in _EXCHANGES:
        if match := exchange.search(text):
            wrong, right = spoken_digits(match["wrong"]), spoken_digits(match["right"])
            if not right and len(wrong) % 2 == 0:  # "not five six"
                wrong, right = wrong[: len(wrong) // 2], wrong[len(wrong) // 2 :]
            if wrong and right and digits.count(wrong) == 1 and len(wrong) < len(digits):
                return digits.replace(wrong, right)
    return None


def corrected_phone(slot: Slot, e164: str, words: str) -> Reading | None:
    number = phonenumbers.parse(e164)
    home = slot.region and number.country_code == phonenumbers.country_code_for_region(slot.region)
    style = PhoneNumberFormat.NATIONAL if home else PhoneNumberFormat.E164
    digits = re.sub(r"[^\d+]", "", phonenumbers.format_number(number, style))
    corrected = corrected_digits(digits, words)
    return phone_of(slot, corrected) if corrected else None
