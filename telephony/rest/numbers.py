"""/api/telephony/numbers, and the callers who are turned away."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.shortcuts import get_object_or_404
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    extend_schema,
    extend_schema_serializer,
    extend_schema_view,
)
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from agents.hours_text import write_hours
from agents.models import Agent
from agents.rest.paths import by_path
from mlservices.api.answers import invalid
from mlservices.rest.filters import IdOf
from mlservices.rest.forms import filled, valid
from mlservices.rest.problems import Conflict, in_conflict
from mlservices.rest.resources import Resource
from mlservices.rest.serializers import Exact, ExactModel, told_by

from ..lines.forms import BlockForm, NumberForm, SearchForm
from ..lines.hours import hours_of
from ..lines.number_actions import (
    block_caller,
    buy_number,
    forget_number,
    give_back,
    offers,
    save_number,
    set_hooks,
    tell_of_fallback,
    unblock_caller,
)
from ..lines.texts import BESIDE_CALLS
from ..models import BlockedCaller, Credential, PhoneNumber
from .asking import asking

TAG = "Numbers"
_HOURS = {
    "timezone": "Europe/London",
    "week": {"monday": [["09:00", "17:00"]]},
    "closed_on": ["2026-12-25"],
}


class NumberFields(ExactModel):
    id = serializers.CharField(source="number", read_only=True, help_text="E.164, as +14155550100.")
    account = serializers.IntegerField(source="credential_id", read_only=True)
    provider = serializers.CharField(source="credential.provider", read_only=True)
    agent = serializers.SlugRelatedField(
        "slug", queryset=Agent.objects.all(), required=False, allow_null=True
    )
    after_agent = serializers.SlugRelatedField(
        "slug", queryset=Agent.objects.all(), required=False, allow_null=True
    )
    hours = serializers.DictField(
        required=False, help_text=f"When `agent` answers, like {_HOURS}; empty: always.".replace("'", '"')
    )

    class Meta:
        model = PhoneNumber
        fields = (
            "id",
            "label",
            "account",
            "provider",
            "agent",
            "extension",
            "hours",
            "after",
            "after_agent",
            "after_number",
            "fallback_number",
            "is_open",
            "can",
            "hooks",
            "imported_at",
        )
        read_only_fields = ("is_open", "can", "hooks", "imported_at")


class OfferFields(serializers.Serializer):
    number = serializers.CharField()
    place = serializers.CharField()
    can = serializers.ListField(child=serializers.CharField())
    price = serializers.DecimalField(
        9, 2, allow_null=True, help_text="A month; null: the provider does not say."
    )
    currency = serializers.CharField()


class OffersFields(serializers.Serializer):
    offers = OfferFields(many=True)


@extend_schema_serializer(
    examples=[
        OpenApiExample("One of the offers", request_only=True, value={"account": 1, "number": "+14155550100"})
    ]
)
class WantedFields(Exact):
    account = serializers.IntegerField(help_text="The id of the account that buys it.")
    number = serializers.CharField(help_text="One of the offers.")


class HooksFields(serializers.Serializer):
    before = serializers.DictField(child=serializers.CharField(allow_blank=True))
    after = serializers.DictField(child=serializers.CharField(allow_blank=True))


_ANOTHER_AGENT = OpenApiExample(
    "Another agent", request_only=True, value={"agent": "front-desk", "label": "Main line"}
)


def _query(name: str, what: str, **more: Any) -> OpenApiParameter:
    return OpenApiParameter(name, OpenApiTypes.STR, description=what, **more)


class NumberFilters(filters.FilterSet):
    provider = filters.ChoiceFilter(
        field_name="credential__provider", choices=Credential.Provider.choices, help_text="Of the account."
    )
    agent = IdOf(Agent.objects.all(), help_text="The id of who answers.")

    class Meta:
        model = PhoneNumber
        fields = ()


@extend_schema(tags=[TAG])
@extend_schema_view(
    list=extend_schema(summary="List numbers"),
    retrieve=extend_schema(summary="Get a number"),
    partial_update=extend_schema(summary="Change who answers a number", examples=[_ANOTHER_AGENT]),
    destroy=extend_schema(summary="Take a number out"),
)
class Numbers(Resource):
    """Telephone numbers of the accounts, and who answers them."""

    queryset = PhoneNumber.objects.real().select_related("credential", "agent", "after_agent")
    serializer_class = NumberFields
    lookup_field = "number"
    lookup_url_kwarg = "id"
    filterset_class = NumberFilters
    search_fields = ("number", "label", "agent__name")
    ordering_fields = ("number",)
    ordering = "number"

    columns = (
        *(name for name in NumberFields.Meta.fields if name not in ("id", "account", "provider", "is_open")),
        *("number", "credential__provider", "agent__slug", "after_agent__slug"),
    )

    def state_of(self, thing: PhoneNumber, shown: Any) -> Any:
        return {name: value for name, value in shown.items() if name != "is_open"}  # as the clock has it

    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The provider is told of a new `fallback_number` once it is saved."""
        values = self.checked(partial=True)
        if "hours" in values:
            try:
                hours_of(values["hours"])
            except ValidationError as error:
                raise by_path(ValidationError({"hours": error.messages})) from None
            week = write_hours(values["hours"]) if values["hours"] else ""
            values |= {"week": week, "zone": values.pop("hours").get("timezone", "")}
        with transaction.atomic():
            number = filled(NumberForm, self.as_expected(), values).save(commit=False)
            has_to_tell = save_number(number=number, by=self.by)
        if has_to_tell and (problem := tell_of_fallback(number=number, by=self.by)):
            raise Conflict(f"Saved, but the provider was not told of the fallback: {problem}")
        return self.told(self.get_object())

    def remove(self, thing: PhoneNumber) -> None:
        """Only here: the provider keeps it, unless `give-back` is asked."""
        with in_conflict():
            forget_number(number=thing, by=self.by)

    @extend_schema(summary="Give a number back", request=None, responses={204: None})
    def give_back(self, request: Request, id: str) -> Response:
        """The provider may sell it to somebody else at once."""
        with in_conflict(), asking():
            give_back(number=self.get_object(), by=self.by)
        return Response(status=204)

    @extend_schema(summary="Bring a number's calls here", request=None, responses=HooksFields)
    def hooks(self, request: Request, id: str) -> Response:
        """Sets the addresses that the provider asks; as they were, and as they are."""
        number = self.get_object()
        with asking():
            before = set_hooks(number=number, by=self.by)
        return Response({"before": before, "after": number.hooks})

    @extend_schema(
        summary="Search numbers to buy",
        responses=OffersFields,
        parameters=[
            _query("account", "The id of the account.", required=True),
            _query("country", "ISO, as US.", required=True),
            _query("kind", "", enum=["local", "mobile", "toll_free"]),
            _query("contains", "Digits, or * for any."),
            _query(
                "can", "What it must take beside calls; may be named again.", many=True, enum=[*BESIDE_CALLS]
            ),
        ],
    )
    def offers(self, request: Request) -> Response:
        """With what each costs a month. Nothing is bought."""
        sent = request.query_params.copy()
        sent.setdefault("kind", "local")
        form = valid(SearchForm(sent))
        asked = {name: form.cleaned_data[name] for name in ("country", "kind", "contains", "can")}
        with asking():
            found = offers(credential=form.cleaned_data["account"], by=self.by, **asked)
        return Response(told_by(OffersFields, {"offers": found}))

    @extend_schema(summary="Buy a number", request=WantedFields, responses={201: NumberFields})
    def buy(self, request: Request) -> Response:
        """It costs from now on. With an Idempotency-Key it is bought once, whatever the network does."""
        wanted = self.sent(WantedFields)
        account = Credential.objects.real().filter(pk=wanted["account"]).first()
        if account is None:
            raise invalid(account="There is no such account.")
        with asking():
            bought = buy_number(credential=account, number=wanted["number"], by=self.by)
        return self.told(bought, status=201)


