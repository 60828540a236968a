"""Trying a flow by text."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpResponseBase
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request

from mlservices.api.answers import Refused, invalid
from mlservices.rest.later import later
from mlservices.rest.resources import Verbs
from mlservices.rest.serializers import Exact

from ..flow.graph import FlowError
from ..flow.graph.scripted import LONGEST_WORDS, MOST_TURNS
from ..flows.playing import Asked, played
from ..flows.rehearsal import Unplayable, moves_of
from ..flows.texts import sentence
from ..models import Agent, Flow
from .flow_fields import EXAMPLE_FLOW


class FlowMove(serializers.Serializer):
    """What the caller does in a turn: one of `say`, `keys` and `silence`; none of them, in the first turn, is
    to hear the greeting. FlowTurns are sent again as they were answered: what is in them beside is known."""

    say = serializers.CharField(max_length=LONGEST_WORDS, allow_blank=True, required=False)
    keys = serializers.CharField(max_length=40, allow_blank=True, required=False)
    silence = serializers.BooleanField(required=False)
    answers = serializers.ListField(
        child=serializers.CharField(allow_blank=True),
        required=False,
        help_text="Of language models, so that they are not asked again.",
    )


class FlowTurns(Exact):
    turns = serializers.ListField(child=serializers.DictField(), max_length=MOST_TURNS + 1)
    graph = serializers.DictField(
        required=False, help_text="A flow in the exchange format, in place of the draft."
    )
    agent = serializers.SlugRelatedField(
        slug_field="slug",
        queryset=Agent.objects.all(),
        required=False,
        allow_null=True,
        help_text="The id of the agent who speaks; null: one that knows nothing beside the flow.",
    )
    tools = serializers.BooleanField(
        required=False, default=False, help_text="Whether tools are called in earnest."
    )
    called = serializers.ListField(
        child=serializers.CharField(),
        required=False,
        default=list,
        help_text="What was `called` before, so that it is not called again.",
    )
    again = serializers.BooleanField(
        required=False, default=False, help_text="Whether all is played again, and no tool is called anew."
    )


class FlowTurn(serializers.Serializer):
    """What came of a turn."""

    say = serializers.CharField()
    keys = serializers.CharField()
    silence = serializers.BooleanField()
    said = serializers.ListField(child=serializers.CharField(), help_text="What the agent says.")
    events = serializers.ListField(child=serializers.DictField(), help_text="What was noted, in its order.")
    flow = serializers.CharField(help_text="The sub-flow where the call is; empty: the flow itself.")
    node = serializers.CharField(help_text="The step where it is.")
    variables = serializers.DictField()
    expects = serializers.CharField()
    ended = serializers.BooleanField()
    transferredTo = serializers.CharField()  # as the exchange format has it
    answers = serializers.ListField(child=serializers.CharField())
    tools = serializers.ListField(child=serializers.CharField())


class FlowPlayed(serializers.Serializer):
    turns = FlowTurn(many=True)
    called = serializers.ListField(child=serializers.CharField())


class FlowTrial(Verbs):
    queryset = Flow.objects.all()
    serializer_class = FlowTurns
    lookup_field = "slug"
    lookup_url_kwarg = "id"
    filter_backends = ()

    @extend_schema(
        tags=["Flows"],
        summary="Try a flow by text",
        request=FlowTurns,
        responses=FlowPlayed,
        examples=[
            OpenApiExample("The greeting", request_only=True, value={"turns": []}),
            OpenApiExample(
                "Words, then a key", request_only=True, value={"turns": [{"say": "Hello."}, {"keys": "1"}]}
            ),
            OpenApiExample(
                "Another graph", request_only=True, value={"turns": [], "graph": EXAMPLE_FLOW, "agent": None}
            ),
        ],
    )
    def attempt(self, request: Request, id: str) -> HttpResponseBase:
        """Plays the whole conversation with the draft, and keeps nothing of it. Send the turns back as they
        were answered, with what the caller does next at the end. To call tools in earnest takes the right to
        change agents: a graph may name any of them."""
        flow = self.get_object()
        values = self.sent(FlowTurns)
        if values["tools"] and not request.user.has_perm("agents.change_agents"):
            raise PermissionDenied("Tools are called in earnest only by those who may change agents.")
        try:
            moves = moves_of([dict(each) for each in values["turns"]])
        except ValueError as error:
            raise invalid(turns=str(error).removeprefix("turns: ")) from None
        agent = values.get("agent")
        sent = Asked(
            graph=values.get("graph", flow.draft),
            moves=moves,
            named=agent.slug if agent else "",
            earnest=values["tools"],
            called=tuple(values["called"]),
            again=values["again"],
        )
        return later(lambda: _played(sent))


async def _played(asked: Asked) -> dict[str, Any]:
    called: list[str] = []
    try:
        return {"turns": await played(asked, called), "called": called}
    except FlowError as error:
        raise Refused(422, sentence(error.problem)) from None
    except Unplayable as error:
        raise Refused(422, sentence(error.problems[0])) from None
    except ValueError as error:
        raise Refused(400, str(error)) from None
