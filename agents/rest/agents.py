from __future__ import annotations

from dataclasses import asdict
from typing import Any

from asgiref.sync import async_to_sync
from django.core.exceptions import ValidationError
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    extend_schema,
    extend_schema_field,
    extend_schema_view,
)
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from mlservices.api.answers import invalid
from mlservices.pages.languages import a_language
from mlservices.rest.filters import IdOf
from mlservices.rest.forms import filled
from mlservices.rest.later import later
from mlservices.rest.paging import PAGED, listed, page_of
from mlservices.rest.problems import Changed
from mlservices.rest.resources import Resource
from mlservices.rest.serializers import Exact, ExactModel, Lines

from ..actions import ChangedMeanwhile, duplicate_agent, restore_version, save_agent, set_statuses
from ..facts import LONGEST_ANSWER, LONGEST_QUESTION, LONGEST_TOPIC, MOST_FACTS, MOST_QUESTIONS
from ..flow.knowledge import WEEKDAYS
from ..forms import AgentForm
from ..models import Agent, AgentVersion, Flow
from ..sentences import record_sentence
from ..trial import LONGEST_WORDS, MOST_TURNS, try_words
from ..versions import VALUES
from .paths import by_path

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


_TEXT = {"type": "string"}
_HOURS = {
    "type": "object",
    "required": ["timezone", "week"],
    "additionalProperties": False,
    "properties": {
        "timezone": {**_TEXT, "description": "as Europe/London"},
        "week": {
            "type": "object",
            "description": 'by day: [["08:00", "12:00"], ["13:00", "18:00"]]; one without is closed',
            "additionalProperties": False,
            "properties": {
                day: {"type": "array", "maxItems": 6, "items": {"type": "array", "items": _TEXT}}
                for day in WEEKDAYS
            },
        },
        "closed_on": {"type": "array", "maxItems": 366, "items": {**_TEXT, "format": "date"}},
    },
}


@extend_schema_field(
    {
        "type": "array",
        "maxItems": MOST_FACTS,
        "items": {
            "type": "object",
            "required": ["topic"],
            "additionalProperties": False,
            "properties": {
                "topic": {**_TEXT, "maxLength": LONGEST_TOPIC},
                "answer": {**_TEXT, "maxLength": LONGEST_ANSWER},
                "questions": {
                    "type": "array",
                    "maxItems": MOST_QUESTIONS,
                    "items": {**_TEXT, "maxLength": LONGEST_QUESTION},
                },
                "hours": {"anyOf": [_HOURS, {"type": "null"}]},
                "follow_up": {"enum": ["none", "message"], "description": "`message` offers to take one"},
                "urgent": {"type": "boolean", "description": "an emergency: it goes before all others"},
            },
        },
    }
)
class FactsField(serializers.ListField):
    child = serializers.DictField()


