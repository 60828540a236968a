from __future__ import annotations

import re
from typing import Any

from django.db.models import Count, QuerySet
from django.http import Http404, JsonResponse
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
    extend_schema_view,
)
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from mlservices import audit
from mlservices.api.answers import Refused
from mlservices.json_text import json_of
from mlservices.rest.filters import YesOrNo
from mlservices.rest.problems import in_conflict
from mlservices.rest.resources import Resource
from mlservices.rest.serializers import Exact

from ..flow.graph import FlowError, read, read_text
from ..flow.graph.reading import LARGEST_BYTES
from ..flows.actions import (
    create_flow,
    delete_flow,
    duplicate_flow,
    problems_in,
    require_tests,
)
from ..flows.blank import BLANK
from ..flows.templates import template, templates
from ..flows.texts import sentence, told
from ..models import Flow
from .flow_draft import keep_draft
from .flow_fields import A_FLOW, EXAMPLE_FLOW, FlowFields, FlowProblem, FlowRow
from .flow_format import refuse_wrong

TAG = "Flows"
_RENAMED = OpenApiExample("Another name", request_only=True, value={"name": "When we are open"})


class FlowTemplateFields(serializers.Serializer):
    id = serializers.SlugField()
    name = serializers.CharField()
    steps = serializers.IntegerField()


class FlowNamed(Exact):
    name = serializers.CharField(max_length=120, required=False, help_text="Empty: that of the template.")


class FlowJudged(Exact):
    graph = serializers.DictField(
        required=False, help_text="A flow in the exchange format, in place of the draft."
    )


class FlowVerdict(serializers.Serializer):
    can_be_published = serializers.BooleanField()
    problems = FlowProblem(many=True)


class FlowFilter(filters.FilterSet):
    published = YesOrNo(
        field_name="live", lookup_expr="isnull", exclude=True, help_text="Whether calls can follow it."
    )


@extend_schema(tags=[TAG])
@extend_schema_view(
    list=extend_schema(summary="List flows"),
    retrieve=extend_schema(
        summary="Get a flow",
        description="Its draft with its steps and connections, and what is wrong with it.",
    ),
    create=extend_schema(
        summary="Make a flow",
        description="A draft in the exchange format. Without steps it begins with a greeting and a goodbye.",
        examples=[A_FLOW],
    ),
    partial_update=extend_schema(
        summary="Change a flow's draft",
        description="Takes the place of what it names and leaves the rest: `nodes` are all of them. Steps "
        "and connections have to fit together; one by one they are changed at `/nodes` and `/edges`.",
        examples=[_RENAMED],
    ),
    destroy=extend_schema(
        summary="Delete a flow",
        description="Only one that was never published and that no agent follows: 409 says which it is.",
    ),
)
class Flows(Resource):
    """A flow has a draft, which changes, and versions, which calls follow and which never change. `PATCH`
    takes the place of what it names: `nodes` are all of them. A draft may be half-written: its `problems`
    tell what is missing. Only a flow that was never published can be deleted: calls name their versions."""

    queryset = Flow.objects.select_related("live")
    serializer_class = FlowFields
    lookup_field = "slug"
    lookup_url_kwarg = "id"
    filterset_class = FlowFilter
    search_fields = ("name", "description")
    ordering_fields = ("name", "changed_at", "created_at")
    ordering = "name"

    def get_queryset(self) -> QuerySet[Flow]:
        if self.action == "list":
            return self.queryset.annotate(used_by=Count("agents")).defer("draft", "live__graph")
        return self.queryset.defer("live__graph", "live__subflows")

    def get_serializer_class(self) -> type[serializers.BaseSerializer]:
        return FlowRow if self.action == "list" else FlowFields

    def state_of(self, thing: Flow, shown: Any) -> Any:
        return [thing.revision, thing.live_id, thing.tests_required]  # its problems are of others too

    def make(self, values: dict[str, Any]) -> Flow:
        required = values.pop("tests_required", False)
        refuse_wrong(values)
        flow = create_flow(graph={**BLANK, **values} if "nodes" not in values else values, by=self.by)
        return require_tests(flow=flow, required=True) if required else flow

    def change(self, thing: Flow, values: dict[str, Any]) -> Flow:
        required = values.pop("tests_required", thing.tests_required)
        graph = {**thing.draft, **values}
        refuse_wrong(values, whole=graph)
        flow = keep_draft(thing, graph, by=self.by)
        return require_tests(flow=flow, required=required) if required != flow.tests_required else flow

    def remove(self, thing: Flow) -> None:
        with in_conflict():
            delete_flow(flow=thing)

    @extend_schema(summary="Copy a flow", request=None, responses={201: FlowFields})
    def duplicate(self, request: Request, id: str) -> Response:
        """Its draft, under another name, and not published."""
        return self.told(duplicate_flow(flow=self.get_object(), by=self.by), status=201)

    @extend_schema(
        summary="Check a flow",
        request=FlowJudged,
        responses=FlowVerdict,
        examples=[
            OpenApiExample("The draft as it is", request_only=True, value={}),
            OpenApiExample("Another graph", request_only=True, value={"graph": EXAMPLE_FLOW}),
        ],
    )
    def validate(self, request: Request, id: str) -> Response:
        """What would go wrong on a call, of the draft or of a graph that is not kept."""
        flow = self.get_object()
        flow.draft = self.sent(FlowJudged).get("graph", flow.draft)
        try:
            problems = [told(each) for each in problems_in(flow)]
        except FlowError as error:
            problems = [told(error.problem)]
        free = not any(each["severity"] == "error" for each in problems)
        return Response({"can_be_published": free, "problems": problems})

    @extend_schema(
        summary="Export a flow",
        parameters=[
            OpenApiParameter(
                "version",
                {"type": "integer", "minimum": 1, "maximum": 2**31 - 1},
                description="Without one: the draft.",
            )
        ],
        responses=OpenApiResponse(OpenApiTypes.OBJECT, description="A file that can be imported again"),
    )
    def export(self, request: Request, id: str) -> JsonResponse:
        """The draft or a version in the exchange format, as a file."""
        flow, number = self.get_object(), request.query_params.get("version", "")
        if number and not re.fullmatch("0*[1-9][0-9]{0,9}", number):
            raise Refused(400, "The request is not valid.", {"version": "Send a whole number."})
        version = flow.versions.filter(number=number).first() if number else None
        if number and version is None:
            raise Http404
        answer = JsonResponse(
            version.graph if version else flow.draft, json_dumps_params={"indent": 2, "ensure_ascii": False}
        )
        if request.method == "GET":
            audit.record("flow.downloaded", flow, detail=number)
        name = f"{flow.slug}-{number}" if number else flow.slug
        answer["Content-Disposition"] = f'attachment; filename="{name}.json"'
        return answer


