"""/api/webhooks/ID/deliveries: the messages of a webhook, each until it is forgotten."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from mlservices.happenings import KINDS
from mlservices.rest.problems import in_conflict
from mlservices.rest.resources import Resource

from ..hooks import actions
from ..hooks.models import Delivery, Webhook
from .delivery_fields import DeliveryFields, DeliveryRow
from .webhooks import TAG

State = Delivery.State


class DeliveryFilters(filters.FilterSet):
    """By the states of the page: what is being sent counts as waiting."""

    state = filters.ChoiceFilter(
        method="in_state",
        choices=[(str(state), str(state)) for state in (State.WAITING, State.DELIVERED, State.DEAD)],
        help_text="`waiting`, `delivered`, or `dead`: not delivered, and not tried any more.",
    )
    kind = filters.ChoiceFilter(
        choices=lambda: [(name, name) for name in KINDS], help_text="What it tells of."
    )
    about = filters.CharFilter(help_text="What it happened to, as `call:ID`.")

    class Meta:
        model = Delivery
        fields: tuple[str, ...] = ()

    def in_state(self, deliveries: QuerySet[Delivery], name: str, value: str) -> QuerySet[Delivery]:
        return deliveries.filter(state__in=Delivery.UNDER_WAY if value == State.WAITING else [value])


class AgainFields(serializers.Serializer):
    messages = serializers.IntegerField(help_text="How many are sent again.")


@extend_schema(tags=[TAG])
@extend_schema_view(
    list=extend_schema(summary="List a webhook's messages", responses=DeliveryRow),
    retrieve=extend_schema(summary="Get a message of a webhook"),
)
class Deliveries(Resource):
    """The newest first. They are kept for 30 days, whatever came of them."""

    queryset = Delivery.objects.all()  # of which webhook, `get_queryset` says
    serializer_class = DeliveryFields
    lookup_field = "uid"
    lookup_url_kwarg = "delivery"
    filterset_class = DeliveryFilters
    ordering = "-id"

    def get_queryset(self) -> QuerySet[Delivery]:
        deliveries = Delivery.objects.filter(webhook=get_object_or_404(Webhook, pk=self.kwargs["id"]))
        if self.action == "list":
            return deliveries.defer("body", "answer", "headers")
        return deliveries.select_related("webhook")

    def get_serializer_class(self) -> type[serializers.BaseSerializer]:
        return DeliveryRow if self.action == "list" else DeliveryFields

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """With what was sent, and what its last attempt was answered."""
        return super().retrieve(request, *args, **kwargs)

    @extend_schema(summary="Send a message again", request=None, responses={202: DeliveryFields})
    def replay(self, request: Request, id: int, delivery: str) -> Response:
        """With the id that it had. 409 while it is on its way, or its webhook is switched off."""
        message = self.get_object()
        with in_conflict():
            actions.replay(delivery=message, by=self.by)
        message.refresh_from_db()
        return self.told(message, status=202)

    @extend_schema(summary="Send again what was not delivered", request=None, responses={202: AgainFields})
    def replay_dead(self, request: Request, id: int) -> Response:
        """All of the webhook's that are `dead`, but for tests. 409 where it is switched off."""
        webhook = get_object_or_404(Webhook, pk=id)
        with in_conflict():
            count = actions.replay_dead(webhook=webhook, by=self.by)
        return Response({"messages": count}, status=202)
