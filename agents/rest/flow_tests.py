"""The tests that a flow keeps, and what comes of them."""

from __future__ import annotations

from typing import Any

from asgiref.sync import sync_to_async
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import Http404, HttpResponseBase
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_field, extend_schema_view
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from mlservices import registry
from mlservices.rest.later import later
from mlservices.rest.paging import page_of
from mlservices.rest.serializers import Exact, told_time

from ..flow.graph.scripted import MOST_TURNS
from ..flows.results import Row, rows_of, run_and_keep
from ..flows.testing import planned
from ..flows.texts import sentence
from ..models import Flow
from .flow_draft import OfDraft, keep_draft
from .flow_format import test_schema, unreadable_in

TAG = "Flows"
Test = dict[str, Any]
Tests = list[Any]
# As on the page: what a test expects may not be there yet, but it has to be one.
_NO_TEST = ("test_without_name", "double_test", "test_without_turns", "test_too_long", "test_empty_turn")
_REFUSED = frozenset({*_NO_TEST, "test_crowded_turn"})
_A_TEST = OpenApiExample(
    "Sales by keypad",
    request_only=True,
    value={
        "name": "Sales by keypad",
        "turns": [
            {"expect": {"said": "Sales or support?"}},
            {"keys": "1", "expect": {"node": "sales", "by": "keys"}},
        ],
    },
)
_ANOTHER_NAME = OpenApiExample("Another name", request_only=True, value={"name": "Sales by the key 1"})


def _part(name: str, kind: type[serializers.Field], **more: Any) -> Any:
    described = {**test_schema()["properties"][name], **more}
    described.pop("default", None)
    return extend_schema_field(described)(type(f"Test{name.title()}", (kind,), {}))


class FlowTestFields(Exact):
    """A conversation in turns, with what is to come of each."""

    name = serializers.CharField(max_length=120)
    caller = serializers.CharField(
        max_length=40, allow_blank=True, required=False, help_text="The number that calls."
    )
    variables = _part("variables", serializers.JSONField)(
        required=False, help_text="Those that have a value before the call begins."
    )
    tools = _part("tools", serializers.JSONField)(
        required=False, help_text="What tools answer, by their names."
    )
    turns = _part("turns", serializers.JSONField, minItems=1, maxItems=MOST_TURNS)()


class FlowTestTold(serializers.Serializer):
    place = serializers.IntegerField(help_text="Among the tests of the flow, from 0.")
    test = serializers.DictField(help_text="As it was written.")
    standing = serializers.ChoiceField(
        ["never", "passed", "failed", "changed"],
        help_text="What came of it; `changed`: it was run before the draft was changed.",
    )
    failures = serializers.ListField(child=serializers.CharField(), help_text="In sentences.")
    problems = serializers.ListField(
        child=serializers.CharField(), help_text="What is wrong with it as it is written."
    )
    seconds = serializers.FloatField(allow_null=True)
    at = serializers.DateTimeField(allow_null=True, help_text="When it was run the last time.")


class FlowTestsTold(serializers.Serializer):
    passed = serializers.IntegerField()
    failed = serializers.IntegerField()
    results = FlowTestTold(many=True)