_OTHER_WORDS = OpenApiExample(
    "Another greeting", request_only=True, value={"greeting": "Good morning. How can I help?"}
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
    facts = FactsField(required=False, help_text="What it knows, and says as it stands.")
    constants = Lines(
        sign="=", required=False, help_text="What {{name}} stands for in greeting and instructions."
    )

    class Meta:
        model = Agent
        fields = ["id", *VALUES, "version", "created_at", "updated_at"]
        read_only_fields = ["version", "created_at", "updated_at"]


class AgentVersionFields(serializers.ModelSerializer):
    values = serializers.DictField(help_text="The agent as it was then, in the fields of an agent.")

    class Meta:
        model = AgentVersion
        fields = ["number", "kind", "by", "at", "source", "values"]


class AgentFilter(filters.FilterSet):
    flow = IdOf(Flow.objects.all(), help_text="Those that follow the flow of this id.")
    language = filters.CharFilter(validators=[a_language], help_text="That it speaks, as `en`.")

    class Meta:
        model = Agent
        fields = ["status"]


class AgentAsked(Exact):
    words = serializers.CharField(
        max_length=LONGEST_WORDS, allow_blank=True, required=False, help_text="Empty: to hear the greeting."
    )
    transcript = serializers.ListField(
        child=serializers.CharField(allow_blank=True),
        max_length=2 * MOST_TURNS,
        required=False,
        help_text="What the last answer told, unchanged.",
    )


class AgentNoted(serializers.Serializer):
    kind = serializers.CharField()
    name = serializers.CharField()
    data = serializers.DictField()


class AgentMessage(serializers.Serializer):
    name = serializers.CharField()
    phone = serializers.CharField()
    text = serializers.CharField()


class AgentReply(serializers.Serializer):
    """What the agent did with the words."""

    texts = serializers.ListField(child=serializers.CharField(), help_text="What it says.")
    notes = AgentNoted(many=True, help_text="What it understood, and how it decided.")
    messages = AgentMessage(many=True, help_text="What a call would have kept.")
    ended = serializers.BooleanField(help_text="Whether it hung up.")
    transferred_to = serializers.CharField(help_text="The number that a call would have been put through to.")
    expects = serializers.CharField()
    transcript = serializers.ListField(
        child=serializers.CharField(), help_text="To be sent back with the next words."
    )


class AgentStatuses(Exact):
    status = serializers.ChoiceField(Agent.Status.choices)
    agents = serializers.ListField(child=serializers.CharField(), max_length=500, help_text="Their ids.")


class AgentStatusesBefore(serializers.Serializer):
    before = serializers.DictField(
        child=serializers.CharField(), help_text="The status of each that was changed, as it was before."
    )


@extend_schema(tags=[TAG])
@extend_schema_view(
    list=extend_schema(summary="List agents"),
    retrieve=extend_schema(
        summary="Get an agent", description="As it is now. Its ETag goes with a change as If-Match."
    ),
    create=extend_schema(
        summary="Make an agent",
        description="It needs a name and a greeting; everything else has a default that suits most.",
        examples=[_EXAMPLE],
    ),
    partial_update=extend_schema(
        examples=[_OTHER_WORDS],
        summary="Change an agent",
        description="Changes what is named and leaves the rest; `facts` are all of them. Calls that go on "
        "keep the version they have.",
    ),
)
class Agents(Resource):
    """An agent is archived by its `status`, and not deleted: its calls name it. What is changed is its next
    version; calls that go on keep theirs."""

    queryset = Agent.objects.select_related("flow").defer("flow__draft")
    serializer_class = AgentFields
    lookup_field = "slug"
    lookup_url_kwarg = "id"
    filterset_class = AgentFilter
    search_fields = ("name", "description")
    ordering_fields = ("name", "created_at", "updated_at")
    ordering = "name"
    columns = (*AgentFields.Meta.fields[1:], "slug", "flow__slug")

    def make(self, values: dict[str, Any]) -> Agent:
        return self._saved(Agent(), values, expected=None)

    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Its sentence for failures may have to be spoken first, so no row is locked meanwhile."""
        agent = self.get_object()
        self.refuse_changed(agent)
        return self.told(self._saved(agent, self.checked(partial=True), expected=agent.version))

    @extend_schema(
        summary="Change the status of several agents",
        request=AgentStatuses,
        responses=AgentStatusesBefore,
        examples=[
            OpenApiExample(
                "Pausing two",
                request_only=True,
                value={"status": "paused", "agents": ["front-desk", "sales"]},
            )
        ],
    )
    def change_statuses(self, request: Request) -> Response:
        """All of them or, where one is not there, none."""
        sent = self.sent(AgentStatuses)
        known = set(Agent.objects.filter(slug__in=sent["agents"]).values_list("slug", flat=True))
        if unknown := [slug for slug in sent["agents"] if slug not in known]:
            raise invalid(agents=f"There is no agent “{unknown[0]}”.")
        return Response({"before": set_statuses(statuses=dict.fromkeys(known, sent["status"]), by=self.by)})

    @extend_schema(
        summary="Try an agent by text",
        request=AgentAsked,
        responses=AgentReply,
        examples=[
            OpenApiExample("The greeting", request_only=True, value={}),
            OpenApiExample(
                "A question", request_only=True, value={"words": "Where can I park?", "transcript": []}
            ),
        ],
    )
    def attempt(self, request: Request, id: str) -> HttpResponseBase:
        """A conversation without a telephone, of which nothing is kept here: send back the transcript of each
        answer with the next words. A flow is tried at its own address."""
        agent, sent = self.get_object(), self.sent(AgentAsked)

        async def make() -> dict[str, Any]:
            try:
                reply = await try_words(agent, sent.get("transcript", []), sent.get("words", "").strip())
            except ValueError as error:
                raise invalid(transcript=str(error).removeprefix("transcript: ")) from None
            return asdict(reply)

        return later(make)

    def _saved(self, agent: Agent, values: dict[str, Any], *, expected: int | None) -> Agent:
        facts, status = values.pop("facts", agent.facts), values.pop("status", agent.status)
        filled(AgentForm, agent, values)
        agent.status = status
        recorded = async_to_sync(record_sentence)(agent)
        try:
            saved = save_agent(agent=agent, by=self.by, facts=facts, expected=expected)
        except ChangedMeanwhile as error:
            raise Changed(error.newest.by) from None
        except ValidationError as error:
            raise by_path(error) from None
        if recorded:
            recorded.save()
        return saved

    @extend_schema(summary="Copy an agent", request=None, responses={201: AgentFields})
    def duplicate(self, request: Request, id: str) -> Response:
        """The copy is paused, so that it can be changed before it takes calls."""
        return self.told(duplicate_agent(agent=self.get_object(), by=self.by), status=201)

    @extend_schema(
        summary="List an agent's versions", responses=page_of(AgentVersionFields), parameters=PAGED
    )
    def versions(self, request: Request, id: str) -> Response:
        """The newest first, each with the agent as it was."""
        return listed(self, self.get_object().versions.all(), AgentVersionFields, ordering="-number")

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
