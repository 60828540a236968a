"""Figures about calls, each computed from rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from django.db.models import Count
from django.utils import timezone

from .models import Call, CallEvent

CALLS_SAMPLED = 500


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
class Usage:
    agent: str  # slug
    calls: int
    median_ms: float | None


def usage_of(slugs: Sequence[str], days: int = 7) -> list[Usage]:
    """Calls of each agent in the last days, and the median of the last turns of its newest calls."""
    since = timezone.now() - timedelta(days=days)
    calls = Call.objects.filter(agent__slug__in=slugs, created_at__gte=since)
    counts = dict(calls.order_by().values_list("agent__slug").annotate(Count("pk")))
    latencies: dict[str, list[float]] = {slug: [] for slug in slugs}
    for slug, card in calls.order_by("-created_at").values_list("agent__slug", "card")[:CALLS_SAMPLED]:
        latencies[slug].extend(card.get("latencies", []))
    return [Usage(slug, counts.get(slug, 0), summarise(latencies[slug]).median) for slug in slugs]