@extend_schema(tags=[TAG])
@extend_schema_view(
    list=extend_schema(summary="List a flow's tests", responses=page_of(FlowTestTold)),
    retrieve=extend_schema(
        summary="Get a test",
        description="As it is written, and what came of it the last time.",
        responses=FlowTestTold,
    ),
    create=extend_schema(
        summary="Add a test",
        description="Behind the others. Its name is its own in the flow.",
        request=FlowTestFields,
        responses={201: FlowTestTold},
        examples=[_A_TEST],
    ),
    partial_update=extend_schema(
        summary="Change a test",
        description="Takes the place of what it names; `turns` are all of them.",
        request=FlowTestFields,
        responses=FlowTestTold,
        examples=[_ANOTHER_NAME],
    ),
)
class FlowTests(OfDraft):
    """Tests are kept in the flow's draft, each under its own name. They call no tool: what one answers, a
    test says."""

    serializer_class = FlowTestFields

    def list(self, request: Request, id: str) -> Response:
        flow = self._flow()
        return Response({"next": None, "previous": None, "results": _all_told(flow)})

    def retrieve(self, request: Request, id: str, place: int) -> Response:
        return self.told_unless_known((self._flow(), place))

    @transaction.atomic
    def create(self, request: Request, id: str) -> Response:
        flow, values = self._locked(), self.checked()
        tests = list(flow.draft.get("tests") or [])
        return self.told((self._saved(flow, [*tests, values], len(tests)), len(tests)), status=201)

    @transaction.atomic
    def partial_update(self, request: Request, id: str, place: int) -> Response:
        flow, values = self._locked(), self.checked(partial=True)
        tests = self._expected(flow, place)
        before = tests[place] if isinstance(tests[place], dict) else {}
        tests[place] = {**before, **values}
        return self.told((self._saved(flow, tests, place), place))

    @extend_schema(summary="Delete a test")
    @transaction.atomic
    def destroy(self, request: Request, id: str, place: int) -> Response:
        """Those behind it move up by one."""
        flow = self._locked()
        tests = self._expected(flow, place)
        del tests[place]
        self._save(flow, tests)
        return Response(status=204)

    @extend_schema(summary="Run a test", request=None, responses=FlowTestTold)
    def run(self, request: Request, id: str, place: int) -> HttpResponseBase:
        """Plays it with the draft as it stands; at most a minute."""
        flow = self._flow()
        _row(flow, place)

        async def make() -> Test:
            await run_and_keep(flow, [place], embedder=registry.embedder())
            return (await sync_to_async(_all_told)(flow))[place]

        return later(make)

    @extend_schema(
        summary="Run all tests of a flow",
        operation_id="agent_flows_tests_run_all_create",
        request=None,
        responses=FlowTestsTold,
    )
    def run_all(self, request: Request, id: str) -> HttpResponseBase:
        """One after the other, with the draft as it stands."""
        flow = self._flow()

        async def make() -> dict[str, Any]:
            places = list(range(len(flow.draft.get("tests") or [])))
            await run_and_keep(flow, places, embedder=registry.embedder())
            told = await sync_to_async(_all_told)(flow)
            counts = {name: sum(each["standing"] == name for each in told) for name in ("passed", "failed")}
            return {**counts, "results": told}

        return later(make)

    # ---- for these --------------------------------------------------------------------------

    def _shown(self, thing: tuple[Flow, int]) -> Test:
        flow, place = thing
        return _told(flow, _row(flow, place))

    def state_of(self, thing: tuple[Flow, int], shown: Test) -> Any:
        return shown["test"]  # as it was written, whatever came of it

    def who_changed(self, thing: tuple[Flow, int]) -> str:
        return thing[0].changed_by

    def _expected(self, flow: Flow, place: int) -> Tests:
        """All tests, once the one at this place is as If-Match has it."""
        _row(flow, place)
        self.refuse_changed((flow, place))
        return list(flow.draft["tests"])

    def _saved(self, flow: Flow, tests: Tests, place: int) -> Flow:
        """Raises ValidationError by field of the test at this place."""
        if wrong := unreadable_in({"tests": [tests[place]]}):
            raise ValidationError({path.removeprefix("tests.0."): text for path, text in wrong.items()})
        plan = list(planned({**flow.draft, "tests": tests}))[place]
        problems = (each for each in plan.problems if each.code in _REFUSED)
        if wrong := {each.path.split(".", 2)[2]: sentence(each) for each in problems}:
            raise ValidationError(wrong)
        return self._save(flow, tests)

    def _save(self, flow: Flow, tests: Tests) -> Flow:
        return keep_draft(flow, {**flow.draft, "tests": tests}, by=self.by)


def _row(flow: Flow, place: int) -> Row:
    rows = rows_of(flow)
    if place >= len(rows):
        raise Http404
    return rows[place]


def _all_told(flow: Flow) -> list[Test]:
    return [_told(flow, row) for row in rows_of(flow)]


def _told(flow: Flow, row: Row) -> Test:
    raw = flow.draft["tests"][row.place]
    return {
        "place": row.place,
        "test": raw if isinstance(raw, dict) else {},
        "standing": row.standing,
        "failures": row.failures,
        "problems": [sentence(each) for each in row.plan.problems],
        "seconds": row.last.seconds if row.last else None,
        "at": told_time(row.last.at) if row.last else None,
    }
