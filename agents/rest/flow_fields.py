"""What is told of a flow, and taken for one."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_field
from rest_framework import serializers

from mlservices.rest.serializers import Exact

from ..flows.actions import problems_in
from ..flows.texts import told
from ..models import Flow, FlowVersion
from .flow_format import PARTS, list_schema

EXAMPLE_FLOW = {
    "name": "Opening hours",
    "description": "Tells when the clinic is open.",
    "start": "hello",
    "nodes": [
        {
            "id": "hello",
            "type": "say",
            "position": {"x": 0, "y": 0},
            "data": {
                "label": "Greeting",
                "text": "Hello, this is {{agent_name}}. We are open from nine to five.",
            },
        },
        {
            "id": "bye",
            "type": "end_call",
            "position": {"x": 360, "y": 0},
            "data": {"label": "Goodbye", "message": "Thank you for calling. Goodbye."},
        },
    ],
    "edges": [{"id": "hello-bye", "source": "hello", "target": "bye"}],
}
A_FLOW = OpenApiExample("Two steps", request_only=True, value=EXAMPLE_FLOW)


def part_field(name: str) -> type[serializers.ListField]:
    """A list of a flow, which `flow_format.refuse_wrong` judges. What is told may be older than our rules."""
    taken = list_schema(name)

    @extend_schema_field(taken)
    class Field(serializers.ListField):
        child = serializers.JSONField()

    return Field


class FlowProblem(serializers.Serializer):
    """What is wrong with a draft. One that is an error keeps it from being published."""

    node = serializers.CharField(help_text="The step; empty where it is of none.")
    edge = serializers.CharField(help_text="The connection; empty where it is of none.")
    path = serializers.CharField(help_text="The field.")
    severity = serializers.ChoiceField(["error", "warning"])
    text = serializers.CharField(help_text="What is wrong and what to do.")


class FlowRow(serializers.ModelSerializer):
    """A flow in a list, without its steps."""

    id = serializers.SlugField(source="slug", help_text="Its address, which it keeps when it is renamed.")
    live_version = serializers.IntegerField(
        source="live.number", default=None, allow_null=True, help_text="What new calls follow; null: nothing."
    )
    used_by = serializers.IntegerField(help_text="How many agents follow it.")

    class Meta:
        model = Flow
        fields = [
            "id",
            "name",
            "description",
            "revision",
            "live_version",
            "tests_required",
            "used_by",
            "changed_by",
            "changed_at",
            "created_at",
        ]


class FlowFields(Exact):
    """A flow with its draft, in the exchange format; calls follow the version that was published last."""

    id = serializers.SlugField(read_only=True, help_text="Its address, which it keeps when it is renamed.")
    name = serializers.CharField(max_length=120)
    description = serializers.CharField(max_length=2000, allow_blank=True, required=False)
    start = serializers.CharField(
        allow_blank=True,
        required=False,
        help_text="The step that calls begin at; empty: the one nothing leads to.",
    )
    variables = part_field("variables")(required=False)
    intents = part_field("intents")(required=False, help_text="What callers can say anywhere.")
    nodes = part_field("nodes")(required=False, help_text="The steps. Without any it begins with two.")
    edges = part_field("edges")(required=False, help_text="The connections.")
    tests = part_field("tests")(required=False)
    tests_required = serializers.BooleanField(
        required=False, help_text="Whether all tests have to pass before it is published."
    )
    revision = serializers.IntegerField(read_only=True, help_text="One more with each change of the draft.")
    live_version = serializers.IntegerField(read_only=True, allow_null=True)
    changed_by = serializers.CharField(read_only=True)
    changed_at = serializers.DateTimeField(read_only=True)
    created_at = serializers.DateTimeField(read_only=True)
    problems = FlowProblem(many=True, read_only=True)

    def to_representation(self, flow: Flow) -> dict[str, Any]:
        draft = flow.draft
        return {
            "id": flow.slug,
            "name": flow.name,
            "description": str(draft.get("description") or ""),
            "start": str(draft.get("start") or ""),
            **{name: draft.get(name) or [] for name in PARTS},
            "tests_required": flow.tests_required,
            "revision": flow.revision,
            "live_version": flow.live.number if flow.live else None,
            "changed_by": flow.changed_by,
            "changed_at": self.fields["changed_at"].to_representation(flow.changed_at),
            "created_at": self.fields["created_at"].to_representation(flow.created_at),
            "problems": [told(each) for each in problems_in(flow)],
        }


class FlowVersionRow(serializers.ModelSerializer):
    is_live = serializers.SerializerMethodField()

    class Meta:
        model = FlowVersion
        fields = ["number", "by", "at", "note", "is_live"]

    def get_is_live(self, version: FlowVersion) -> bool:
        return version.flow.live_id == version.pk


class FlowVersionFields(FlowVersionRow):
    """A version, which never changes."""

    graph = serializers.DictField(help_text="The flow in the exchange format.")

    class Meta(FlowVersionRow.Meta):
        fields = [*FlowVersionRow.Meta.fields, "graph"]
