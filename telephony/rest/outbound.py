"""Calls that we place, and numbers that nobody calls."""

from __future__ import annotations

from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from django.core.exceptions import ValidationError
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_filters import rest_framework as filters
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from agents.constants import validate_constants
from agents.fields import PhoneField
from agents.models import Agent
from mlservices.api.answers import asker_of
from mlservices.rest.filters import IdOf
from mlservices.rest.forms import valid
from mlservices.rest.problems import Conflict
from mlservices.rest.resources import Resource
from mlservices.rest.serializers import Exact

from ..models import Call, DoNotCall, PhoneNumber, PlannedCall, SipLine
from ..outbound.actions import cancel_planned, do_not_call, may_be_called, plan_call
from ..outbound.forms import DialField, ListForm

TAG = "Outbound calls"


class PlannedFields(Exact):
    """`state` tells what became of it, `call` the id of the call once it is being placed."""

    id = serializers.UUIDField(read_only=True)
    to = serializers.CharField(max_length=40, help_text="With the country code; by a line also an extension.")
    agent = serializers.SlugRelatedField(
        "slug", queryset=Agent.objects.all(), help_text="The id of an active agent.", allow_null=False
    )
    caller_id = serializers.SlugRelatedField(
        "number",
        queryset=PhoneNumber.objects.real().select_related("credential"),
        required=False,
        allow_null=True,
        help_text="One of your numbers, which is shown; or else `line`.",
    )
    line = serializers.PrimaryKeyRelatedField(
        queryset=SipLine.objects.filter(enabled=True),
        required=False,
        allow_null=True,
        help_text="The id of a SIP line.",
    )
    telephone = serializers.CharField(
        max_length=40,
        required=False,
        allow_blank=True,
        help_text="Of yours, which a call-back by Zadarma rings first.",
    )
    variables = serializers.DictField(
        source="values",
        child=serializers.CharField(allow_blank=True),
        required=False,
        help_text="For this call, as the agent and its flow name them.",
    )
    due_at = serializers.DateTimeField(required=False, help_text="Within a year; left out: now.")
    machine = serializers.ChoiceField(
        PlannedCall.Machine.choices, required=False, help_text="What to do when a machine answers."
    )
    message = serializers.CharField(
        max_length=500, required=False, allow_blank=True, help_text="What is said to a machine."
    )
    send_digits = serializers.RegexField(
        r"^[0-9*#wW]*$",
        max_length=32,
        required=False,
        allow_blank=True,
        help_text="Keys to press once it is answered; w waits half a second.",
        error_messages={"invalid": gettext_lazy("Write keys alone: 0 to 9, *, # and w for half a second.")},
    )
    state = serializers.ChoiceField(PlannedCall.State.choices, read_only=True)
    reason = serializers.CharField(read_only=True, help_text="Why it was not placed.")
    call = serializers.UUIDField(source="call_id", read_only=True, allow_null=True)
    by = serializers.CharField(read_only=True)
    at = serializers.DateTimeField(read_only=True)


_EXAMPLE = OpenApiExample(
    "A reminder, tomorrow",
    request_only=True,
    value={
        "to": "+14155550123",
        "agent": "front-desk",
        "caller_id": "+14155550100",
        "variables": {"name": "Ann", "appointment": "Friday at three"},
        "due_at": "2026-12-01T15:00:00Z",
        "machine": "hang_up",
    },
)


class PlannedFilters(filters.FilterSet):
    agent = IdOf(Agent.objects.all(), help_text="The id of who speaks.")
    call = IdOf(Call.objects.all(), to_field_name="id", help_text="The id of the call that came of it.")

    class Meta:
        model = PlannedCall
        fields = ("state", "to")