_ALL_THAT_BEGIN_SO = OpenApiExample(
    "All that begin so", request_only=True, value={"pattern": "+4490*", "note": "They cost"}
)


class BlockedFields(ExactModel):
    id = serializers.CharField(source="pattern", read_only=True)

    class Meta:
        model = BlockedCaller
        fields = ("id", "pattern", "note", "by", "at", "turned_away")
        read_only_fields = ("by", "at", "turned_away")


@extend_schema(tags=[TAG])
@extend_schema_view(
    list=extend_schema(summary="List blocked callers"),
    create=extend_schema(summary="Block a caller", examples=[_ALL_THAT_BEGIN_SO]),
    destroy=extend_schema(summary="Let a caller ring again"),
)
class Blocked(Resource):
    """Callers who are turned away unanswered: a number, or with * at its end all that begin so."""

    queryset = BlockedCaller.objects.all()
    serializer_class = BlockedFields
    search_fields = ("pattern", "note")
    ordering_fields = ("pattern",)
    ordering = "pattern"

    def make(self, values: dict[str, Any]) -> BlockedCaller:
        return block_caller(**valid(BlockForm(values)).cleaned_data, by=self.by)

    def state_of(self, thing: BlockedCaller, shown: Any) -> Any:
        return {name: value for name, value in shown.items() if name != "turned_away"}

    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        self.refuse_changed(get_object_or_404(BlockedCaller, pattern=self.kwargs["id"]))
        unblock_caller(pattern=self.kwargs["id"])
        return Response(status=204)
