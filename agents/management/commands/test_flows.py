"""`manage.py test_flows`: run the tests that flows keep with them, without a server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import QuerySet

from agents.flows.failure_texts import sentence_of
from agents.flows.junit import junit
from agents.flows.results import keep
from agents.flows.testing import Result, Stage, run_all, stage_of
from agents.models import Flow
from mlservices import registry
from mlservices.near import NearEmbedder


class Command(BaseCommand):
    help = (
        "Run the tests that flows keep with them, in this process: no server is needed, and no tool is "
        "called. What comes of a draft's tests is kept, and publishing, where it requires them, looks at "
        "it. Exit code 1 if one fails, else 0. The JSON: {passed, failed, seconds, flows: [{flow, "
        "version, tests: [{name, passed, seconds, failures: [{turn, code, text}]}]}]}; version null is the "
        "draft, turn 0 the test as a whole."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slugs", nargs="*", metavar="SLUG", help="addresses of flows; none: all of them")
        parser.add_argument(
            "--draft", action="store_true", help="the drafts instead of the versions that are live"
        )
        parser.add_argument("--junit", type=Path, metavar="FILE", help="write the results as JUnit XML")
        parser.add_argument("--json", action="store_true", help="machine-readable, on standard output")

    def handle(self, **options: Any) -> None:
        flows = list(_chosen(options["slugs"], draft=options["draft"]))
        stages = {flow.slug: stage_of(flow, draft=options["draft"]) for flow in flows}
        results = asyncio.run(self._run(stages, quiet=options["json"]))
        if options["draft"]:
            for flow in flows:
                for result in results[flow.slug]:
                    keep(flow=flow, result=result)
        if options["junit"]:
            _write(options["junit"], junit(results))
        if options["json"]:
            self.stdout.write(json.dumps(_told(stages, results), indent=2, ensure_ascii=False))
        tests = [each for found in results.values() for each in found]
        failed = sum(not each.passed for each in tests)
        seconds = sum(each.seconds for each in tests)
        if failed:
            raise CommandError(f"{failed} of {len(tests)} tests failed, in {seconds:.1f} s.")
        if not options["json"]:
            text = f"{len(tests)} passed, in {seconds:.1f} s." if tests else "There are no tests."
            self.stdout.write(self.style.SUCCESS(text))

    async def _run(self, stages: Mapping[str, Stage], *, quiet: bool) -> dict[str, list[Result]]:
        embedder = NearEmbedder()
        results: dict[str, list[Result]] = {}
        for slug, stage in stages.items():
            if not quiet and (stage.tests or len(stages) == 1):
                self.stdout.write(self.style.MIGRATE_HEADING(_title(slug, stage)))
            results[slug] = []
            async for result in run_all(stage, embedder=embedder):
                results[slug].append(result)
                if not quiet:
                    self._print(result)
        await registry.close()
        return results

    def _print(self, result: Result) -> None:
        word = self.style.SUCCESS("ok  ") if result.passed else self.style.ERROR("FAIL")
        self.stdout.write(f"  {word}  {result.name or '(no name)':<50} {result.seconds:6.2f} s")
        for failure in result.failures:
            self.stdout.write(f"        {sentence_of(failure)}")


def _chosen(slugs: list[str], *, draft: bool) -> QuerySet[Flow]:
    """The flows that were named, or all that have what is asked for. Raises CommandError."""
    flows = Flow.objects.select_related("live").order_by("slug")
    if not slugs:
        return flows if draft else flows.exclude(live=None)
    flows = flows.filter(slug__in=slugs)
    if missing := set(slugs) - {flow.slug for flow in flows}:
        raise CommandError(f"There is no flow {', '.join(sorted(missing))}.")
    if unpublished := [flow.slug for flow in flows if flow.live is None and not draft]:
        raise CommandError(f"Never published: {', '.join(unpublished)}. Add --draft to test the draft.")
    return flows


def _title(slug: str, stage: Stage) -> str:
    number = stage.version.number
    return f"{slug} ({f'version {number}' if number else 'draft'})"


def _told(stages: Mapping[str, Stage], results: Mapping[str, list[Result]]) -> dict[str, Any]:
    tests = [each for found in results.values() for each in found]
    return {
        "passed": sum(each.passed for each in tests),
        "failed": sum(not each.passed for each in tests),
        "seconds": round(sum(each.seconds for each in tests), 3),
        "flows": [
            {
                "flow": slug,
                "version": stages[slug].version.number,
                "tests": [_result_told(each) for each in found],
            }
            for slug, found in results.items()
        ],
    }


def _result_told(result: Result) -> dict[str, Any]:
    failures = [{"turn": each.turn, "code": each.code, "text": sentence_of(each)} for each in result.failures]
    return {
        "name": result.name,
        "passed": result.passed,
        "seconds": result.seconds,
        "failures": failures,
    }


def _write(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError as error:
        raise CommandError(
            f"--junit {path}: {error.strerror}. Name a file in a folder that is there."
        ) from None
