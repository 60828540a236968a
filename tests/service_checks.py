"""A week of checks to look at: services that work, warn and fail, and alerts."""

from __future__ import annotations

import math
from datetime import timedelta

from django.utils import timezone

from mlservices import checks
from mlservices.checks import Outcome, Service, Status, failed, keeping, passed, warned
from mlservices.checks.probing import Report
from mlservices.clients.waking import Answered, FellAsleep, Happening, Woke
from mlservices.models import ServiceAlert, ServiceHour, SpaceAwake

WARNS, FAILS, OLD = "pool-vllm", "pool-tts", "machine"


def make_week_of_checks() -> None:
    """Of every service that is configured; one was asked too long ago."""
    now = timezone.now()
    for service in checks.services():
        ServiceHour.objects.filter(service=service.key).delete()
        ServiceHour.objects.bulk_create(
            _hour(service, number) for number in range(1, 168) if not 60 < number < 64
        )
        asked = now - timedelta(minutes=7 if service.key == OLD else 0)
        answers = tuple((probe, _outcome(service.key)) for probe in service.probes if not probe.on_demand)
        keeping.store(Report(service, asked, answers))
        if service.address:
            make_week_of_sleep(service.address)
    ServiceAlert.objects.all().delete()
    alert = {"service": FAILS, "title": "Voice", "since": now - timedelta(hours=5)}
    ServiceAlert.objects.create(**alert, kind="down", value=40, limit=1, attempts=2, problem="HTTP 503")
    ServiceAlert.objects.create(**alert, kind="inference", value=6.2, limit=5, cleared_at=now)


def make_week_of_sleep(address: str) -> None:
    """Of a Space that was awake in office hours, from its fifth day on."""
    now = timezone.now()
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    SpaceAwake.objects.filter(address=address).delete()
    SpaceAwake.objects.create(address=address, measured_since=midnight - timedelta(days=5))
    told: list[Happening] = []
    for days in range(5, -1, -1):
        day = midnight - timedelta(days=days)
        morning = (
            (day + timedelta(hours=8)).timestamp() if days else max(day, now - timedelta(hours=6)).timestamp()
        )
        evening = min(morning + 6 * 3600.0, now.timestamp())
        told.append(Woke(morning, 31.0 + 9 * days, "/stream/tts"))
        told += [Answered(morning + 600.0 * n) for n in range(36 - days) if morning + 600.0 * n < evening]
        told.append(FellAsleep(evening))
    SpaceAwake.record(address, *told)


def _hour(service: Service, ago: int) -> ServiceHour:
    begins = timezone.now().replace(minute=0, second=0, microsecond=0) - timedelta(hours=ago)
    failing = 60 if service.key == FAILS and 20 < ago < 34 else ago % 50 == 7
    warning = 30 if service.key == WARNS and ago < 12 else 0
    milliseconds = 120 + 60 * math.sin(ago / 24 * 2 * math.pi)
    passing = 60 - failing - warning
    latency = round((passing + warning) * milliseconds)
    return ServiceHour(
        service=service.key, hour=begins, passed=passing, warned=warning, failed=failing, latency_ms=latency
    )


def _outcome(key: str) -> Outcome:
    found = {
        FAILS: failed("The worker ended in the middle of the answer", "See the lines “ml” of the log."),
        WARNS: warned("1 of 2 workers ready, 7 requests wait", "Give the pool more workers."),
    }.get(key, passed("Wrote a row and read it"))
    return Outcome(Status(found.status), found.reason, found.remedy, latency_ms=140)
