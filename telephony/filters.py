"""What a list of calls is asked for, read from its address and written back into it."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.db import connection
from django.db.models import F, Q, QuerySet
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from agents.models import Agent
from mlservices.days import day_of

from .models import Call
from .search import Search

LONGEST_WORDS = 200
LONGEST_SECONDS = 24 * 3600
LONGEST_NAME, LONGEST_VALUE = 30, 60  # of what was not understood, letters that are told

HANDLED = "handled"  # stands for the outcomes of Call.HANDLED
OUTCOMES: dict[str, Any] = {HANDLED: _("Handled without a person"), **dict(Call.Outcome.choices)}
NEWEST = "started"
# Order: (fields, the field that a call must have to stand in it)
SORTS: dict[str, tuple[tuple[str, ...], str]] = {
    NEWEST: (("-created_at",), ""),
    "oldest": (("created_at",), ""),
    "duration": (("-duration_seconds", "-created_at"), "duration_seconds"),
    "shortest": (("duration_seconds", "created_at"), "duration_seconds"),
    "response": (("-response_ms", "-created_at"), "response_ms"),
    "fastest": (("response_ms", "created_at"), "response_ms"),
}
_NAMES = {"words": "q", "since": "from", "until": "to"}  # others are called in the address as here
_NO_FILTERS = ("page", "columns")  # what else a list's address holds


@dataclass(frozen=True, slots=True)
class Filters:
    """Nothing set: all calls. Days are those of the current time zone; both ends belong to the list."""

    words: str = ""
    number: str = ""
    agent: str = ""  # slug
    outcome: str = ""
    direction: str = ""
    tag: str = ""  # name
    longer: int | None = None  # seconds, at least
    shorter: int | None = None  # seconds, at most
    slow: bool = False
    since: date | None = None
    until: date | None = None
    sort: str = NEWEST

    @classmethod
    def read(cls, query: QueryDict) -> Filters:
        """What makes no sense is left out; `misread` tells what that was."""

        def text(name: str) -> str:
            return query.get(name, "").replace("\0", "").strip()[:LONGEST_WORDS]

        def one_of(name: str, known: Sequence[str], default: str = "") -> str:
            return text(name) if text(name) in known else default

        return cls(
            words=text("q"),
            number=text("number"),
            agent=text("agent"),
            outcome=one_of("outcome", list(OUTCOMES)),
            direction=one_of("direction", Call.Direction.values),
            tag=text("tag"),
            longer=_seconds(text("longer")),
            shorter=_seconds(text("shorter")),
            slow=text("slow") == "1",
            since=day_of(text("from")),
            until=day_of(text("to")),
            sort=one_of("sort", list(SORTS), NEWEST),
        )

    def without(self, *names: str) -> Filters:
        defaults: dict[str, Any] = {
            field.name: field.default for field in fields(self) if field.name in names
        }
        return replace(self, **defaults)

    def as_query(self, **more: object) -> str:
        """As the part of an address after the question mark, in one order; what is not set is left out."""
        asked = {name: "1" if value is True else str(value) for name, value in self.given().items()}
        return urlencode(asked | {name: str(value) for name, value in more.items() if value})

    def given(self) -> dict[str, Any]:
        """What is set, by its name in the address."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        defaults = {field.name: field.default for field in fields(self)}
        return {_NAMES.get(name, name): value for name, value in values.items() if value != defaults[name]}

    @property
    def asks(self) -> bool:
        return self.without("sort") != Filters()

    @property
    def asks_words(self) -> bool:
        return bool(self.words or self.number)

    @property
    def begins(self) -> datetime | None:
        return _midnight(self.since) if self.since else None

    @property
    def ends(self) -> datetime | None:
        """The first moment that is too late."""
        return _midnight(self.until + timedelta(days=1)) if self.until else None

    @property
    def search(self) -> Search:
        return Search(words=self.words, number=self.number, since=self.begins, until=self.ends)

    @property
    def asks_words_alone(self) -> bool:
        """Or days besides; then the texts by themselves tell which calls are on a page."""
        return self.asks_words and not self.without("words", "number", "since", "until", "sort").asks

    def calls(self) -> QuerySet[Call]:
        """In their order; by everything but words, which `hits` finds."""
        calls = Call.objects.filter(*self._conditions())
        order, needed = SORTS[self.sort]
        if needed:
            calls = calls.filter(**{f"{needed}__isnull": False})
        return calls.order_by(*order, F("pk").desc())

    def _conditions(self) -> list[Q]:
        asked = {
            "agent": _key_of_agent(self.agent) if self.agent else None,
            "outcome__in": Call.HANDLED if self.outcome == HANDLED else self.outcome and [self.outcome],
            "direction": self.direction,
            "tags__name__iexact": self.tag,
            "duration_seconds__gte": self.longer,
            "duration_seconds__lte": self.shorter,
            "created_at__gte": self.begins,
            "created_at__lt": self.ends,
        }
        found = [Q(**{name: value}) for name, value in asked.items() if value is not None and value != ""]
        return [*found, Q(slow_turns__gt=0)] if self.slow else found


NAMES = [_NAMES.get(field.name, field.name) for field in fields(Filters)]  # in the address


@dataclass(frozen=True, slots=True)
class Misread:
    """A part of an address that its filters leave out."""

    name: str
    value: str


def misread(query: QueryDict, agents: Collection[str], tags: Collection[str]) -> list[Misread]:
    """What makes no sense in an address; `agents` (slugs) and `tags` (names) are those there are."""
    read = Filters.read(query)
    held = {
        name: getattr(read, field.name) != field.default
        for name, field in zip(NAMES, fields(Filters), strict=True)
    }
    held |= {
        "q": True,
        "number": True,
        "agent": read.agent in agents,
        "tag": read.tag.casefold() in map(str.casefold, tags),
    }
    given = {name: str(value).strip() for name, value in query.items() if name not in _NO_FILTERS}
    held["sort"] = given.get("sort") == read.sort
    held["slow"] = given.get("slow") in ("0", "1")
    return [
        Misread(name[:LONGEST_NAME], value[:LONGEST_VALUE])
        for name, value in given.items()
        if value and not held.get(name)
    ]


def among(calls: QuerySet[Call], ids: Sequence[UUID]) -> QuerySet[Call]:
    """Those of `calls` that are named: thousands of ids as one value, which both databases look up one
    by one (a list of so many parameters SQLite refuses, and PostgreSQL plans as long as it runs)."""
    if connection.vendor == "postgresql":
        return calls.extra(where=["telephony_call.id = ANY(%s)"], params=[list(ids)])
    named = json.dumps([call_id.hex for call_id in ids])
    return calls.extra(where=["telephony_call.id IN (SELECT value FROM json_each(%s))"], params=[named])


def _key_of_agent(slug: str) -> int:
    """By which PostgreSQL knows how many calls there are; behind a join it would look for few among all."""
    return Agent.objects.filter(slug=slug).values_list("pk", flat=True).first() or 0


def _seconds(text: str) -> int | None:
    """ "90", "1:30" and "0:01:30" alike."""
    parts = text.split(":")
    if len(parts) > 3 or not all(part.isascii() and part.isdigit() for part in parts):
        return None
    return min(sum(int(part) * 60**place for place, part in enumerate(reversed(parts))), LONGEST_SECONDS)


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
