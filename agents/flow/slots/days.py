"""Which day is meant: "the third of March", "a week from Friday", "3/14", seen from today."""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from ..knowledge import WEEKDAYS
from .calendar_words import MONTH_NAMES

FAR_DAYS = 183  # a day without a year that lies further ahead could as well have been the last one
_MONTH_FIRST = ("", "US", "CA", "PH")  # regions that write 3/14 for the fourteenth of March

_DAY = rf"(?P<weekday>{'|'.join(WEEKDAYS)})s?"
_MONTH = rf"(?P<month>{'|'.join(MONTH_NAMES)})"
_YEAR = r"(?P<year>(?:19|20)\d\d|(?:19|20) \d\d)"
_COUNT = r"(?P<count>\d{1,3}|a|an|a couple of|a few|half a)"
_UNIT = r"(?P<unit>day|week|month|year|fortnight)s?"
_TO_YEAR = rf"(?: (?:of |in )?{_YEAR}(?!\d|[:.]))?"


@dataclass(frozen=True, slots=True)
class Day:
    """A day found in plain words, which are left `without` it."""

    day: date
    without: str
    sure: bool = True
    weekly: bool = False


class NoSuchDay(ValueError):
    """The thirtieth of February."""


def find_day(text: str, today: date, region: str = "") -> Day | None:
    """The day that words in plain form name; raises NoSuchDay."""
    for pattern, read in _PATTERNS:
        if match := pattern.search(text):
            try:
                day = read(match, today, region)
            except (ValueError, OverflowError) as error:
                raise NoSuchDay from error
            if day is not None:
                without = f"{text[: match.start()]} , {text[match.end() :]}"
                return Day(day.day, without, sure=day.sure, weekly=day.weekly)
    return None


def _found(day: date, *, sure: bool = True, weekly: bool = False) -> Day:
    return Day(day, "", sure, weekly)


def _year(text: str) -> int:
    return int(text.replace(" ", ""))


def _in_year(month: int, day: int, year: str | None, today: date) -> Day:
    """The next such day, today included, where no year was told."""
    if year:
        return _found(date(_year(year), month, day))
    for ahead in range(9):  # a leap day may be eight years away
        if calendar.monthrange(today.year + ahead, month)[1] >= day:
            found = date(today.year + ahead, month, day)
            if found >= today:
                return _found(found, sure=(found - today).days < FAR_DAYS)
    raise ValueError(f"no day {day} in month {month}")


def _of_month(match: re.Match[str], today: date, region: str) -> Day | None:
    return _in_year(MONTH_NAMES.index(match["month"]) + 1, int(match["day"]), match["year"], today)


def _iso(match: re.Match[str], today: date, region: str) -> Day | None:
    return _found(date(int(match["y"]), int(match["m"]), int(match["d"])))


def _in_numbers(match: re.Match[str], today: date, region: str) -> Day | None:
    first, second = int(match["first"]), int(match["second"])
    month, day = (first, second) if region in _MONTH_FIRST else (second, first)
    plain = month == day or max(month, day) > 12
    if month > 12:
        month, day = day, month
    year = match["year"]
    if year and len(year) == 2:  # "85" was, "30" will be
        century = today.year // 100 * 100
        year = str(century + int(year) - (100 if century + int(year) > today.year + 10 else 0))
    found = _in_year(month, day, year, today)
    return _found(found.day, sure=found.sure and plain)


def _near(match: re.Match[str], today: date, region: str) -> Day | None:
    ahead = {"yesterday": -1, "tomorrow": 1, "day after tomorrow": 2, "day before yesterday": -2}
    return _found(today + timedelta(days=ahead.get(match["near"], 0)))


def _after(start: date, count: str, unit: str) -> date:
    number = {"a": 1, "an": 1, "a couple of": 2}.get(count) or int(count)
    if unit in ("day", "week", "fortnight"):
        return start + timedelta(days=number * {"day": 1, "week": 7, "fortnight": 14}[unit])
    months = start.month - 1 + number * (12 if unit == "year" else 1)
    year, month = start.year + months // 12, months % 12 + 1
    return date(year, month, min(start.day, calendar.monthrange(year, month)[1]))


def _weeks_and_days(match: re.Match[str], today: date, region: str) -> Day | None:
    if match["count"] in ("a few", "half a"):
        return None
    groups = match.groupdict()
    start = today + timedelta(days=1) if groups.get("near") == "tomorrow" else today
    if groups.get("weekday"):
        start = coming(match["weekday"], today)
    if groups.get("ago"):
        if match["unit"] in ("month", "year"):
            number = {"a": 1, "an": 1, "a couple of": 2}.get(match["count"]) or int(match["count"])
            return _found(_after(today, str(-number), match["unit"]))
        return _found(today - (_after(today, match["count"], match["unit"]) - today))
    return _found(_after(start, match["count"], match["unit"]))


def coming(weekday: str, today: date) -> date:
    """The next such weekday, today included."""
    return today + timedelta(days=(WEEKDAYS.index(weekday) - today.weekday()) % 7)


def _weekday(match: re.Match[str], today: date, region: str) -> Day | None:
    day = coming(match["weekday"], today)
    return _found(day, sure=day != today, weekly=True)


def _this_weekday(match: re.Match[str], today: date, region: str) -> Day | None:
    return _found(coming(match["weekday"], today))


def _last_weekday(match: re.Match[str], today: date, region: str) -> Day | None:
    return _found(coming(match["weekday"], today) - timedelta(days=7))


