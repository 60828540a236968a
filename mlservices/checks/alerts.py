"""Figures beyond their limits: seen with each check, kept as rows until they are back, told to a webhook."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit

import httpx
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from ..clients.addresses import is_loopback
from ..models import ServiceAlert
from . import outward
from .probing import Report

logger = logging.getLogger(__name__)
Kind = ServiceAlert.Kind

LIMITS = {Kind.DOWN: 1, Kind.ERRORS: 0.05, Kind.INFERENCE: 5.0, Kind.MEMORY: 0.95}
UNITS = {Kind.DOWN: "checks", Kind.ERRORS: "share", Kind.INFERENCE: "seconds", Kind.MEMORY: "share"}
WINDOW_SECONDS = 600.0  # in which errors are counted
FEWEST_REQUESTS = 10  # of which a share of errors is told
SLOW_IN_A_ROW = 2  # one slow answer is no alert

_TIMEOUT = httpx.Timeout(5.0)
_TRIES, _PAUSE_SECONDS = 3, 1.0  # in one go; then again with the next scheduled check
_MOST_ATTEMPTS = 10  # goes
_MOST_AT_ONCE = 10


@dataclass(frozen=True, slots=True)
class Reading:
    """The figures of one check; `at` in seconds since 1970, None for what the service does not tell."""

    at: float
    served: float | None = None
    failed: float | None = None
    seconds: float | None = None
    memory: float | None = None


def reading_of(report: Report) -> Reading:
    """The figures of all probes together: the slowest, the fullest."""
    figures: dict[str, float] = {}
    for outcome in report.outcomes:
        for name, value in outcome.figures.items():
            figures[name] = max(value, figures.get(name, 0.0))
    return Reading(report.checked_at.timestamp(), **figures)


def recent(kept: Iterable[dict[str, Any]], newest: Reading) -> list[Reading]:
    """The readings of the window, up to the newest; those from before the service began to count anew are
    left out."""
    readings = [_reading(each) for each in kept]
    series = [*(each for each in readings if newest.at - WINDOW_SECONDS <= each.at < newest.at), newest]
    begun = [after for before, after in pairwise(_counted(series)) if _total(after) < _total(before)]
    return series[series.index(begun[-1]) if begun else 0 :]


def _reading(kept: dict[str, Any]) -> Reading:
    """What an older version kept may have other figures."""
    known: dict[str, Any] = {each.name: kept.get(each.name) for each in fields(Reading)}
    return Reading(**known)


def _counted(readings: Iterable[Reading]) -> list[Reading]:
    """Those with counts: a check that did not reach the service learnt none."""
    return [each for each in readings if each.served is not None]


def _total(reading: Reading) -> float:
    return (reading.served or 0) + (reading.failed or 0)


def values_of(readings: Sequence[Reading], failures: int) -> dict[Kind, float | None]:
    """What is compared with the limits; None where nothing is known, which raises and clears nothing."""
    last = [each.seconds for each in readings[-SLOW_IN_A_ROW:]]
    slow = [seconds for seconds in last if seconds is not None]
    return {
        # a failure counts from the second in a row on: the first may be a restart
        Kind.DOWN: failures,
        Kind.ERRORS: _share_of_errors(readings),
        Kind.INFERENCE: min(slow) if len(slow) == SLOW_IN_A_ROW else None,
        Kind.MEMORY: readings[-1].memory,
    }


def _share_of_errors(readings: Sequence[Reading]) -> float | None:
    counted = _counted(readings)
    if not counted:
        return None
    first, last = counted[0], counted[-1]
    requests = _total(last) - _total(first)
    if requests < FEWEST_REQUESTS:
        return None
    return ((last.failed or 0) - (first.failed or 0)) / requests


def judge(report: Report, readings: Sequence[Reading], failures: int) -> None:
    """Raise and clear the alerts of a service; inside the transaction that keeps the report."""
    service, now = report.service, report.checked_at
    open_ones = {
        alert.kind: alert for alert in ServiceAlert.objects.filter(service=service.key, cleared_at=None)
    }
    for kind, value in values_of(readings, failures).items():
        alert = open_ones.get(kind)
        if value is None:
            continue
        if value <= LIMITS[kind]:
            if alert:
                _clear([alert], now)
        elif alert is None:
            title = f"{service.title}"
            raised, is_new = ServiceAlert.objects.get_or_create(
                service=service.key,
                kind=kind,
                cleared_at=None,
                defaults={"title": title, "value": value, "limit": LIMITS[kind], "since": now},
            )
            if is_new:
                outward.tell_of(raised)
            limit = f", limit {_figure(kind, LIMITS[kind])}" if kind != Kind.DOWN else ""
            logger.warning("Alert: %s, %s (%s%s)", title, kind, _figure(kind, value), limit)
        elif value > alert.value:
            ServiceAlert.objects.filter(pk=alert.pk).update(value=value)


def clear_others(keys: Iterable[str]) -> None:
    """Alerts of services that are configured no more."""
    _clear(ServiceAlert.objects.filter(cleared_at=None).exclude(service__in=list(keys)), timezone.now())


@transaction.atomic
def _clear(alerts: Iterable[ServiceAlert], now: datetime) -> None:
    for alert in alerts:
        if ServiceAlert.objects.filter(pk=alert.pk, cleared_at=None).update(cleared_at=now, attempts=0):
            alert.cleared_at = now
            outward.tell_of(alert)
            logger.warning("Alert is over: %s, %s", alert.title, alert.kind)


# ---- the webhook --------------------------------------------------------------------------------


def untold() -> Any:
    """Alerts of which the webhook is to be told something, the oldest first."""
    cleared = Q(cleared_at__isnull=False, cleared_told_at=None)
    waiting = ServiceAlert.objects.filter(Q(raised_told_at=None) | cleared)
    return waiting.filter(attempts__lt=_MOST_ATTEMPTS).order_by("since", "pk")


def tell() -> None:
    """Post what is untold to ALERT_WEBHOOK_URL: once that an alert is raised, once that it is over."""
    if not settings.ALERT_WEBHOOK_URL:
        return
    for alert in untold()[:_MOST_AT_ONCE]:
        for event, field in (("raised", "raised_told_at"), ("cleared", "cleared_told_at")):
            due = getattr(alert, field) is None and (event == "raised" or alert.cleared_at)
            if not due:
                continue
            if problem := _post(message(alert, event)):
                rows = ServiceAlert.objects.filter(pk=alert.pk)
                rows.update(attempts=F("attempts") + 1, problem=problem[:200])
                return  # the others would fail as well, and time is short
            ServiceAlert.objects.filter(pk=alert.pk).update(**{field: timezone.now()}, attempts=0, problem="")


def message(alert: ServiceAlert, event: str) -> dict[str, Any]:
    """`text` is what chat programs show of a webhook's message."""
    what = {"raised": "raised", "cleared": "over"}[event]
    kind = Kind(alert.kind)
    return {
        "event": event,
        **outward.facts_of(alert),
        "unit": UNITS[kind],
        "text": f"VoiceForge alert {what}: {alert.title}, {alert.kind} ({_figure(kind, alert.value)})",
    }


def _figure(kind: Kind, value: float) -> str:
    if UNITS[kind] == "share":
        return f"{value:.0%}"
    return f"{value:.1f} s" if UNITS[kind] == "seconds" else f"{value:.0f} checks failed in a row"


def _post(body: dict[str, Any]) -> str:
    """What went wrong, or "". The address may hold a secret: only its host is told."""
    url = settings.ALERT_WEBHOOK_URL
    problem = ""
    with httpx.Client(timeout=_TIMEOUT, trust_env=not is_loopback(url)) as client:
        for attempt in range(_TRIES):
            if attempt:
                time.sleep(_PAUSE_SECONDS)
            try:
                answer = client.post(url, json=body)
            except httpx.HTTPError as error:
                problem = type(error).__name__
                continue
            if answer.status_code < 300:
                return ""
            problem = f"HTTP {answer.status_code}"
    logger.warning("The webhook at %s was not told of an alert: %s", urlsplit(url).hostname, problem)
    return problem


def as_json(readings: Iterable[Reading]) -> list[dict[str, Any]]:
    return [asdict(reading) for reading in readings]
