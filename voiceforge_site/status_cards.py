"""What the status page shows of one service: now, its week in hours, and the times when it did not pass."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from mlservices import awake
from mlservices.checks import Probe, Service, Status, worded
from mlservices.models import ServiceCheck, ServiceHour, ServiceState

from .templatetags.charts import percent

FRESH = timedelta(seconds=150)  # an older answer says nothing of now: two scheduled checks are missing
HOURS = 7 * 24
MOST_ROWS, MOST_INCIDENTS = 500, 20
UNKNOWN = "unknown"  # not asked just now
STATES = {
    Status.PASS: (gettext_lazy("Works"), "vf-good"),
    Status.WARN: (gettext_lazy("Warning"), "vf-warn"),
    Status.FAIL: (gettext_lazy("Fails"), "vf-bad"),
    UNKNOWN: (gettext_lazy("Not known"), ""),
}
# What an answer that is no longer fresh was.
ONCE = {
    Status.PASS: gettext_lazy("worked"),
    Status.WARN: gettext_lazy("warned"),
    Status.FAIL: gettext_lazy("failed"),
}
# ---- now and its week --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Hour:
    begins: datetime
    passed: int = 0
    warned: int = 0
    failed: int = 0
    latency_ms: int = 0  # together

    @property
    def checks(self) -> int:
        return self.passed + self.warned + self.failed

    @property
    def mean_ms(self) -> float | None:
        answered = self.passed + self.warned
        return self.latency_ms / answered if answered else None


@dataclass(frozen=True, slots=True)
class History:
    """A week of hours, the last one being this."""

    hours: tuple[Hour, ...]

    @property
    def latencies(self) -> list[float | None]:
        return [hour.mean_ms for hour in self.hours]

    @property
    def checks(self) -> int:
        return sum(hour.checks for hour in self.hours)

    @property
    def share(self) -> float | None:
        """Of checks that did not fail."""
        return 1 - sum(hour.failed for hour in self.hours) / self.checks if self.checks else None

    def as_json(self) -> dict[str, Any]:
        """For static/js/status.js, which words the hour under the pointer."""
        return {
            "since": round(self.hours[0].begins.timestamp()),
            "hours": [[h.passed, h.warned, h.failed, round(h.mean_ms or 0)] for h in self.hours],
        }

    def days(self) -> list[Hour]:
        """Days of the viewer's zone in which something was asked, the newest first."""
        found: dict[Any, list[Hour]] = defaultdict(list)
        for hour in self.hours:
            if hour.checks:
                found[timezone.localdate(hour.begins)].append(hour)
        return [_together(hours) for day, hours in sorted(found.items(), reverse=True)]


def _together(hours: Sequence[Hour]) -> Hour:
    return Hour(
        hours[0].begins,
        *(
            sum(getattr(hour, name) for hour in hours)
            for name in ("passed", "warned", "failed", "latency_ms")
        ),
    )


@dataclass(frozen=True, slots=True)
class ProbeRow:
    """What a probe found, or that it has not been asked yet."""

    probe: Probe
    found: dict[str, Any]
    now: datetime

    @property
    def asked_at(self) -> datetime | None:
        return _moment(self.found.get("asked_at"))

    @property
    def passed_at(self) -> datetime | None:
        return _moment(self.found.get("passed_at"))

    @property
    def status(self) -> str:
        return self.found["status"] if _is_fresh(self.asked_at, self.now) else UNKNOWN

    @property
    def state(self) -> tuple[Any, str]:
        return STATES[self.status]

    @property
    def was(self) -> Any:
        return ONCE[Status(self.found["status"])] if self.found else ""

    @property
    def reason(self) -> str:
        return worded(_(self.found["reason"]), self.found["values"]) if self.found.get("reason") else ""

    @property
    def remedy(self) -> str:
        return _(self.found["remedy"]) if self.found.get("remedy") else ""