def _weekday_in_a_week(match: re.Match[str], today: date, region: str) -> Day | None:
    return _found(coming(match["weekday"], today) + timedelta(days=7))


def _next_weekday(match: re.Match[str], today: date, region: str) -> Day | None:
    """That of next week; to some, the next to come, where this is another one."""
    monday = today - timedelta(days=today.weekday())
    day = monday + timedelta(days=7 + WEEKDAYS.index(match["weekday"]))
    return _found(day, sure=(day - today).days <= 7)


def _weekday_of_week(match: re.Match[str], today: date, region: str) -> Day | None:
    monday = today - timedelta(days=today.weekday())
    weeks = {"this": 0, "next": 1, "following": 1}[match["which"]]
    return _found(monday + timedelta(days=7 * weeks + WEEKDAYS.index(match["weekday"])))


def _two_weeks_on(match: re.Match[str], today: date, region: str) -> Day | None:
    monday = today - timedelta(days=today.weekday())
    return _found(monday + timedelta(days=14 + WEEKDAYS.index(match["weekday"])))


def _day_of_month(match: re.Match[str], today: date, region: str) -> Day | None:
    """ "The 21st": the next one; "the first of next month", "the last day of the month"."""
    which = match.groupdict().get("which") or ""
    first = today.replace(day=1)
    if which == "next":
        first = _after(first, "1", "month")
    if not match.groupdict().get("day"):
        return _found(date(first.year, first.month, calendar.monthrange(first.year, first.month)[1]))
    wanted = int(match["day"])
    if which:
        return _found(first.replace(day=wanted))
    for _ in range(12):
        if calendar.monthrange(first.year, first.month)[1] >= wanted:
            found = first.replace(day=wanted)
            if found >= today:
                weekday = match.groupdict().get("weekday")
                return _found(found, sure=weekday is None or WEEKDAYS[found.weekday()] == weekday)
        first = _after(first, "1", "month")
    raise ValueError(f"no day {wanted} in any month")


_Read = Callable[[re.Match[str], date, str], Day | None]
_NEAR = r"(?P<near>today|now|tomorrow)"
_BEFORE = rf"(?:(?:next |this )?{_DAY} ?)?(?:the )?"
_NO_TIME = r"(?! (?:am|pm|o'clock)\b|[:.]\d)"
# Tried in order; the first that fits tells the day.
_PATTERNS: tuple[tuple[re.Pattern[str], _Read], ...] = tuple(
    (re.compile(rf"(?<![\w:./-])(?:on )?{pattern}(?![\w:/-])", re.ASCII), read)
    for pattern, read in (
        (r"(?P<y>(?:19|20)\d\d)-(?P<m>\d\d?)-(?P<d>\d\d?)", _iso),
        (r"(?P<first>\d\d?)[/-](?P<second>\d\d?)(?:[/-](?P<year>(?:19|20)\d\d|\d\d))?", _in_numbers),
        (r"(?P<first>\d\d?)\.(?P<second>\d\d?)\.(?P<year>(?:19|20)\d\d|\d\d)", _in_numbers),
        (rf"{_BEFORE}(?P<day>\d\d?)(?:th(?: day)?(?: of)?| of) {_MONTH}{_TO_YEAR}", _of_month),
        (rf"(?:{_DAY} )?{_MONTH} (?:the )?(?P<day>\d\d?)(?:th)?{_NO_TIME}{_TO_YEAR}", _of_month),
        (rf"{_BEFORE}(?P<day>\d\d?) {_MONTH}{_TO_YEAR}", _of_month),
        (rf"(?P<first>\d\d?) (?P<second>\d\d?) {_YEAR}", _in_numbers),
        (r"^(?P<first>\d\d?) (?P<second>\d\d?) (?P<year>\d\d)$", _in_numbers),
        (r"(?P<first>0\d|1[0-2]) (?P<second>[0-3]\d) (?P<year>\d\d)", _in_numbers),
        (r"(?P<first>\d\d)(?P<second>\d\d)(?P<year>(?:19|20)\d\d)", _in_numbers),
        (r"(?:the )?(?P<near>day after tomorrow|day before yesterday)", _near),
        (rf"{_COUNT} {_UNIT} (?:from|after|on) (?:{_NEAR}|{_DAY})", _weeks_and_days),
        (rf"(?:{_NEAR} )?in {_COUNT} {_UNIT}", _weeks_and_days),
        (rf"{_COUNT} {_UNIT} (?P<ago>ago)", _weeks_and_days),
        (rf"(?P<which>this|next|following) week (?:on )?{_DAY}", _weekday_of_week),
        (rf"{_DAY} (?:of )?(?:the )?(?P<which>this|next|following) week", _weekday_of_week),
        (rf"{_DAY} (?:the )?week after next", _two_weeks_on),
        (rf"{_DAY} (?:after next|(?:in a )?week)", _weekday_in_a_week),
        (r"(?:the )?(?:last(?: day)?|end) of (?:the|(?P<which>this|next)) month", _day_of_month),
        (rf"{_BEFORE}(?P<day>\d\d?)th(?: (?:day )?of (?:the )?(?P<which>this|next) month)?", _day_of_month),
        (rf"next {_DAY}", _next_weekday),
        (rf"last {_DAY}", _last_weekday),
        (rf"this (?:coming )?{_DAY}", _this_weekday),
        (_DAY, _weekday),
        (r"(?P<near>today|tonight|tomorrow|yesterday)", _near),
        (r"(?P<near>this)(?= (?:morning|afternoon|evening)\b)", _near),
    )
)
