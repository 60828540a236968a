"""`manage.py check_services`: ask every service now, and say what came of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError
from django.utils import formats, timezone
from django.utils.translation import gettext, ngettext

from mlservices import checks, registry
from mlservices.awake import Week, in_words, weeks_of
from mlservices.checks import Outcome, Service, Status, keeping, worded, worst
from mlservices.checks.probing import Report, ask_all
from mlservices.models import ServiceState
from voiceforge_site.status_cards import passing


@dataclass(frozen=True, slots=True)
class Known:
    """What checks have left in the database, by the services' keys and by their addresses."""

    states: Mapping[str, ServiceState]
    weeks: Mapping[str, Week]

    def last_success(self, service: Service) -> datetime | None:
        state = self.states.get(service.key)
        return state.succeeded_at if state else None

    def last_success_in_words(self, service: Service) -> str:
        last = self.last_success(service)
        if last is None:
            return gettext("No success is known.")
        when = formats.date_format(timezone.localtime(last), gettext("j M, H:i"))
        return gettext("Last success: %(when)s") % {"when": when}


WORDS = {Status.PASS: "ok", Status.WARN: "warn", Status.FAIL: "FAIL"}


class Command(BaseCommand):
    help = (
        "Ask every configured service now whether it works: a table, or JSON with --json. A server that "
        "“manage.py up” runs on this VAR_DIR is asked at its own ports, else PORT and ML_PORT say where. "
        "Nothing is kept and no alert is raised but with --store: the history is that of the worker's "
        "checks. Exit code 1 if anything fails, else 0: a warning (a model that still loads, sound that "
        "would have to be sent in another form) is told and changes nothing. The JSON: {status, "
        "checked_at, services: [{key, title, about, status, latency_ms, passes, success_rate (0..1), "
        "last_success, probes: [{probe, title, status, latency_ms, reason, remedy}], awake}]}; each status "
        "is pass, warn or fail. A Space alone has awake, of the last seven days: {measured_since, "
        "today_seconds, week_seconds, days: [{date, seconds}], cold_starts: {count, typical_seconds, "
        "longest_seconds}}; null if nothing is measured."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="machine-readable, on standard output")
        parser.add_argument(
            "--only", metavar="KEY", action="append", help="only this service (again: that too)"
        )
        parser.add_argument(
            "--store", action="store_true", help="keep what is found in the history, and raise alerts"
        )
        parser.add_argument(
            "--on-demand",
            action="store_true",
            help="ask what costs money as well: one token of each endpoint",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        services = self.chosen(options["only"])
        reports = asyncio.run(_asked(services, on_demand=options["on_demand"]))
        if options["store"]:
            self.keep(reports)
        known = self.known(reports)
        if options["json"]:
            self.stdout.write(json.dumps(as_json(reports, known), indent=2, ensure_ascii=False))
        else:
            self.table(reports, known)
        if worst(report.status for report in reports) == Status.FAIL:
            raise SystemExit(1)

    def chosen(self, only: list[str] | None) -> list[Service]:
        services = checks.services()
        if not only:
            return services
        if unknown := set(only) - {service.key for service in services}:
            known = ", ".join(service.key for service in services)
            raise CommandError(f"There is no service {', '.join(sorted(unknown))}: use one of {known}.")
        return [service for service in services if service.key in only]

    def keep(self, reports: list[Report]) -> None:
        try:
            for report in reports:
                keeping.store(report)
        except DatabaseError as error:
            self.stderr.write(f"Nothing was kept: {error}")

    def known(self, reports: list[Report]) -> Known:
        """What was kept of these services, if the database is there."""
        services = [report.service for report in reports]
        try:
            states = ServiceState.objects.in_bulk([service.key for service in services])
            addresses = [service.address for service in services if service.address]
            return Known(states, weeks_of(addresses, timezone.now()))
        except DatabaseError as error:
            self.stderr.write(f"What was kept before cannot be read: {error}")
            return Known({}, {})

    def table(self, reports: list[Report], known: Known) -> None:
        names, keys = (
            max([len(each) for each in column], default=0)
            for column in zip(*((str(r.service.title), r.service.key) for r in reports), strict=True)
        )
        for report in reports:
            alone = len(report.answers) == 1
            rest = _said(report.outcomes[0]) if alone else passing(report.passes, len(report.answers))
            name = f"{report.service.title!s:<{names}}  {report.service.key:<{keys}}"
            self.line(report.status, name, report.latency_ms, rest)
            for probe, outcome in () if alone else report.answers:
                title = f"  {probe.title}"
                name = f"{title:<{names + keys + 2}}"
                self.line(outcome.status, name, outcome.latency_ms or 0, _said(outcome))
            for remedy in dict.fromkeys(outcome.remedy for outcome in report.outcomes if outcome.remedy):
                self.stdout.write(f"      {gettext(remedy)}")
            if report.status == Status.FAIL:
                self.stdout.write(f"      {known.last_success_in_words(report.service)}")
            if report.service.address:
                self.stdout.write(f"      {in_words(known.weeks.get(report.service.address))}")
        self.stdout.write(f"\n{_summed_up(reports)}")

    def line(self, status: Status, name: str, latency_ms: int, rest: str) -> None:
        self.stdout.write(
            f"{self.coloured(status, f'{WORDS[status]:<4}')}  {name}  {latency_ms:>6} ms  {rest}"
        )

    def coloured(self, status: Status, text: str) -> str:
        style = {Status.PASS: "SUCCESS", Status.WARN: "WARNING", Status.FAIL: "ERROR"}[status]
        return getattr(self.style, style)(text)


async def _asked(services: list[Service], *, on_demand: bool) -> list[Report]:
    """In the order of the services."""
    order = [service.key for service in services]
    try:
        reports = [report async for report in ask_all(services, on_demand=on_demand)]
    finally:
        await registry.close()
    return sorted(reports, key=lambda report: order.index(report.service.key))


def _summed_up(reports: list[Report]) -> str:
    works, warns, fails = (sum(report.status == status for report in reports) for status in Status)
    parts = (
        ngettext("%(n)s works", "%(n)s work", works) % {"n": works},
        ngettext("%(n)s with a warning", "%(n)s with warnings", warns) % {"n": warns},
        ngettext("%(n)s fails", "%(n)s fail", fails) % {"n": fails},
    )
    return f"{', '.join(parts)}."


def as_json(reports: list[Report], known: Known) -> dict[str, Any]:
    return {
        "status": worst(report.status for report in reports),
        "checked_at": max((report.checked_at.isoformat() for report in reports), default=None),
        "services": [_service_as_json(report, known) for report in reports],
    }


def _service_as_json(report: Report, known: Known) -> dict[str, Any]:
    service, last = report.service, known.last_success(report.service)
    week = known.weeks.get(service.address)
    return {
        "key": service.key,
        "title": str(service.title),
        "about": str(service.about),
        "status": report.status,
        "latency_ms": report.latency_ms,
        "passes": report.passes,
        "success_rate": round(report.passes / len(report.outcomes), 4),
        "last_success": last.isoformat() if last else None,
        "probes": [
            {
                "probe": probe.name,
                "title": str(probe.title),
                "status": outcome.status,
                "latency_ms": outcome.latency_ms,
                "reason": outcome.words,
                "remedy": outcome.remedy,
            }
            for probe, outcome in report.answers
        ],
        **({"awake": week.as_json() if week else None} if service.address else {}),
    }


def _said(outcome: Outcome) -> str:
    return worded(gettext(outcome.reason), outcome.values) if outcome.reason else ""
