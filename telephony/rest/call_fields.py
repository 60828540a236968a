"""What is told of calls."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from mlservices.rest.serializers import Exact, told_by

from ..cost import cost_of
from ..models import Call, CallEvent, CallMessage, CallNote
from ..session.events import event_from
from ..transcript import Transcript

OF_A_LIST: tuple[str, ...] = (
    "id",
    "agent",
    "direction",
    "line",
    "status",
    "outcome",
    "end_reason",
    "caller",
    "callee",
    "number",
    "created_at",
    "answered_at",
    "ended_at",
    "duration_seconds",
    "turns",
    "slow_turns",
    "response_ms",
    "taken_over",
    "transfer_to",
    "answered_by",
    "tags",
    "last_seq",
)


class CallFields(serializers.ModelSerializer):
    agent = serializers.SlugRelatedField(slug_field="slug", read_only=True)
    number = serializers.SlugRelatedField(
        slug_field="number",
        source="phone_number",
        allow_null=True,
        read_only=True,
        help_text="Ours, by which it came or went; null where it had none.",
    )
    tags = serializers.SlugRelatedField(slug_field="name", many=True, read_only=True)
    last_seq = serializers.IntegerField(
        read_only=True, help_text="The number of its newest event: ask for those after the one you have."
    )
    response_ms = serializers.IntegerField(
        read_only=True,
        allow_null=True,
        help_text="From the caller's last word to the agent's first, the median.",
    )

    class Meta:
        model = Call
        fields = OF_A_LIST
        read_only_fields = OF_A_LIST


class CostFields(serializers.Serializer):
    minutes = serializers.IntegerField(help_text="Begun, as carriers count.")
    amount = serializers.DecimalField(
        12, 6, allow_null=True, coerce_to_string=True, help_text="null where nobody told what it costs."
    )
    currency = serializers.CharField()


class OneCallFields(CallFields):
    flow = serializers.SerializerMethodField()
    variables = serializers.DictField(
        source="transcript.variables", read_only=True, help_text="What was learned in the call."
    )
    path = serializers.ListField(
        source="transcript.path",
        child=serializers.CharField(),
        read_only=True,
        help_text="The steps and intents that it went through.",
    )
    cost = serializers.SerializerMethodField()
    has_recording = serializers.SerializerMethodField()

    class Meta(CallFields.Meta):
        fields = (*OF_A_LIST, "flow", "variables", "path", "cost", "has_recording", "provider_call_id")
        read_only_fields = fields

    def to_representation(self, instance: Call) -> Any:
        instance.transcript = transcript_of(instance)  # type: ignore[attr-defined]
        return super().to_representation(instance)

    @extend_schema_field(
        {
            "type": ["object", "null"],
            "properties": {"id": {"type": "string"}, "version": {"type": ["integer", "null"]}},
        }
    )
    def get_flow(self, call: Call) -> dict[str, Any] | None:
        """The flow that it followed, and in which version; null for a draft's."""
        if call.flow_version is None:
            return None
        return {"id": call.flow_version.flow.slug, "version": call.flow_version.number}

    @extend_schema_field(CostFields(allow_null=True))
    def get_cost(self, call: Call) -> Any:
        """Of a call that is over."""
        return None if call.is_live else told_by(CostFields, cost_of(call))

    @extend_schema_field(OpenApiTypes.BOOL)
    def get_has_recording(self, call: Call) -> bool:
        return hasattr(call, "recording")


def transcript_of(call: Call) -> Transcript:
    rows = CallEvent.objects.filter(call=call).order_by("seq").values_list("kind", "at_seconds", "payload")
    return Transcript(event_from(*row) for row in rows)


class EventFields(serializers.Serializer):
    seq = serializers.IntegerField(help_text="From 1, without a gap.")
    kind = serializers.CharField()
    at = serializers.FloatField(help_text="Seconds since 1970, as `/ws/calls/ID/` tells it.")
    at_seconds = serializers.FloatField(help_text="Its place in the recording.")
    payload = serializers.DictField()


class EventsFields(serializers.Serializer):
    events = EventFields(many=True)
    last_seq = serializers.IntegerField(help_text="Ask for those after this one next.")
    ended = serializers.BooleanField(help_text="Whether no more will come.")


class Seconds(serializers.FloatField):
    """To the millisecond, which sums of floating point are not by themselves."""

    def to_representation(self, value: float) -> float:
        return round(value, 3)


class LineFields(serializers.Serializer):
    who = serializers.ChoiceField(["caller", "agent", "operator"])
    at_seconds = Seconds(help_text="Its place in the recording.")
    text = serializers.CharField(help_text="Of the agent: what was heard of it.")
    unheard = serializers.CharField(help_text="What the agent had still to say when it was interrupted.")
    interrupted = serializers.BooleanField()
    latency_ms = serializers.IntegerField(allow_null=True)
    by = serializers.CharField(help_text="The operator who said it, or had it said.")


class TranscriptFields(serializers.Serializer):
    lines = LineFields(many=True)


class MessageFields(serializers.ModelSerializer):
    call = serializers.UUIDField(source="call_id", read_only=True)

    class Meta:
        model = CallMessage
        fields = (
            "id",
            "call",
            "at",
            "name",
            "number",
            "number_confirmed",
            "words",
            "complete",
            "confirmed",
            "done_at",
            "done_by",
        )
        read_only_fields = fields


class NoteFields(serializers.ModelSerializer):
    class Meta:
        model = CallNote
        fields = ("id", "author", "text", "created_at")
        read_only_fields = ("id", "author", "created_at")


@extend_schema_serializer(
    examples=[OpenApiExample("Words", request_only=True, value={"text": "Offer them Friday at three."})]
)
class WordsFields(Exact):
    text = serializers.CharField(help_text="At most 600 characters.")


@extend_schema_serializer(
    examples=[OpenApiExample("To a colleague", request_only=True, value={"number": "+14155550100"})]
)
class TransferFields(Exact):
    number = serializers.CharField(help_text="With the country code, like +14155550100.")


@extend_schema_serializer(examples=[OpenApiExample("A tag", request_only=True, value={"name": "Lead"})])
class TagFields(Exact):
    name = serializers.CharField(help_text="At most 40 characters. One that is new is made.")


@extend_schema_serializer(
    examples=[OpenApiExample("A note", request_only=True, value={"text": "Called back, all is well."})]
)
class NoteText(Exact):
    text = serializers.CharField(help_text="At most 4,000 characters.")