@extend_schema(tags=[TAG])
@extend_schema_view(
    list=extend_schema(summary="List calls that are, or were, to be placed"),
    retrieve=extend_schema(summary="Get a call that is to be placed"),
    create=extend_schema(summary="Place a call", examples=[_EXAMPLE]),
    destroy=extend_schema(summary="Cancel a call that waits"),
)
class Planned(Resource):
    """Calls to be placed, now or later, at the pace of their account or line. The do-not-call list, the
    countries that may be called and the cap of a day hold as on the dialler's page. With an Idempotency-Key
    a call is placed once, whatever the network does."""

    queryset = PlannedCall.objects.select_related("agent", "caller_id", "line")
    serializer_class = PlannedFields
    lookup_url_kwarg = "id"
    filterset_class = PlannedFilters
    search_fields = ("to", "agent__name")
    ordering_fields = ("at", "due_at")
    ordering = "-at"

    def make(self, values: dict[str, Any]) -> PlannedCall:
        values |= self._numbers(values)
        try:
            validate_constants(values.get("values", {}))
        except ValidationError as error:
            raise ValidationError({"variables": error.messages}) from None
        return plan_call(**values, by=self.by, once=self._once())

    def who_changed(self, thing: PlannedCall) -> str:
        return ""  # it goes on by itself

    def remove(self, thing: PlannedCall) -> None:
        if not cancel_planned(planned=thing):
            raise Conflict(_("It is too late: this call was placed already."))

    @staticmethod
    def _numbers(values: dict[str, Any]) -> dict[str, str]:
        """As the dialler's form reads them."""
        read, wrong = {}, {}
        for name in ("to", "telephone"):
            if values.get(name):
                try:
                    read[name] = DialField().clean(values[name])
                except ValidationError as error:
                    wrong[name] = error.messages
        if wrong:
            raise ValidationError(wrong)
        return read

    def _once(self) -> UUID | None:
        """Of the Idempotency-Key, so that even a server that died in between places it once."""
        key = self.request.headers.get("Idempotency-Key", "")
        asker = asker_of(self.request._request)
        return uuid5(NAMESPACE_URL, f"planned call\0{asker}\0{key}") if key else None


class NeverFields(Exact):
    number = serializers.CharField(read_only=True)
    reason = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")
    numbers = serializers.ListField(
        child=serializers.CharField(), write_only=True, max_length=1000, help_text="All of them or none."
    )
    by = serializers.CharField(read_only=True)
    at = serializers.DateTimeField(read_only=True)


_TWO_NUMBERS = OpenApiExample(
    "Two who asked for it",
    request_only=True,
    value={"numbers": ["+14155550123", "+14155550124"], "reason": "Asked not to be called"},
)


class AddedFields(serializers.Serializer):
    added = serializers.IntegerField(help_text="How many were not on it yet.")


@extend_schema(tags=[TAG])
@extend_schema_view(
    list=extend_schema(summary="List numbers that nobody calls"),
    create=extend_schema(
        summary="Add numbers that nobody calls", responses={201: AddedFields}, examples=[_TWO_NUMBERS]
    ),
    destroy=extend_schema(summary="Let a number be called again"),
)
class Never(Resource):
    """The do-not-call list. It holds on every way on which a call could begin; calls to them that wait are
    canceled."""

    queryset = DoNotCall.objects.all()
    serializer_class = NeverFields
    search_fields = ("number", "reason")
    ordering_fields = ("at",)
    ordering = "-at"

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        sent = self.checked()
        _refuse_wrong(sent["numbers"])
        form = valid(ListForm({"numbers": "\n".join(sent["numbers"]), "reason": sent["reason"]}))
        added = do_not_call(**form.cleaned_data, by=self.by)
        return Response({"added": added}, status=201)

    def who_changed(self, thing: DoNotCall) -> str:
        return thing.by  # the trail knows the list as one thing

    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        self.refuse_changed(get_object_or_404(DoNotCall, number=self.kwargs["id"]))
        may_be_called(number=self.kwargs["id"])
        return Response(status=204)


def _refuse_wrong(numbers: list[str]) -> None:
    """All that are none, each at its place; the form names a line."""
    wrong, field = {}, PhoneField()
    for place, number in enumerate(numbers):
        try:
            field.clean(number)
        except ValidationError as error:
            wrong[f"numbers.{place}"] = error.messages
    if wrong:
        raise ValidationError(wrong)
