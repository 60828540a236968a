"""Having flows written by a language model."""

from __future__ import annotations

from contextlib import aclosing
from typing import Any

from asgiref.sync import sync_to_async
from django.http import HttpResponseBase
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request

from mlservices import registry
from mlservices.api.answers import Refused
from mlservices.rest.later import later
from mlservices.rest.resources import Verbs
from mlservices.rest.serializers import Exact

from ..flows.actions import create_flow
from ..flows.differences import differences
from ..flows.generation.schema import SCHEMA
from ..flows.generation.writing import LONGEST_DESCRIPTION, NotWritten, Progress, written
from ..flows.programs import known_to
from ..flows.texts import difference_sentence, told
from ..models import Flow
from .flow_draft import keep_draft
from .flow_fields import FlowProblem

MOST_CHANGES = 60  # told one by one


class FlowDescription(Exact):
    description = serializers.CharField(
        max_length=LONGEST_DESCRIPTION, help_text="What the flow does, or what is to be different, in words."
    )
    flow = serializers.SlugRelatedField(
        slug_field="slug",
        queryset=Flow.objects.all(),
        required=False,
        allow_null=True,
        help_text="The id of a flow whose draft is to be changed; without one a new flow is written.",
    )
    keep = serializers.BooleanField(
        required=False, default=False, help_text="Whether it becomes a draft at once, to be looked at there."
    )


class FlowWritten(serializers.Serializer):
    flow = serializers.CharField(allow_null=True, help_text="The id of the draft; null: it is not kept.")
    graph = serializers.DictField(help_text="The flow in the exchange format.")
    problems = FlowProblem(many=True)
    changes = serializers.ListField(
        child=serializers.CharField(), help_text="What differs from the draft, in sentences."
    )
    tokens = serializers.IntegerField()
    seconds = serializers.FloatField()


class FlowWriting(Verbs):
    queryset = Flow.objects.all()
    serializer_class = FlowDescription

    @extend_schema(
        tags=["Flows"],
        summary="Have a flow written",
        request=FlowDescription,
        responses=FlowWritten,
        examples=[
            OpenApiExample(
                "A new flow",
                request_only=True,
                value={
                    "description": "Ask for the name and the day, offer morning or afternoon, say goodbye.",
                    "keep": True,
                },
            ),
            OpenApiExample(
                "A change",
                request_only=True,
                value={"description": "Ask for the telephone number as well.", "flow": "opening-hours"},
            ),
        ],
    )
    def generate(self, request: Request) -> HttpResponseBase:
        """A language model writes it from a description, is told what is wrong with it and mends that, which
        may take a minute and costs tokens. It is answered when it is done."""
        values, by = self.sent(FlowDescription), self.by
        flow = values.get("flow") or Flow()
        known = known_to(flow)

        async def make() -> dict[str, Any]:
            made = await _written(values["description"], flow, known)
            kept = await sync_to_async(_keep)(flow, made.graph, by) if values["keep"] else None
            changes = differences(flow.draft, made.graph) if flow.pk and made.graph else []
            return {
                "flow": kept.slug if kept else None,
                "graph": made.graph,
                "problems": [told(each) for each in made.problems],
                "changes": [difference_sentence(each) for each in changes[:MOST_CHANGES]],
                "tokens": made.tokens,
                "seconds": round(made.seconds, 1),
            }

        return later(make)


async def _written(description: str, flow: Flow, known: Any) -> Progress:
    model = registry.writer(SCHEMA)
    if model is None:
        raise Refused(503, "No language model writes flows: set AI_INTEGRATIONS_OPENAI_API_KEY.")
    now = Progress("asking")
    try:
        async with aclosing(
            written(description, model=model, known=known, graph=flow.draft or None)
        ) as steps:
            async for progress in steps:
                now = progress
    except NotWritten as error:
        text = "The model wrote no flow, also when it was told why: say it in other words."
        raise Refused(422, f"{text} {error}") from None
    return now


def _keep(flow: Flow, graph: Any, by: str) -> Flow:
    if flow.pk is None:
        return create_flow(graph=graph, by=by)
    return keep_draft(flow, graph, by=by)
