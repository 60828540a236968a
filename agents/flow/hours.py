"""Opening hours in words, for the day that the caller asks about."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from itertools import groupby

from .hearing import plain
from .knowledge import WEEKDAYS, Fact, OpeningHours, Span
from .wording import clock, listed

_WEEKDAY = re.compile(rf"\b({'|'.join(WEEKDAYS)})s?\b")
_NOW = re.compile(
    r"\b(?:now|right now|currently|at the moment|still open|open yet|already open|still there)\b"
)
_TODAY = re.compile(r"\b(?:today|tonight|this (?:morning|afternoon|evening))\b")
_ALL_DAY = (Span(time(0), time(0)),)


def is_about_a_day(words: str) -> bool:
    """Whether plain words ask about a certain day, or about now: "and on sunday"."""
    return bool(_NOW.search(words) or _asked_days(words, date.min))


def answer_of(fact: Fact, words: str, now: datetime) -> str:
    """What a fact answers to a caller's words; one with opening hours tells those of the day asked about,
    and its own words beside them where no day was asked about."""
    if fact.hours is None:
        return fact.answer
    text = plain(words)
    remark = "" if is_about_a_day(text) else fact.answer
    return f"{answer(fact.hours, text, now)} {remark}".strip()


def answer(hours: OpeningHours, words: str, now: datetime) -> str:
    """What to tell a caller who asked, in plain words, when there is somebody in."""
    local = hours.local(now)
    today = local.date()
    days = _asked_days(words, today)
    if _NOW.search(words):
        return _at_this_moment(hours, local)
    if len(days) == 1:
        return _on_one_day(hours, days[0], local)
    if days:
        return " ".join(_on_one_day(hours, day, local) for day in days)
    return f"{weekly(hours)} {_at_this_moment(hours, local)}"


def weekly(hours: OpeningHours) -> str:
    """The whole week: "We're open Monday to Friday from 8 am to 6 pm. We're closed on Sunday." """
    if set(hours.week) == {_ALL_DAY}:
        return "We're open around the clock, every day."
    spoken = []
    closed = [name.capitalize() for name, spans in zip(WEEKDAYS, hours.week, strict=True) if not spans]
    for spans, run in groupby(zip(WEEKDAYS, hours.week, strict=True), key=lambda day: day[1]):
        if spans:
            names = [name.capitalize() for name, _ in run]
            days = f"{names[0]} to {names[-1]}" if len(names) > 2 else listed(names)
            spoken.append(f"{days} {_from_to(spans)}")
    if not spoken:
        return "We're closed all week."
    closing = f" We're closed on {listed(closed)}." if closed else ""
    return f"We're open {listed(spoken, 'and on')}.{closing}"


def status(hours: OpeningHours, now: datetime) -> str:
    """Whether there is somebody in right now, and until or from when."""
    return _at_this_moment(hours, hours.local(now))


def _asked_days(words: str, today: date) -> list[date]:
    """The days that the words name; a weekday is the next one, today included."""
    days = []
    if _TODAY.search(words):
        days.append(today)
    if re.search(r"\bday after tomorrow\b", words):
        days.append(today + timedelta(days=2))
    elif re.search(r"\btomorrow\b", words):
        days.append(today + timedelta(days=1))
    named = [match[1] for match in _WEEKDAY.finditer(words)]
    if re.search(r"\bweekends?\b", words):
        named += ["saturday", "sunday"]
    for name in dict.fromkeys(named):
        days.append(today + timedelta(days=(WEEKDAYS.index(name) - today.weekday()) % 7))
    return list(dict.fromkeys(days))


def _from_to(spans: Sequence[Span]) -> str:
    if tuple(spans) == _ALL_DAY:
        return "around the clock"
    return listed([f"from {clock(span.opens)} to {clock(span.closes)}" for span in spans])


def _at_this_moment(hours: OpeningHours, local: datetime) -> str:
    until = hours.open_until(local)
    if until is None:
        return f"We're closed right now.{_next_opening(hours, local)}"
    return f"We're open right now{_until(until, local)}."


def _until(until: datetime, local: datetime) -> str:
    """With the day, where the time alone would be taken for a nearer one; nothing where it is far."""
    day = (until - timedelta(seconds=1)).date()  # midnight is the end of a day
    if until - local < timedelta(days=1):
        return f", until {clock(until.time())}"
    ahead = (day - local.date()).days
    if ahead > 6:
        return ""
    name = "tomorrow" if ahead == 1 else WEEKDAYS[day.weekday()].capitalize()
    return f", until {name} at {clock(until.time())}"


def _on_one_day(hours: OpeningHours, day: date, local: datetime) -> str:
    today = local.date()
    name, stretches = _day_name(day, today), hours.stretches(day)
    before = [closes for _opens, closes in hours.stretches(day - timedelta(days=1)) if closes > local]
    late = [closes for closes in map(hours.local, before) if closes.date() == day and closes.time() > time(0)]
    still = f"{_at_this_moment(hours, local)} " if late and day == today else ""
    if stretches and day == today and local >= stretches[-1][1]:
        return f"We were open today until {clock(hours.on(day)[-1].closes)}.{_next_opening(hours, local)}"
    if stretches:
        return f"{still}{name}, we're open {_from_to(hours.on(day))}."
    end = datetime.combine(day, time.max, tzinfo=local.tzinfo)
    closed = f"closed from {clock(late[-1].time())} on" if late else "closed"
    return f"{still}{name}, we're {closed}.{_next_opening(hours, end, today=today)}"


def _next_opening(hours: OpeningHours, local: datetime, today: date | None = None) -> str:
    """A sentence with a space before it, or nothing if no day of the next two weeks is open."""
    opens = hours.opens_next(local)
    if opens is None:
        return ""
    name = _day_name(opens.date(), today or local.date())
    name = name[0].lower() + name[1:]
    return f" We open again {name} at {clock(opens.time())}."


def _day_name(day: date, today: date) -> str:
    ahead = (day - today).days
    if ahead < 2:
        return "Tomorrow" if ahead else "Today"
    name = f"On {WEEKDAYS[day.weekday()].capitalize()}"
    return name if ahead < 7 else f"{name}, {day:%B} {day.day}"  # else it would be taken for a nearer one
