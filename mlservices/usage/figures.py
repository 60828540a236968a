"""Figures of usage, from the sums of days (`UsageDay`), whose days are of UTC; of a call from its rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Count, Q, QuerySet, Sum

from ..models.usage import NOT_SERVED, UNITS, Outcome, Service, UsageDay, UsageRow, unit_words

PERIODS = {"7-days": 7, "30-days": 30, "90-days": 90}
SUMS = ("requests", "failed", "refused", "degraded", "estimated", "amount", "latency_ms", "cost")
OF_DAYS = {name: Sum(name) for name in SUMS}
OF_ROWS = {
    "requests": Count("pk"),
    "failed": Count("pk", filter=Q(outcome=Outcome.FAILED)),
    "refused": Count("pk", filter=Q(outcome=Outcome.REFUSED)),
    "degraded": Count("pk", filter=Q(degraded=True) & ~Q(outcome__in=NOT_SERVED)),
    "estimated": Count("pk", filter=Q(estimated=True)),
    "amount": Sum("amount"),
    "latency_ms": Sum("latency_ms"),
    "cost": Sum("cost"),
}


@dataclass(frozen=True, slots=True)
class Period:
    key: str
    since: date
    until: date  # with it

    @classmethod
    def of(cls, key: str, today: date) -> Period:
        """The first of PERIODS for a key that is none."""
        key = key if key in PERIODS else next(iter(PERIODS))
        return cls(key, today - timedelta(days=PERIODS[key] - 1), today)

    @property
    def days(self) -> list[date]:
        return [self.since + timedelta(days=number) for number in range((self.until - self.since).days + 1)]


@dataclass(frozen=True, slots=True)
class Sums:
    requests: int = 0
    failed: int = 0
    refused: int = 0
    degraded: int = 0
    estimated: int = 0
    amount: float = 0.0
    latency_ms: int = 0
    cost: Decimal = Decimal(0)

    @classmethod
    def read(cls, row: Mapping[str, Any]) -> Sums:
        sums: dict[str, Any] = {name: row[name] or 0 for name in SUMS}
        return cls(**sums)

    @property
    def failed_share(self) -> float:
        """Of the requests that could have been served."""
        able = self.requests - self.refused
        return self.failed / able if able else 0.0

    @property
    def mean_ms(self) -> float | None:
        return self.latency_ms / self.requests if self.requests else None


@dataclass(frozen=True, slots=True)
class Part:
    """Usage of one engine, or one key."""

    name: str
    service: str
    sums: Sums

    @property
    def service_label(self) -> str:
        return str(Service(self.service).label)

    @property
    def unit_label(self) -> str:
        return unit_words(UNITS[Service(self.service)], self.sums.amount)


@dataclass(frozen=True, slots=True)
class OfEngine:
    """What a call asked one engine for; `answered` are tokens, of those in `amount`."""

    service: str
    engine: str
    requests: int
    failed: int
    degraded: int
    estimated: int
    amount: float
    answered: int
    cost: Decimal

    @property
    def unit(self) -> str:
        return UNITS[Service(self.service)]


@dataclass(frozen=True, slots=True)
class Column:
    """A day of the chart: requests by service, from the bottom up; `height` of the highest day's, 0..100."""

    day: date
    requests: int
    height: float
    series: dict[str, int]


def rows_of(period: Period) -> QuerySet[UsageDay]:
    return UsageDay.objects.filter(day__range=(period.since, period.until))


def totals(rows: QuerySet[UsageDay]) -> Sums:
    return Sums.read(rows.aggregate(**OF_DAYS))


def of_call(call: UUID) -> Sums:
    """While its rows are kept."""
    return Sums.read(UsageRow.objects.filter(call=call).aggregate(**OF_ROWS))


def engines_of_call(call: UUID) -> list[OfEngine]:
    """The same by engine."""
    names = [field.name for field in fields(OfEngine)]
    rows = UsageRow.objects.filter(call=call).values("service", "engine").order_by("service", "engine")
    summed: Iterable[dict[str, Any]] = rows.annotate(**OF_ROWS, answered=Sum("answered")).values(*names)
    return [OfEngine(**row) for row in summed]


def by_engine(rows: QuerySet[UsageDay]) -> list[Part]:
    """The most used first."""
    sums = rows.values("service", "engine").annotate(**OF_DAYS)
    return [
        Part(row["engine"], row["service"], Sums.read(row)) for row in sums.order_by("-requests", "engine")
    ]


def by_key(rows: QuerySet[UsageDay]) -> list[tuple[str, Sums]]:
    """What each API key asked for; the calls' own requests have none."""
    sums = rows.exclude(key="").values("key").annotate(**OF_DAYS).order_by("-requests", "key")
    return [(row["key"], Sums.read(row)) for row in sums]


def columns(rows: QuerySet[UsageDay], period: Period) -> list[Column]:
    counted: dict[date, dict[str, int]] = {day: {} for day in period.days}
    for row in rows.values("day", "service").annotate(count=Sum("requests")):
        counted[row["day"]][row["service"]] = row["count"]
    most = max((sum(series.values()) for series in counted.values()), default=0)
    return [_column(day, series, most) for day, series in counted.items()]


def _column(day: date, series: dict[str, int], most: int) -> Column:
    requests = sum(series.values())
    ordered = {service: series[service] for service in Service.values if series.get(service)}
    return Column(day, requests, 100 * requests / most if most else 0.0, ordered)


def known_engines(parts: Sequence[Part]) -> list[str]:
    return sorted({part.name for part in parts})
