"""What came of a draft's tests: run, kept, and looked at before the draft is published."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

from asgiref.sync import sync_to_async
from django.utils import timezone

from mlservices.interfaces import Embedder

from ..models import Flow, FlowTestResult
from .failure_texts import sentence_of
from .testing import Failure, PlannedTest, Result, planned, run, stage_of

LONGEST_NAME = 120


@dataclass(frozen=True, slots=True)
class Row:
    """A test of the draft, by its place among them, and what came of it the last time it was run."""

    place: int
    plan: PlannedTest
    last: FlowTestResult | None
    revision: int  # of the draft

    @property
    def standing(self) -> Literal["never", "passed", "failed", "changed"]:
        """ "changed": it was run before the draft was changed."""
        if self.last is None:
            return "never"
        if self.last.revision != self.revision:
            return "changed"
        return "failed" if self.last.failures else "passed"

    @property
    def failures(self) -> list[str]:
        """In sentences."""
        return [sentence_of(Failure(**each)) for each in self.last.failures] if self.last else []


def rows_of(flow: Flow) -> list[Row]:
    """All tests of the draft, in their order."""
    last = {each.name: each for each in flow.test_results.all()}
    plans = enumerate(planned(flow.draft))
    return [Row(place, plan, last.get(plan.name[:LONGEST_NAME]), flow.revision) for place, plan in plans]


def not_passed(flow: Flow) -> list[Row]:
    """The tests that keep a flow from being published where they are required."""
    return [row for row in rows_of(flow) if row.standing != "passed"]


def keep(*, flow: Flow, result: Result) -> None:
    """`flow` as it was when the test was run."""
    FlowTestResult.objects.update_or_create(
        flow=flow,
        name=result.name[:LONGEST_NAME],
        defaults={
            "revision": flow.revision,
            "failures": [asdict(each) for each in result.failures],
            "seconds": result.seconds,
            "at": timezone.now(),
        },
    )


async def run_and_keep(flow: Flow, places: list[int], *, embedder: Embedder) -> None:
    """Run the draft's tests at these places, one after the other. Raises IndexError where there is none."""
    stage = await sync_to_async(stage_of)(flow, draft=True)
    for place in places:
        result = await run(stage.tests[place], stage, embedder=embedder)
        await sync_to_async(keep)(flow=flow, result=result)