@extend_schema(tags=[TAG])
class FlowsFromElsewhere(Resource):
    """Flows that are not drawn step by step."""

    queryset = Flow.objects.all()
    serializer_class = FlowFields
    pagination_class = None
    filter_backends = ()

    @extend_schema(summary="List templates", responses=FlowTemplateFields(many=True))
    def templates(self, request: Request) -> Response:
        """Flows to begin with, each with its tests."""
        return Response([{"id": each.id, "name": each.name, "steps": each.steps} for each in templates()])

    @extend_schema(
        summary="Make a flow of a template",
        request=FlowNamed,
        responses={201: FlowFields},
        examples=[OpenApiExample("Under a name of its own", request_only=True, value={"name": "My clinic"})],
    )
    def from_template(self, request: Request, id: str) -> Response:
        """Its steps, connections and tests as a draft of your own."""
        name = self.sent(FlowNamed).get("name", "")
        chosen = template(id)
        if chosen is None:
            raise Http404
        return self.told(create_flow(graph=chosen.graph, by=self.by, name=name), status=201)

    @extend_schema(
        summary="Import a flow",
        request={
            "application/json": {
                "type": "object",
                "description": "What a file holds.",
                "example": EXAMPLE_FLOW,
            },
            "multipart/form-data": {
                "type": "object",
                "required": ["file"],
                "properties": {"file": {"type": "string", "format": "binary"}},
            },
        },
        responses={201: FlowFields},
    )
    def import_file(self, request: Request) -> Response:
        """A file in the exchange format, or what it holds as JSON. Whatever can be kept of it is: its
        `problems` tell what has to be mended."""
        graph, name = self._graph_sent(request)
        try:
            read(graph)
        except FlowError as error:
            raise Refused(400, sentence(error.problem)) from None
        return self.told(
            create_flow(graph=graph, by=self.by, name=str(graph.get("name") or name)), status=201
        )

    def _graph_sent(self, request: Request) -> tuple[Any, str]:
        """With the name of the file."""
        if request.content_type.startswith("application/json"):
            return request.data, ""
        file = request.FILES.get("file")
        if file is None:
            raise Refused(400, "The request is not valid.", {"file": "Send a file."})
        content = file.read(LARGEST_BYTES + 1)
        try:
            read_text(content)
        except FlowError as error:
            raise Refused(400, "The request is not valid.", {"file": sentence(error.problem)}) from None
        return json_of(content), (file.name or "").rpartition(".")[0][:120]
