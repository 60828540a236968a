"""The one door between `Agent.facts`, a JSON column, and typed facts.

    [{"topic": "Parking", "answer": "...", "questions": ["where can I park", ...],
      "follow_up": "message", "urgent": true,
      "hours": {"timezone": "America/Halifax", "closed_on": ["2026-12-25"],
                "week": {"monday": [["08:00", "12:00"], ["13:00", "18:00"]], "sunday": [], ...}}}, ...]

Only `topic` is needed, and an `answer` or `hours`; after the day's hours an `answer` is said as a remark.
A day that `week` leaves out is closed. ["22:00", "02:00"] closes on the next day, ["18:00", "24:00"] at the
day's end.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time
from typing import Any, get_args
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from .flow.knowledge import WEEKDAYS, Fact, FollowUp, OpeningHours, Span

MOST_FACTS = 200
MOST_QUESTIONS = 40
LONGEST_TOPIC = 80
LONGEST_ANSWER = 600
LONGEST_QUESTION = 200

_END_OF_DAY = "24:00"
_FACT_KEYS = {"topic", "answer", "questions", "hours", "follow_up", "urgent"}
_HOURS_KEYS = {"timezone", "week", "closed_on"}


def read_facts(data: object) -> tuple[Fact, ...]:
    """Raises ValidationError that names the field: `facts[2].hours.week.monday[0]`."""
    items = _list(data, "facts", most=MOST_FACTS)
    facts = tuple(_fact(item, f"facts[{index}]") for index, item in enumerate(items))
    seen: set[str] = set()
    for index, fact in enumerate(facts):
        if topic_key(fact.topic) in seen:
            raise _wrong(
                f"facts[{index}].topic",
                _("“%(topic)s” is there twice; give each fact its own topic.") % {"topic": fact.topic},
            )
        seen.add(topic_key(fact.topic))
    return facts


def write_facts(facts: Iterable[Fact]) -> list[dict[str, Any]]:
    """The reverse of `read_facts`; what is at its default is left out."""
    return [_as_json(fact) for fact in facts]


def topic_key(topic: object) -> str:
    """What two spellings of one topic have in common."""
    return " ".join(str(topic).split()).lower()


def validate_facts(data: object) -> None:
    """A validator for the column and for forms."""
    read_facts(data)


def _wrong(field: str, remedy: str) -> ValidationError:
    # Its code is no code of a model field: for those the field has texts of its own.
    return ValidationError("%(field)s: %(remedy)s", code="facts", params={"field": field, "remedy": remedy})


def _fact(data: object, field: str) -> Fact:
    item = _object(data, field, known=_FACT_KEYS)
    hours = opening_hours(item["hours"], f"{field}.hours") if item.get("hours") is not None else None
    answer = _text(item.get("answer", ""), f"{field}.answer", longest=LONGEST_ANSWER)
    if not answer and hours is None:
        raise _wrong(f"{field}.answer", _("write what the agent is to say."))
    topic = _text(item.get("topic"), f"{field}.topic", longest=LONGEST_TOPIC)
    if not topic:
        raise _wrong(f"{field}.topic", _("name it in one to three words."))
    questions = _list(item.get("questions", []), f"{field}.questions", most=MOST_QUESTIONS)
    texts = [
        _text(text, f"{field}.questions[{at}]", longest=LONGEST_QUESTION) for at, text in enumerate(questions)
    ]
    follow_up = item.get("follow_up", "none")
    if follow_up not in get_args(FollowUp):
        raise _wrong(
            f"{field}.follow_up", _("use one of %(known)s.") % {"known": ", ".join(get_args(FollowUp))}
        )
    urgent = item.get("urgent", False)
    if not isinstance(urgent, bool):
        raise _wrong(f"{field}.urgent", _("use true or false."))
    return Fact(topic, answer, tuple(filter(None, texts)), hours, follow_up, urgent)


def opening_hours(data: object, field: str) -> OpeningHours:
    """Of {"timezone": ..., "week": {"monday": [["08:00", "18:00"]]}, "closed_on": [...]}. Raises
    ValidationError."""
    item = _object(data, field, known=_HOURS_KEYS)
    week = _object(item.get("week"), f"{field}.week", known=set(WEEKDAYS))
    closed_on = _list(item.get("closed_on", []), f"{field}.closed_on", most=366)
    return OpeningHours(
        week=tuple(_day(week.get(name, []), f"{field}.week.{name}") for name in WEEKDAYS),
        zone=_zone(item.get("timezone"), f"{field}.timezone"),
        closed_on=frozenset(_date(day, f"{field}.closed_on[{at}]") for at, day in enumerate(closed_on)),
    )


def _day(data: object, field: str) -> tuple[Span, ...]:
    spans: list[Span] = []
    for at, item in enumerate(_list(data, field, most=6)):
        pair = _list(item, f"{field}[{at}]", most=2)
        if len(pair) != 2:
            raise _wrong(f"{field}[{at}]", _('use two times, like ["08:00", "18:00"].'))
        if pair[0] == _END_OF_DAY:
            raise _wrong(f"{field}[{at}][0]", _("a day begins at 00:00; 24:00 is its end."))
        span = Span(*(_time(value, f"{field}[{at}][{which}]") for which, value in enumerate(pair)))
        if span.opens == span.closes and pair != ["00:00", _END_OF_DAY]:
            raise _wrong(f"{field}[{at}]", _("it opens and closes at once; all day is 00:00-24:00."))
        if spans and not (spans[-1].same_day and spans[-1].closes <= span.opens):
            raise _wrong(f"{field}[{at}]", _("it must open after the span before it has closed."))
        spans.append(span)
    return tuple(spans)


def _zone(value: object, field: str) -> ZoneInfo:
    try:
        return ZoneInfo(str(value))
    except (KeyError, ValueError, OSError):
        raise _wrong(field, _("use a time zone like Europe/London.")) from None


def _time(value: object, field: str) -> time:
    if value == _END_OF_DAY:
        return time(0)
    try:
        return datetime.strptime(str(value), "%H:%M").time()
    except ValueError:
        raise _wrong(field, _("use a time of day like 08:30.")) from None


def _date(value: object, field: str) -> date:
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise _wrong(field, _("use a date like 2026-12-25.")) from None


def _text(value: object, field: str, *, longest: int) -> str:
    if not isinstance(value, str):
        raise _wrong(field, _("write a text."))
    text = " ".join(value.split())
    if len(text) > longest:
        raise _wrong(field, _("at most %(most)d characters.") % {"most": longest})
    return text


def _list(value: object, field: str, *, most: int) -> list[Any]:
    if not isinstance(value, list):
        raise _wrong(field, _("use a list."))
    if len(value) > most:
        raise _wrong(field, _("at most %(most)d entries.") % {"most": most})
    return value


def _object(value: object, field: str, *, known: set[str]) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _wrong(field, _("use an object with %(known)s.") % {"known": ", ".join(sorted(known))})
    if unknown := sorted(set(value) - known):
        raise _wrong(
            f"{field}.{unknown[0]}", _("is not known; use %(known)s.") % {"known": ", ".join(sorted(known))}
        )
    return value


def _closing(span: Span) -> str:
    return f"{span.closes:%H:%M}" if span.closes > time(0) else _END_OF_DAY


def _as_json(fact: Fact) -> dict[str, Any]:
    item: dict[str, Any] = {"topic": fact.topic, "answer": fact.answer, "questions": list(fact.questions)}
    if fact.hours:
        item["hours"] = {
            "timezone": fact.hours.zone.key,
            "week": {
                name: [[f"{span.opens:%H:%M}", _closing(span)] for span in spans]
                for name, spans in zip(WEEKDAYS, fact.hours.week, strict=True)
            },
            "closed_on": sorted(day.isoformat() for day in fact.hours.closed_on),
        }
    if fact.follow_up != "none":
        item["follow_up"] = fact.follow_up
    if fact.urgent:
        item["urgent"] = True
    return item
