"""Dates and times as callers say them, put together from more than one answer where need be."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Literal

from mlservices.text import MONTHS, number_words, ordinal_words, year_words

from ..hearing import ordinal
from ..knowledge import WEEKDAYS
from . import phrases
from .calendar_words import MONTH_NAMES, in_figures
from .clocks import Clock, find_clock, halved, part_of_day
from .days import FAR_DAYS, NoSuchDay, find_day
from .kinds import Moment, Reading, Refusal, Slot, Value

_GREETING = re.compile(r"\bgood (?:morning|afternoon|evening|day)\b")
_AFTER_A_WHILE = re.compile(
    r"\bin (?:about )?(?:(?P<half>half an hour)"
    r"|(?P<count>\d{1,3}|an?) (?P<unit>hour|minute)s?(?P<more> and a half)?)\b"
)
_MORE_THAN_ONE = re.compile(r"\b(?:or|between)\b")
_PART_OF_DATE = re.compile(
    r"(?:(?:no|sorry|it's|it is|i said|i meant|actually|in|on|the|year|of)\s+)*"
    rf"(?:(?P<day>\d\d?)th|(?P<month>{'|'.join(MONTH_NAMES)})|(?P<year>(?:19|20) ?\d\d))"
)
_RIGHT_NOW = re.compile(r"\b(?:right now|now|immediately|straight away|right away|as soon as possible)\b")


# --- for the ear -------------------------------------------------------------------------------


def spoken_day(day: date, today: date) -> str:
    """ "Tuesday the third of March"; with its year, and without its weekday, if it is not near."""
    spoken = f"the {ordinal_words(day.day)} of {MONTHS[day.month - 1]}"
    if 0 <= (day - today).days < FAR_DAYS:
        return f"{WEEKDAYS[day.weekday()].capitalize()} {spoken}"
    return f"{spoken} {year_words(day.year)}"


def spoken_moment(moment: datetime, today: date) -> str:
    day = spoken_day(moment.date(), today)
    if (moment.hour, moment.minute) == (0, 0):  # "at midnight" on a day may be its start or its end
        return f"midnight between {WEEKDAYS[moment.weekday() - 1].capitalize()} and {day}"
    return f"{day} at {spoken_time(moment.time())}"


def spoken_time(at: time) -> str:
    """ "two thirty in the afternoon", "nine o'clock in the morning", "noon"."""
    if at.minute == 0 and at.hour in (0, 12):
        return "noon" if at.hour else "midnight"
    minute = number_words(at.minute)
    said = "o'clock" if at.minute == 0 else f"oh {minute}" if at.minute < 10 else minute
    if at.hour < 12:
        part = "in the morning"
    elif at.hour < 18:
        part = "in the afternoon"
    else:
        part = "in the evening" if at.hour < 22 else "at night"
    return f"{number_words(at.hour % 12 or 12)} {said} {part}"


# --- out of words and keys -----------------------------------------------------------------------


def read_moment(slot: Slot, words: str, now: datetime, so_far: Moment | None) -> Reading:
    text = _GREETING.sub(" ", in_figures(words))
    try:
        heard = _moment_in(slot, text, now)
    except NoSuchDay:
        return Refusal("not_understood", phrases.NO_SUCH_DAY)
    if so_far and so_far.hour is not None and not so_far.settled and (half := ordinal(words)) is not None:
        heard = Moment(part="pm" if half else "am")  # "the second one" of the two that were asked
    if heard in (Moment(), Moment(sure=False)):
        return Refusal("not_understood", phrases.NOT_UNDERSTOOD)
    return _settle(slot, _together(so_far, heard), now)


def corrected_moment(slot: Slot, told: str, words: str, now: datetime) -> Reading | None:
    """A moment that was read back, with the part of it changed that the words name: "no, in the afternoon",
    "no, the third", "nineteen eighty six"; None if they name none."""
    known = _known_of(slot, told)
    text = in_figures(words)
    if known.day and (part := _PART_OF_DATE.fullmatch(text)):
        try:
            return _settle(slot, _together(known, Moment(_with_part(known.day, part))), now)
        except ValueError:
            return None
    return read_moment(slot, words, now, known)


def _known_of(slot: Slot, told: str) -> Moment:
    day = None if slot.kind == "time" else date.fromisoformat(told[:10])
    if slot.kind == "date":
        return Moment(day)
    at = time.fromisoformat(told) if slot.kind == "time" else datetime.fromisoformat(told).time()
    return Moment(day, (at.hour - 1) % 12 + 1, at.minute, part="am" if at.hour < 12 else "pm")


def _with_part(day: date, part: re.Match[str]) -> date:
    """Raises ValueError if there is no such day."""
    if part["year"]:
        return day.replace(year=int(part["year"].replace(" ", "")))
    if part["month"]:
        return day.replace(month=MONTH_NAMES.index(part["month"]) + 1)
    return day.replace(day=int(part["day"]))


def moment_of_keys(slot: Slot, figures: str, now: datetime, so_far: Moment | None) -> Reading:
    """A day as it is written with four or eight figures, a time with three or four; the half of the day as
    1 or 2 where that was asked."""
    known = so_far or Moment()
    if figures in ("1", "2") and known.hour is not None and not known.settled:
        part: Literal["am", "pm"] = "am" if figures == "1" else "pm"
        return _settle(slot, _together(known, Moment(part=part)), now)
    wants_day = slot.kind != "time" and known.day is None
    if wants_day and len(figures) in (4, 8):
        parts = [figures[:2], figures[2:4], *([figures[4:]] if figures[4:] else [])]
        return read_moment(slot, "/".join(parts), now, so_far)
    if not wants_day and len(figures) in (3, 4):
        hour, minute = int(figures[:-2]), int(figures[-2:])
        if hour < 24 and minute < 60:
            heard = Moment(hour=hour, minute=minute, settled=not 1 <= hour <= 12)
            return _settle(slot, _together(known, heard), now)
    return Refusal("not_understood", phrases.NOT_UNDERSTOOD)


def _moment_in(slot: Slot, text: str, now: datetime) -> Moment:
    if (match := _AFTER_A_WHILE.search(text)) is not None:
        return _at(now + _while(match))
    day = find_day(text, now.date(), slot.region)
    clock = find_clock(day.without if day else text) if slot.kind != "date" else None
    clock = clock or Clock()
    if slot.kind != "date" and not clock.part:
        clock = halved(replace(clock, part=part_of_day(text)))
    if day is None and clock.hour is None and _RIGHT_NOW.search(text):
        return replace(_at(now), sure=False)
    sure = _MORE_THAN_ONE.search(text) is None and (day is None or day.sure)
    moment = Moment(None, clock.hour, clock.minute, clock.settled, clock.part, sure=sure)
    return replace(moment, day=day.day, weekly=day.weekly) if day else moment


def _at(moment: datetime) -> Moment:
    return Moment(moment.date(), moment.hour, moment.minute, settled=True)


def _while(match: re.Match[str]) -> timedelta:
    """ "In half an hour", "in two hours and a half"."""
    if match["half"]:
        return timedelta(minutes=30)
    unit = 60 if match["unit"] == "hour" else 1
    count = 1 if match["count"] in ("a", "an") else int(match["count"])
    return timedelta(minutes=unit * count + (unit // 2 if match["more"] else 0))


def _together(known: Moment | None, heard: Moment) -> Moment:
    """What was known, with what was heard in its place or beside it."""
    if known is None:
        return heard
    moment = known
    if heard.day is not None:
        moment = replace(moment, day=heard.day, sure=heard.sure, weekly=heard.weekly)
    if not heard.sure:
        moment = replace(moment, sure=False)
    if heard.hour is not None:
        moment = replace(moment, hour=heard.hour, minute=heard.minute, settled=heard.settled)
    part = heard.part or known.part
    clock = halved(Clock(moment.hour, moment.minute, moment.settled, part))
    return replace(moment, hour=clock.hour, settled=clock.settled, part=part)


def _settle(slot: Slot, moment: Moment, now: datetime) -> Reading:
    """A value, or the question for what is missing."""
    if slot.kind != "time" and moment.day is None:
        return Refusal("which_day", phrases.WHICH_DAY, moment)
    if slot.kind == "date":
        return _date(slot, moment, now)
    if moment.hour is None:
        return Refusal("incomplete", phrases.WHICH_TIME, moment)
    if not moment.settled:
        early, late = time(moment.hour % 12, moment.minute), time(moment.hour % 12 + 12, moment.minute)
        gone = slot.must_be_future and moment.day == now.date() and early <= now.time()
        if not gone:
            return Refusal("which_half", phrases.which_half(spoken_time(early), spoken_time(late)), moment)
        moment = replace(moment, hour=late.hour, settled=True)
    assert moment.hour is not None
    at = time(moment.hour, moment.minute)
    if slot.kind == "time":
        return Value(at.isoformat("minutes"), spoken_time(at), sure=moment.sure)
    assert moment.day is not None
    return _datetime(slot, moment, datetime.combine(moment.day, at, now.tzinfo), now)


def _date(slot: Slot, moment: Moment, now: datetime) -> Reading:
    assert moment.day is not None
    if slot.must_be_future and moment.day < now.date():
        return Refusal("past", phrases.PAST)
    return Value(moment.day.isoformat(), spoken_day(moment.day, now.date()), sure=moment.sure)


def _datetime(slot: Slot, moment: Moment, found: datetime, now: datetime) -> Reading:
    sure = moment.sure
    if moment.part == "night" and found.hour < 5:  # "Friday at midnight" is when Friday ends
        found, sure = found + timedelta(days=1), False
    if slot.must_be_future and found < now.replace(second=0, microsecond=0):
        if not moment.weekly:
            return Refusal("past", phrases.PAST)
        found += timedelta(days=7)  # "Wednesday at nine", on a Wednesday at ten
    sure = sure and (found.hour, found.minute) != (0, 0)
    return Value(found.isoformat(timespec="minutes"), spoken_moment(found, now.date()), sure=sure)
