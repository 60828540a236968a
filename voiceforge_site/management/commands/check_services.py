"""`manage.py check_services`: ask every service now, and say what came of it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError
from django.utils.translation import gettext

from mlservices import checks, registry
from mlservices.checks import Outcome, Service, Status, keeping, worded, worst
from mlservices.checks.probing import Report, ask_all

WORDS = {Status.PASS: "ok", Status.WARN: "warn", Status.FAIL: "FAIL"}


class Command(BaseCommand):
    help = (
        "Ask every configured service now whether it works: a table, or JSON with --json. Exit code 1 if "
        "anything fails, else 0: a warning (a model that still loads, sound that would have to be sent in "
        "another form) is told and changes nothing. The JSON: {status, checked_at, services: [{key, title, "
        "about, status, latency_ms, passes, success_rate (0..1), probes: [{probe, title, status, latency_ms, "
        "reason, remedy}]}]}; each status is pass, warn or fail."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="machine-readable, on standard output")
        parser.add_argument(
            "--only", metavar="KEY", action="append", help="only this service (again: that too)"
        )
        parser.add_argument("--no-store", action="store_true", help="keep nothing, raise no alerts")
        parser.add_argument(
            "--on-demand",
            action="store_true",
            help="ask what costs money as well: one token of each endpoint",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        services = self.chosen(options["only"])
        reports = asyncio.run(_asked(services, on_demand=options["on_demand"]))
        if not options["no_store"]:
            self.keep(reports)
        if options["json"]:
            self.stdout.write(json.dumps(as_json(reports), indent=2, ensure_ascii=False))
        else:
            self.table(reports)
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

    def table(self, reports: list[Report]) -> None:
        names, keys = (
            max([len(each) for each in column], default=0)
            for column in zip(*((str(r.service.title), r.service.key) for r in reports), strict=True)
        )
        for report in reports:
            alone = len(report.answers) == 1
            rest = _said(report.outcomes[0]) if alone else f"{report.passes} of {len(report.answers)} pass"
            name = f"{report.service.title!s:<{names}}  {report.service.key:<{keys}}"
            self.line(report.status, name, report.latency_ms, rest)
            for probe, outcome in () if alone else report.answers:
                title = f"  {probe.title}"
                name = f"{title:<{names + keys + 2}}"
                self.line(outcome.status, name, outcome.latency_ms or 0, _said(outcome))
            for remedy in dict.fromkeys(outcome.remedy for outcome in report.outcomes if outcome.remedy):
                self.stdout.write(f"      {gettext(remedy)}")
        counted = [sum(report.status == status for report in reports) for status in Status]
        self.stdout.write("\n{} work, {} with warnings, {} fail.".format(*counted))

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


def as_json(reports: list[Report]) -> dict[str, Any]:
    return {
        "status": worst(report.status for report in reports),
        "checked_at": max((report.checked_at.isoformat() for report in reports), default=None),
        "services": [_service_as_json(report) for report in reports],
    }


def _service_as_json(report: Report) -> dict[str, Any]:
    service = report.service
    return {
        "key": service.key,
        "title": str(service.title),
        "about": str(service.about),
        "status": report.status,
        "latency_ms": report.latency_ms,
        "passes": report.passes,
        "success_rate": round(report.passes / len(report.outcomes), 4),
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
    }


def _said(outcome: Outcome) -> str:
    return worded(gettext(outcome.reason), outcome.values) if outcome.reason else ""