@dataclass(frozen=True, slots=True)
class Card:
    service: Service
    kept: ServiceState | None  # None until it is asked the first time
    history: History
    now: datetime
    week: awake.Week | None = None  # of its sleep, of one that may sleep

    @property
    def awake(self) -> str:
        return awake.in_words(self.week) if self.service.address else ""

    @property
    def status(self) -> str:
        """What is known of this moment."""
        fresh = self.kept and _is_fresh(self.kept.checked_at, self.now)
        return self.kept.status if self.kept and fresh else UNKNOWN

    @property
    def state(self) -> tuple[Any, str]:
        return STATES[self.status]

    @property
    def was(self) -> Any:
        return ONCE[Status(self.kept.status)] if self.kept else ""

    @property
    def probes(self) -> list[ProbeRow]:
        found = {each["probe"]: each for each in self.kept.outcomes} if self.kept else {}
        return [ProbeRow(probe, found.get(probe.name, {}), self.now) for probe in self.service.probes]

    @property
    def asked(self) -> list[ProbeRow]:
        return [row for row in self.probes if row.found]

    @property
    def passes(self) -> int:
        return sum(row.found["status"] == Status.PASS for row in self.asked)

    @property
    def success_rate(self) -> float | None:
        return self.passes / len(self.asked) if self.asked else None

    @property
    def rate(self) -> str:
        """Of its probes, when they were asked last."""
        words = passing(self.passes, len(self.asked), now=self.status != UNKNOWN)
        return f"{words} · {percent(self.success_rate)}"

    @property
    def troubles(self) -> list[ProbeRow]:
        return [row for row in self.asked if row.found["status"] != Status.PASS]

    @property
    def remedies(self) -> list[str]:
        return list(dict.fromkeys(row.remedy for row in self.troubles if row.remedy))

    @property
    def reasons(self) -> list[str]:
        """Each once, with the probes whose it is, unless it is that of all: a service that is away gives all
        its probes the same."""
        found: dict[str, list[str]] = defaultdict(list)
        for row in self.troubles:
            if row.reason:
                found[row.reason].append(str(row.probe.title))
        return [
            reason if len(titles) == len(self.asked) else f"{', '.join(titles)}: {reason}"
            for reason, titles in found.items()
        ]


def passing(passes: int, probes: int, *, now: bool = True) -> str:
    """ "5 of 6 pass"; of an answer that is no longer fresh, that they passed."""
    if now:
        words = ngettext("%(n)s of %(all)s passes", "%(n)s of %(all)s pass", passes)
    else:
        words = _("%(n)s of %(all)s passed")
    return words % {"n": passes, "all": probes}


def _is_fresh(asked_at: datetime | None, now: datetime) -> bool:
    return asked_at is not None and now - asked_at <= FRESH


def _moment(written: str | None) -> datetime | None:
    return parse_datetime(written) if written else None


def cards_of(services: Iterable[Service]) -> list[Card]:
    """In three queries for all of them."""
    services, now = list(services), timezone.now()
    keys = [each.key for each in services]
    kept = ServiceState.objects.in_bulk(keys)
    first = now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=HOURS - 1)
    counted: dict[tuple[str, datetime], ServiceHour] = {
        (row.service, row.hour): row for row in ServiceHour.objects.filter(hour__gte=first, service__in=keys)
    }
    hours = [first + timedelta(hours=number) for number in range(HOURS)]
    weeks = awake.weeks_of([each.address for each in services if each.address], now)
    return [
        Card(
            each,
            kept.get(each.key),
            History(tuple(_hour(counted.get((each.key, at)), at) for at in hours)),
            now,
            weeks.get(each.address),
        )
        for each in services
    ]


def _hour(row: ServiceHour | None, begins: datetime) -> Hour:
    return Hour(begins, row.passed, row.warned, row.failed, row.latency_ms) if row else Hour(begins)


# ---- when it did not pass -----------------------------------------------------------------------


@dataclass
class Incident:
    """Checks of one probe that came to the same, one after another."""

    title: Any
    status: str
    reason: str
    first: datetime
    last: datetime
    checks: int = 1

    @property
    def state(self) -> tuple[Any, str]:
        return STATES[self.status]


def incidents_of(service: Service) -> list[Incident]:
    """The newest first."""
    titles = {probe.name: probe.title for probe in service.probes}
    rows = ServiceCheck.objects.filter(service=service.key, status__in=[Status.WARN, Status.FAIL])
    found: list[Incident] = []
    newest: dict[tuple[str, str, str], Incident] = {}
    for row in rows.order_by("-checked_at")[:MOST_ROWS]:
        key = (row.probe, row.status, row.reason)
        known = newest.get(key)
        if known and known.first - row.checked_at <= FRESH:
            known.first, known.checks = row.checked_at, known.checks + 1
            continue
        title = titles.get(row.probe, row.probe)
        newest[key] = Incident(title, Status(row.status), row.reason, row.checked_at, row.checked_at)
        found.append(newest[key])
    return found[:MOST_INCIDENTS]
