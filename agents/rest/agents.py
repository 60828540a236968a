from __future__ import annotations

from typing import Any

from asgiref.sync import async_to_sync
from django.shortcuts import get_object_or_404
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from mlservices.rest.forms import filled
from mlservices.rest.paging import listed, page_of
from mlservices.rest.problems import Changed
from mlservices.rest.resources import Resource
from mlservices.rest.serializers import ExactModel

from ..actions import ChangedMeanwhile, duplicate_agent, restore_version, save_agent
from ..forms import AgentForm
from ..models import Agent, AgentVersion, Flow
from ..sentences import record_sentence
from ..versions import VALUES

TAG = "Agents"
_EXAMPLE = OpenApiExample(
    "A receptionist",
    request_only=True,
    value={
        "name": "Front desk",
        "greeting": "Good day, this is Harbour Street Clinic. How can I help?",
        "voice": "default",
        "facts": [
            {
                "topic": "Parking",
                "answer": "You can park behind the house, free of charge.",
                "questions": ["where can I park"],
            }
        ],
    },
)


class AgentFields(ExactModel):
    """An agent: `id` is its address, which it keeps when it is renamed."""

    id = serializers.SlugField(source="slug", read_only=True)
    flow = serializers.SlugRelatedField(
        slug_field="slug",
        queryset=Flow.objects.all(),
        required=False,
        allow_null=True,
        help_text="The id of a published flow that its calls follow; null: it answers freely.",
    )
    facts = serializers.ListField(child=serializers.DictField(), required=False)
    constants = serializers.DictField(child=serializers.CharField(allow_blank=True), required=False)

    class Meta:
        model = Agent
        fields = ["id", *VALUES, "version", "created_at", "updated_at"]
        read_only_fields = ["version", "created_at", "updated_at"]


class VersionFields(serializers.ModelSerializer):
    values = serializers.DictField(help_text="The agent as it was then, in the fields of an agent.")

    class Meta:
        model = AgentVersion
        fields = ["number", "kind", "by", "at", "source", "values"]


class AgentFilter(filters.FilterSet):
    class Meta:
        model = Agent
        fields = {"status": ["exact"], "language": ["exact"], "flow__slug": ["exact"]}


@extend_schema(tags=[TAG])
@extend_schema_view(
    list=extend_schema(summary="List agents"),
    retrieve=extend_schema(summary="Get an agent"),
    create=extend_schema(summary="Make an agent", examples=[_EXAMPLE]),
    partial_update=extend_schema(summary="Change an agent"),
)
class Agents(Resource):
    """An agent is archived by its `status`, and not deleted: its calls name it. What is changed is its next
    version; calls that go on keep theirs."""

    queryset = Agent.objects.select_related("flow")
    serializer_class = AgentFields
    lookup_field = "slug"
    lookup_url_kwarg = "id"
    filterset_class = AgentFilter
    search_fields = ("name", "description")
    ordering_fields = ("name", "created_at", "updated_at")
    ordering = "name"

    def make(self, values: dict[str, Any]) -> Agent:
        return self._saved(Agent(), values, expected=None)

    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Its sentence for failures may have to be spoken first, so no row is locked meanwhile."""
        agent = self.get_object()
        self.refuse_changed(agent)
        return self.told(self._saved(agent, self.checked(partial=True), expected=agent.version))

    def _saved(self, agent: Agent, values: dict[str, Any], *, expected: int | None) -> Agent:
        facts, status = values.pop("facts", agent.facts), values.pop("status", agent.status)
        filled(AgentForm, agent, values)
        agent.status = status
        recorded = async_to_sync(record_sentence)(agent)
        try:
            saved = save_agent(agent=agent, by=self.by, facts=facts, expected=expected)
        except ChangedMeanwhile as error:
            raise Changed(error.newest.by) from None
        if recorded:
            recorded.save()
        return saved

    def who_changed(self, thing: Agent) -> str:
        newest = thing.versions.first()
        return newest.by if newest else ""

    @extend_schema(summary="Copy an agent", request=None, responses={201: AgentFields})
    def duplicate(self, request: Request, id: str) -> Response:
        """The copy is paused, so that it can be changed before it takes calls."""
        return self.told(duplicate_agent(agent=self.get_object(), by=self.by), status=201)

    @extend_schema(summary="List an agent's versions", responses=page_of(VersionFields))
    def versions(self, request: Request, id: str) -> Response:
        """The newest first, each with the agent as it was."""
        return listed(self, self.get_object().versions.all(), VersionFields, ordering="-number")

    @extend_schema(
        summary="Restore a version",
        request=None,
        responses=AgentFields,
        parameters=[OpenApiParameter("number", OpenApiTypes.INT, OpenApiParameter.PATH)],
    )
    def restore(self, request: Request, id: str, number: int) -> Response:
        """The agent as it was then, but for its status, as its next version."""
        agent = self.get_object()
        get_object_or_404(agent.versions, number=number)
        return self.told(restore_version(agent=agent, number=number, by=self.by))
