"""/api/telephony/messages: what callers want to be passed on."""

from __future__ import annotations

from typing import Any

from django_filters import rest_framework as filters
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer, extend_schema_view
from rest_framework import serializers

from mlservices.rest.filters import IdOf, YesOrNo
from mlservices.rest.resources import Resource
from mlservices.rest.serializers import Exact, told_by

from ..annotation_actions import delete_messages, set_messages_done
from ..models import Call, CallMessage
from .call_fields import MessageFields


@extend_schema_serializer(examples=[OpenApiExample("Done", request_only=True, value={"done": True})])
class DoneFields(Exact):
    done = serializers.BooleanField()


class MessageFilters(filters.FilterSet):
    done = YesOrNo(
        field_name="done_at", lookup_expr="isnull", exclude=True, help_text="Whether somebody has seen to it."
    )
    call = IdOf(Call.objects.all(), to_field_name="id", help_text="Of the call of this id.")

    class Meta:
        model = CallMessage
        fields = ()


@extend_schema(tags=["Messages"])
@extend_schema_view(
    list=extend_schema(summary="List messages", responses=MessageFields),
    retrieve=extend_schema(summary="Get a message", responses=MessageFields),
    partial_update=extend_schema(
        summary="Mark a message as done", request=DoneFields, responses=MessageFields
    ),
    destroy=extend_schema(summary="Delete a message"),
)
class Messages(Resource):
    """The newest first. What was said stays in the call, whatever becomes of a message."""

    queryset = CallMessage.objects.all()
    lookup_url_kwarg = "id"
    filterset_class = MessageFilters
    search_fields = ("name", "number", "words")
    ordering_fields = ("at",)
    ordering = "-at"

    def get_serializer_class(self) -> Any:
        return DoneFields if self.request and self.request.method == "PATCH" else MessageFields

    def change(self, thing: CallMessage, values: dict[str, Any]) -> CallMessage:
        if "done" in values:
            set_messages_done(message_ids=[thing.pk], done=values["done"], by=self.by)
        thing.refresh_from_db()
        return thing

    def remove(self, thing: CallMessage) -> None:
        delete_messages(message_ids=[thing.pk])

    def _shown(self, thing: CallMessage) -> Any:
        return told_by(MessageFields, thing)
