"""What checks found, kept: the state of each service now, a week of rows, a count for each hour."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone, translation

from ..models import ServiceAlert, ServiceCheck, ServiceHour, ServiceState, SpaceAwake
from . import Status, alerts, spaces
from .probing import Report

KEPT = timedelta(days=7)
_HOUR_FIELDS = {Status.PASS: "passed", Status.WARN: "warned", Status.FAIL: "failed"}


def store(report: Report) -> None:
    """Keep what a check found, and raise or clear the alerts that follow from it."""
    with translation.override("en"), transaction.atomic():
        before = ServiceState.objects.select_for_update().filter(pk=report.service.key).first()
        failures = (before.failures if before else 0) + 1 if report.status == Status.FAIL else 0
        readings = alerts.recent(before.readings if before else [], alerts.reading_of(report))
        succeeded = before.succeeded_at if before else None
        if report.succeeded:
            succeeded = report.checked_at
        ServiceState.objects.update_or_create(
            service=report.service.key,
            defaults={
                "checked_at": report.checked_at,
                "succeeded_at": succeeded,
                "status": report.status,
                "latency_ms": report.latency_ms,
                "failures": failures,
                "outcomes": _outcomes(report, before.outcomes if before else []),
                "readings": alerts.as_json(readings),
            },
        )
        _add_rows(report)
        _add_to_hour(report)
        alerts.judge(report, readings, failures)
        if report.service.address and (happening := spaces.happening(report)):
            SpaceAwake.record(report.service.address, happening)


def _outcomes(report: Report, before: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """For the page: what each probe found, when, and when it last passed. One that was not asked this time
    keeps what it found before."""
    now, found = report.checked_at.isoformat(), {each["probe"]: each for each in before}
    for probe, outcome in report.answers:
        passed_at = now if outcome.status == Status.PASS else found.get(probe.name, {}).get("passed_at")
        found[probe.name] = {
            "probe": probe.name,
            "status": outcome.status,
            "latency_ms": outcome.latency_ms,
            "reason": outcome.reason,
            "values": dict(outcome.values),
            "remedy": outcome.remedy,
            "asked_at": now,
            "passed_at": passed_at,
        }
    return [found[probe.name] for probe in report.service.probes if probe.name in found]


def _add_rows(report: Report) -> None:
    ServiceCheck.objects.bulk_create(
        ServiceCheck(
            service=report.service.key,
            probe=probe.name,
            status=outcome.status,
            latency_ms=outcome.latency_ms or 0,
            reason=outcome.words,
            checked_at=report.checked_at,
        )
        for probe, outcome in report.answers
    )


def _add_to_hour(report: Report) -> None:
    hour = report.checked_at.replace(minute=0, second=0, microsecond=0)
    row, _ = ServiceHour.objects.get_or_create(service=report.service.key, hour=hour)
    field = _HOUR_FIELDS[report.status]
    latency = report.latency_ms if report.status != Status.FAIL else 0
    ServiceHour.objects.filter(pk=row.pk).update(
        **{field: F(field) + 1, "latency_ms": F("latency_ms") + latency}
    )


def forget() -> None:
    """Whatever is older than a week; alerts that are over are kept four times as long."""
    oldest = timezone.now() - KEPT
    ServiceCheck.objects.filter(checked_at__lt=oldest).delete()
    ServiceHour.objects.filter(hour__lt=oldest - timedelta(hours=1)).delete()
    ServiceState.objects.filter(checked_at__lt=oldest).delete()
    ServiceAlert.objects.filter(cleared_at__lt=timezone.now() - 4 * KEPT).delete()
