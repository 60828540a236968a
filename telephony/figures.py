"""Figures about calls, each computed from rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from statistics import median

from django.db.models import Count, Q, Window
from django.db.models.functions import RowNumber, TruncDate
from django.utils import timezone

from .models import Call, CallEvent

CALLS_SAMPLED = 500
CALLS_SAMPLED_OF_AGENT = 50


@dataclass(frozen=True, slots=True)
class ResponseTime:
    """How long callers waited for an answer, in milliseconds; None where nothing was measured."""

    turns: int
    median: float | None
    p95: float | None


def response_time(since: datetime) -> ResponseTime:
    """Of all turns in the newest calls since then (at most 500 calls)."""
    calls = Call.objects.filter(created_at__gte=since).order_by("-created_at").values("pk")[:CALLS_SAMPLED]
    seconds = CallEvent.objects.filter(call__in=calls, kind="turn_measured").values_list(
        "payload__voice_to_voice_seconds", flat=True
    )
    return summarise([value * 1000 for value in seconds.order_by()])


def summarise(milliseconds: Sequence[float]) -> ResponseTime:
    ordered = sorted(milliseconds)
    if not ordered:
        return ResponseTime(0, None, None)
    p95 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]
    return ResponseTime(len(ordered), median(ordered), p95)


@dataclass(frozen=True, slots=True)
class Day:
    """The calls of one day. `share` is their number as a part (0..1) of the busiest day's."""

    date: date
    completed: int
    transferred: int
    failed: int
    share: float = 0.0

    @property
    def calls(self) -> int:
        return self.completed + self.transferred + self.failed


def calls_by_day(days: int) -> list[Day]:
    """The last days up to today, in the current time zone. Live calls count as completed."""
    today = timezone.localdate()
    first = timezone.make_aware(datetime.combine(today - timedelta(days=days - 1), time.min))
    failed = Q(end_reason="engine_failure") | Q(status=Call.Status.FAILED)
    transferred = Q(end_reason="transferred")
    counted = (
        Call.objects.filter(created_at__gte=first)
        .order_by()
        .annotate(day=TruncDate("created_at"))
        .values_list("day")
        .annotate(
            calls=Count("pk"),
            transferred=Count("pk", filter=transferred),
            failed=Count("pk", filter=failed & ~transferred),
        )
    )
    by_day = {day: Day(day, total - moved - lost, moved, lost) for day, total, moved, lost in counted}
    shown = [today - timedelta(days=back) for back in reversed(range(days))]
    each = [by_day.get(day, Day(day, 0, 0, 0)) for day in shown]
    busiest = max(1, *(day.calls for day in each))
    return [replace(day, share=day.calls / busiest) for day in each]


@dataclass(frozen=True, slots=True)
class Usage:
    agent: str  # slug
    calls: int
    median_ms: float | None


def usage_of(slugs: Sequence[str], days: int = 7) -> list[Usage]:
    """Calls of each agent in the last days, and the median of the last turns of its newest calls.

    Those are sampled for each agent, so that its figure does not depend on which others are asked for.
    """
    since = timezone.now() - timedelta(days=days)
    calls = Call.objects.filter(agent__slug__in=slugs, created_at__gte=since)
    counts = dict(calls.order_by().values_list("agent__slug").annotate(Count("pk")))
    latencies: dict[str, list[float]] = {slug: [] for slug in slugs}
    newest = Window(RowNumber(), partition_by="agent", order_by="-created_at")
    sampled = calls.order_by().annotate(place=newest).filter(place__lte=CALLS_SAMPLED_OF_AGENT)
    for slug, card in sampled.values_list("agent__slug", "card"):
        latencies[slug].extend(card.get("latencies", []))
    return [Usage(slug, counts.get(slug, 0), summarise(latencies[slug]).median) for slug in slugs]


def calls_figure(slugs: Sequence[str]) -> dict[str, float]:
    """For the order of the agents' list: calls of each agent that had some."""
    return {usage.agent: usage.calls for usage in usage_of(slugs) if usage.calls}


def response_figure(slugs: Sequence[str]) -> dict[str, float]:
    return {usage.agent: usage.median_ms for usage in usage_of(slugs) if usage.median_ms is not None}
