"""What is told of messages to webhooks."""

from __future__ import annotations

from typing import Any

import orjson
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from mlservices.rest.serializers import told_time

from ..hooks.models import Delivery

_OF_A_LIST = (
    "id",
    "webhook",
    "kind",
    "about",
    "sequence",
    "at",
    "state",
    "attempts",
    "next_at",
    "give_up_at",
    "tried_at",
    "seconds",
    "status",
    "problem",
)


class DeliveryRow(serializers.ModelSerializer):
    """A message in a list."""

    id = serializers.UUIDField(source="uid", help_text="The message's own `id`, the same each time.")
    webhook = serializers.IntegerField(source="webhook_id")
    attempts = serializers.IntegerField(help_text="Since it was written, or sent again by hand.")
    next_at = serializers.SerializerMethodField()
    status = serializers.IntegerField(allow_null=True, help_text="Answered last; null: no answer came.")
    problem = serializers.CharField(help_text="Why the last attempt failed.")

    class Meta:
        model = Delivery
        fields: tuple[str, ...] = _OF_A_LIST
        read_only_fields: tuple[str, ...] = _OF_A_LIST

    @extend_schema_field(serializers.DateTimeField(allow_null=True))
    def get_next_at(self, delivery: Delivery) -> str | None:
        """When it is tried again; null where it is not."""
        return told_time(delivery.next_at) if delivery.state == Delivery.State.WAITING else None


class DeliveryFields(DeliveryRow):
    """A message with its last attempt."""

    message = serializers.SerializerMethodField()
    headers = serializers.DictField(
        child=serializers.CharField(), help_text="That were sent with the last attempt."
    )
    answer = serializers.CharField(help_text="The beginning of what was answered.")

    class Meta(DeliveryRow.Meta):
        fields = (*_OF_A_LIST, "message", "headers", "answer")
        read_only_fields = fields

    @extend_schema_field(OpenApiTypes.OBJECT)
    def get_message(self, delivery: Delivery) -> Any:
        """What is sent."""
        return orjson.loads(delivery.body)
