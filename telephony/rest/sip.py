"""/api/telephony/lines: SIP lines. A password is taken, and never told."""

from __future__ import annotations

from typing import Any

from django_filters import rest_framework as filters
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework import serializers

from agents.models import Agent
from mlservices.rest.filters import IdOf, YesOrNo
from mlservices.rest.forms import filled
from mlservices.rest.problems import in_conflict
from mlservices.rest.resources import Resource
from mlservices.rest.serializers import ExactModel

from ..lines.sip_form import LABELS, SipLineForm
from ..models import Credential, SipLine
from ..sip.accounts import delete_line


class SipFields(ExactModel):
    agent = serializers.SlugRelatedField(
        "slug", queryset=Agent.objects.all(), required=False, allow_null=True
    )
    account = serializers.PrimaryKeyRelatedField(
        queryset=Credential.objects.filter(provider=Credential.Provider.ZADARMA),
        required=False,
        allow_null=True,
    )
    countries = serializers.ListField(
        child=serializers.CharField(),
        required=False,
        help_text="ISO; none: extensions of its exchange alone.",
    )
    secret = serializers.CharField(
        write_only=True, required=False, max_length=200, help_text="Its password. Never told again."
    )
    shown_state = serializers.ChoiceField(
        SipLine.State.choices, read_only=True, help_text="As the gateway that has it says."
    )

    class Meta:
        model = SipLine
        fields = ("id", *LABELS, "secret", "shown_state", "state_at", "reason")
        read_only_fields = ("state_at", "reason")


_EXAMPLE = OpenApiExample(
    "An extension of a PBX",
    request_only=True,
    value={"label": "Main desk", "host": "pbx.example.com", "user": "123456-100", "secret": "its password"},
)


_ANOTHER_NAME = OpenApiExample("Another name", request_only=True, value={"label": "Front desk"})


class SipFilters(filters.FilterSet):
    enabled = YesOrNo(help_text="Whether it is switched on.")
    agent = IdOf(Agent.objects.all(), help_text="The id of who answers.")

    class Meta:
        model = SipLine
        fields = ()


@extend_schema(tags=["SIP lines"])
@extend_schema_view(
    list=extend_schema(summary="List SIP lines"),
    retrieve=extend_schema(summary="Get a SIP line"),
    create=extend_schema(summary="Add a SIP line", examples=[_EXAMPLE]),
    partial_update=extend_schema(summary="Change a SIP line", examples=[_ANOTHER_NAME]),
    destroy=extend_schema(summary="Delete a SIP line"),
)
class SipLines(Resource):
    """Lines at providers and exchanges that the SIP gateway registers and carries."""

    queryset = SipLine.objects.select_related("agent")
    serializer_class = SipFields
    lookup_url_kwarg = "id"
    filterset_class = SipFilters
    search_fields = ("label", "host", "user")
    ordering_fields = ("label",)
    ordering = "label"

    def state_of(self, thing: SipLine, shown: Any) -> Any:
        """How it stands at its registrar is no change of ours."""
        return [*(shown[name] for name in LABELS), thing.password]  # its ciphertext

    def make(self, values: dict[str, Any]) -> SipLine:
        return filled(SipLineForm, SipLine(), values).save()

    def change(self, thing: SipLine, values: dict[str, Any]) -> SipLine:
        return filled(SipLineForm, thing, values).save()

    def remove(self, thing: SipLine) -> None:
        with in_conflict():
            delete_line(line=thing)
