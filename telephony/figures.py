"""Figures about calls, each computed from rows.

A period is whole days of the current time zone, so that the history, asked `from` and `to` the same days,
lists exactly the calls that are counted here.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from statistics import median
from typing import Any

from django.db.models import Case, Count, F, Value, When, Window
from django.db.models.functions import RowNumber
from django.utils import timezone

from agents.listing import FIGURES

from .models import Call, CallEvent, MeasuredTurn

CALLS_SAMPLED_OF_AGENT = 50
BIN_MS = 10  # response times are told to within so many milliseconds
NEWEST_FAILURES = 5

Outcome = Call.Outcome
# What the columns of the chart are made of, from the bottom up.
SERIES: dict[str, tuple[Outcome, ...]] = {
    "handled": Call.HANDLED,
    "person": (Outcome.TRANSFERRED, Outcome.ELSEWHERE, Outcome.HELPED, Outcome.STOPPED),
    "failed": (Outcome.FAILED, Outcome.CUT_OFF, Outcome.TOO_LONG, Outcome.FELL_SILENT),
    "silent": (Outcome.SILENT,),
    "unanswered": (Outcome.NO_ANSWER, Outcome.BUSY, Outcome.CANCELED),
    "live": (Outcome.LIVE,),
}


# ---- periods ------------------------------------------------------------------------------------

PERIODS = {"today": 1, "7-days": 7, "30-days": 30}


@dataclass(frozen=True, slots=True)
class Period:
    """Whole days up to today, cut at `edges` into hours (of one day) or days."""

    key: str
    since: date
    until: date
    edges: tuple[datetime, ...]  # in UTC; the last is the first moment that is too late

    @classmethod
    def of(cls, key: str) -> Period:
        """`today`, `7-days` or `30-days`; today for what is none."""
        key = key if key in PERIODS else "today"
        today = timezone.localdate()
        days = [today - timedelta(days=back) for back in reversed(range(PERIODS[key]))]
        edges = [_midnight(day) for day in [*days, today + timedelta(days=1)]]
        if len(days) == 1:
            hours = round((edges[1] - edges[0]).total_seconds() / 3600)  # 23 or 25 when clocks change
            edges = [edges[0] + timedelta(hours=hour) for hour in range(hours)] + edges[1:]
        return cls(key, days[0], today, tuple(edges))

    @property
    def by_hour(self) -> bool:
        return self.since == self.until

    @property
    def parts(self) -> list[datetime]:
        """Where each hour or day begins, in the current time zone."""
        return [timezone.localtime(edge) for edge in self.edges[:-1]]


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min)).astimezone(UTC)


def _part(moment: str, ends: Sequence[datetime], first: int = 0) -> Case | Value:
    """The number of the part that a moment falls into, by halving. It only compares: a database's own
    functions for days are slow (SQLite calls Python for each row), and their days need not be ours."""
    if len(ends) == 1:
        return Value(first)
    half = len(ends) // 2
    before = When(**{f"{moment}__lt": ends[half - 1]}, then=_part(moment, ends[:half], first))
    return Case(before, default=_part(moment, ends[half:], first + half))


# ---- calls --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Part:
    """The calls of one hour or day, by outcome."""

    begins: datetime
    outcomes: Mapping[str, int]

    @property
    def calls(self) -> int:
        return sum(self.outcomes.values())

    @property
    def series(self) -> dict[str, int]:
        return {name: sum(self.outcomes.get(each, 0) for each in group) for name, group in SERIES.items()}


@dataclass(frozen=True, slots=True)
class Calls:
    parts: list[Part]
    outcomes: Counter[str] = field(default_factory=Counter)

    @property
    def all(self) -> int:
        return self.outcomes.total()

    @property
    def handled(self) -> int:
        """The caller spoke, and the call ended by caller or agent, without a person: neither transferred
        nor ended by an operator, nor failed."""
        return self._of("handled")

    @property
    def answered(self) -> int:
        """Over, and taken by an agent; without those in which the caller said nothing, of which no agent
        can make anything."""
        return self._of("handled") + self._of("person") + self._of("failed")

    @property
    def handled_share(self) -> float | None:
        return self.handled / self.answered if self.answered else None

    def _of(self, series: str) -> int:
        return sum(self.outcomes[each] for each in SERIES[series])


def calls_of(period: Period) -> Calls:
    """One query, answered by an index alone (which is why it counts rows and not their keys)."""
    rows = (
        Call.objects.filter(created_at__gte=period.edges[0], created_at__lt=period.edges[-1])
        .order_by()
        .annotate(part=_part("created_at", period.edges[1:]))
        .values_list("part", "outcome")
        .annotate(calls=Count("*"))
    )
    counted: dict[int, dict[str, int]] = defaultdict(dict)
    for part, outcome, count in rows:
        counted[part][outcome] = count
    parts = [Part(begins, counted[number]) for number, begins in enumerate(period.parts)]
    return Calls(parts, sum((Counter(part.outcomes) for part in parts), Counter()))


# ---- response times -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ResponseTime:
    """How long callers waited for an answer, in milliseconds, rounded to BIN_MS; None where nothing was
    measured."""

    turns: int
    median: float | None
    p95: float | None
    # of each hour or day
    medians: list[float | None] = field(default_factory=list)
    p95s: list[float | None] = field(default_factory=list)


def response_time(period: Period) -> ResponseTime:
    """Of all turns of the period's calls: the database rounds each and counts how often it was measured,
    which are a few thousand numbers however many turns there were. The whole and its parts are read from
    the same counts, so that no two figures of a page differ by their rounding."""
    turns = MeasuredTurn.objects.filter(began__gte=period.edges[0], began__lt=period.edges[-1]).order_by()
    half = F("milliseconds") + BIN_MS // 2
    rounded = turns.annotate(part=_part("began", period.edges[1:]), rounded=half - half % BIN_MS)
    by_part: dict[int, Counter[int]] = defaultdict(Counter)
    for part, milliseconds, count in rounded.values_list("part", "rounded").annotate(count=Count("*")):
        by_part[part][milliseconds] = count
    parts = [by_part[number] for number in range(len(period.parts))]
    counted = sum(parts, Counter[int]())
    return ResponseTime(
        sum(counted.values()),
        percentile(counted, 0.5),
        percentile(counted, 0.95),
        [percentile(part, 0.5) for part in parts],
        [percentile(part, 0.95) for part in parts],
    )


def percentile(counted: Mapping[int, int], share: float) -> float | None:
    """The smallest value that at least this share of all do not exceed; `counted` is how often each is
    there."""
    rest = sum(counted.values()) * share
    for value in sorted(counted):
        rest -= counted[value]
        if rest <= 1e-9:
            return value
    return None


# ---- failures of engines ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Failure:
    call: Call
    at: datetime
    engine: str
    remedy: str
    error: str


@dataclass(frozen=True, slots=True)
class Failures:
    """`retried` ones were mended before the caller noticed."""

    by_engine: list[tuple[str, int, int]]  # engine, failures, calls
    retried: int
    newest: list[Failure]

    @property
    def all(self) -> int:
        return sum(count for _, count, _ in self.by_engine)


def engine_failures(period: Period) -> Failures:
    failed = CallEvent.objects.filter(
        kind="engine_failed", at__gte=period.edges[0], at__lt=period.edges[-1]
    ).order_by()
    by_engine = failed.values_list("payload__engine").annotate(Count("pk"), Count("call", distinct=True))
    newest = failed.select_related("call__agent").defer("call__card").order_by("-at")[:NEWEST_FAILURES]
    return Failures(
        sorted(by_engine, key=lambda row: -row[1]),
        failed.filter(payload__remedy="retried").count(),
        [_failure(row) for row in newest],
    )


def _failure(row: CallEvent) -> Failure:
    told: dict[str, Any] = row.payload
    return Failure(row.call, row.at, told["engine"], told["remedy"], told["error"])


# ---- agents -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Usage:
    agent: str  # slug
    calls: int
    median_ms: float | None


def usage_of(slugs: Sequence[str], days: int = 7) -> list[Usage]:
    """Calls of each agent in the last days, and the median response of its newest ones; from an index alone.

    These are sampled for each agent, so that its figure does not depend on which others are asked for.
    """
    since = timezone.now() - timedelta(days=days)
    calls = Call.objects.filter(agent__slug__in=slugs, created_at__gte=since).order_by()
    counts = dict(calls.values_list("agent__slug").annotate(calls=Count("*")))
    place = Window(RowNumber(), partition_by="agent", order_by="-created_at")
    measured = calls.filter(response_ms__isnull=False).annotate(place=place)
    newest = measured.filter(place__lte=CALLS_SAMPLED_OF_AGENT)
    responses: dict[str, list[Any]] = {slug: [] for slug in slugs}
    for slug, milliseconds in newest.values_list("agent__slug", "response_ms"):
        responses[slug].append(milliseconds)
    medians = {slug: median(each) for slug, each in responses.items() if each}
    return [Usage(slug, counts.get(slug, 0), medians.get(slug)) for slug in slugs]


def calls_figure(slugs: Sequence[str]) -> dict[str, float]:
    """For the order of the agents' list: calls of each agent that had some."""
    return {usage.agent: usage.calls for usage in usage_of(slugs) if usage.calls}


def response_figure(slugs: Sequence[str]) -> dict[str, float]:
    return {usage.agent: usage.median_ms for usage in usage_of(slugs) if usage.median_ms is not None}


FIGURES.update(calls=calls_figure, response=response_figure)
