"""What keys were used for in the last days, of UTC, from `KeyUse`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db.models import IntegerField, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from mlservices.usage.figures import Column
from telephony.models import PlannedCall

from ..access.key_use import KEPT_DAYS
from ..models import ApiKey, KeyUse

DAYS = 30  # that pages and lists show, today included
LONGEST_DAYS = KEPT_DAYS
REFUSED = (401, 403, 429)  # the key was not taken, lacks the right, or asked too often
_REFUSED = Q(status__in=REFUSED)
_FAILED = Q(status__gte=500)
SUMS = {
    "refused": Sum("requests", default=0, filter=_REFUSED),
    "wrong": Sum("requests", default=0, filter=Q(status__gte=400) & ~_REFUSED & ~_FAILED),
    "failed": Sum("requests", default=0, filter=_FAILED),
    "requests": Sum("requests", default=0),  # the last: from here on it is a name of the sum
}


@dataclass(frozen=True, slots=True)
class Sums:
    """`refused` for who asked, `wrong` for what was asked; `failed` was our fault."""

    requests: int = 0
    refused: int = 0
    wrong: int = 0
    failed: int = 0

    @property
    def served(self) -> int:
        return self.requests - self.refused - self.wrong - self.failed

    @property
    def refused_share(self) -> float:
        return self.refused / self.requests if self.requests else 0.0

    @property
    def failed_share(self) -> float:
        return self.failed / self.requests if self.requests else 0.0

    @property
    def series(self) -> dict[str, int]:
        names = "served", "wrong", "refused", "failed"
        return {name: getattr(self, name) for name in names if getattr(self, name)}


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one key. Days are the oldest first, resources and statuses the most frequent."""

    totals: Sums
    days: dict[date, Sums]
    resources: dict[str, Sums]
    statuses: dict[int, int]
    calls_placed: int


def figures_of(key: ApiKey, days: int = DAYS) -> Figures:
    """Of the last days, today included; of what is older than LONGEST_DAYS nothing is kept."""
    first = _first(days)
    rows = KeyUse.objects.filter(key=key.prefix, day__gte=first)
    by_day = {row["day"]: _sums(row) for row in rows.values("day").annotate(**SUMS)}
    by_resource = rows.values("resource").annotate(**SUMS).order_by("-requests", "resource")
    by_status = rows.values_list("status").annotate(sum=Sum("requests")).order_by("-sum", "status")
    shown = [first + timedelta(days=number) for number in range(days)]
    midnight = datetime.combine(first, time(), UTC)
    placed = PlannedCall.objects.filter(key=key.prefix, at__gte=midnight, state=PlannedCall.State.PLACED)
    return Figures(
        _sums(rows.aggregate(**SUMS)),
        {day: by_day.get(day, Sums()) for day in shown},
        {row["resource"]: _sums(row) for row in by_resource},
        dict(by_status),
        placed.count(),
    )


def with_totals(keys: QuerySet[ApiKey]) -> QuerySet[ApiKey]:
    """Each with `requests_in_30_days` and `refused_in_30_days`."""
    rows = KeyUse.objects.filter(key=OuterRef("prefix"), day__gte=_first(DAYS)).values("key")
    sums = {
        f"{name}_in_{DAYS}_days": Coalesce(
            Subquery(rows.annotate(sum=SUMS[name]).values("sum"), output_field=IntegerField()), 0
        )
        for name in ("requests", "refused")
    }
    return keys.annotate(**sums)


def columns(days: Mapping[date, Sums]) -> list[Column]:
    most = max(sums.requests for sums in days.values()) or 1
    return [Column(day, sums.requests, 100 * sums.requests / most, sums.series) for day, sums in days.items()]


def _first(days: int) -> date:
    return datetime.now(UTC).date() - timedelta(days=days - 1)


def _sums(row: Mapping[str, Any]) -> Sums:
    return Sums(**{name: row[name] for name in SUMS})
