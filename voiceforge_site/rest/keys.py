"""/api/keys: the keys of the person who asks; of everybody for who looks after accounts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from mlservices.rest.problems import Conflict, in_conflict
from mlservices.rest.resources import Resource
from mlservices.rest.serializers import Exact, ExactModel, told_by

from ..access import key_actions
from ..access.key_limits import MOST_NETWORKS
from ..access.roles import ABILITIES
from ..models import ApiKey

EVERYBODYS = "voiceforge_site.manage_people"


class KeyFields(ExactModel):
    id = serializers.CharField(
        source="prefix", read_only=True, help_text="Its beginning, by which it is known."
    )
    person = serializers.SlugRelatedField("username", read_only=True)
    scopes = serializers.ListField(
        child=serializers.ChoiceField(list(ABILITIES)),
        required=False,
        help_text="What it may do of what its person may; empty: all of it.",
    )
    networks = serializers.ListField(
        child=serializers.CharField(max_length=50),
        max_length=MOST_NETWORKS,
        required=False,
        help_text="From where it may be used, as 203.0.113.0/24; empty: from anywhere.",
    )

    class Meta:
        model = ApiKey
        fields = (
            "id",
            "name",
            "person",
            "scopes",
            "networks",
            "requests_a_minute",
            "expires_at",
            "opens",
            "created_at",
            "last_used_at",
            "last_used_from",
            "revoked_at",
        )
        read_only_fields = ("opens", "created_at", "last_used_at", "last_used_from", "revoked_at")


class NewKeyFields(KeyFields):
    key = serializers.CharField(read_only=True, help_text="The key itself: told this once.")

    class Meta(KeyFields.Meta):
        fields = ("key", *KeyFields.Meta.fields)  # type: ignore[assignment]


class OverlapFields(Exact):
    overlap_hours = serializers.IntegerField(
        min_value=0, max_value=720, default=24, help_text="For how long the old key opens yet."
    )


_EXAMPLE = OpenApiExample(
    "One that may read calls",
    request_only=True,
    value={"name": "Reports", "scopes": ["telephony.view_calls"], "networks": ["203.0.113.0/24"]},
)


_SLOWER = OpenApiExample("Fewer requests", request_only=True, value={"requests_a_minute": 60})
_TWO_DAYS = OpenApiExample("Two days for the change", request_only=True, value={"overlap_hours": 48})


@extend_schema(tags=["Keys"])
@extend_schema_view(
    list=extend_schema(summary="List keys"),
    retrieve=extend_schema(summary="Get a key"),
    create=extend_schema(summary="Make a key", responses={201: NewKeyFields}, examples=[_EXAMPLE]),
    partial_update=extend_schema(summary="Change a key", examples=[_SLOWER]),
    destroy=extend_schema(summary="Revoke a key"),
)
class Keys(Resource):
    """What programs show in place of a person's password. A key makes and changes none that may do more than
    itself, or longer, from elsewhere or faster."""

    queryset = ApiKey.objects.all()  # of whom, `get_queryset` says
    serializer_class = KeyFields
    lookup_field = "prefix"
    lookup_url_kwarg = "id"
    search_fields = ("name",)
    ordering_fields = ("created_at", "name")
    ordering = "-created_at"

    def get_queryset(self) -> QuerySet[ApiKey]:
        keys = super().get_queryset().select_related("person")
        every: bool = self.request.user.has_perm(EVERYBODYS)
        return keys if every else keys.filter(person=self.request.user)

    def state_of(self, thing: ApiKey, shown: Any) -> Any:
        return {name: value for name, value in shown.items() if not name.startswith("last_used")}

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """It is told this once, and kept as a hash."""
        values = self.checked()
        key, shown = key_actions.create(values.pop("name"), self.request.user, **values)
        return self._told_once(key, shown)

    def change(self, thing: ApiKey, values: dict[str, Any]) -> ApiKey:
        with in_conflict(key_actions.Closed):
            return key_actions.change(key=thing, by=self.request.user, **values)

    def remove(self, thing: ApiKey) -> None:
        """It opens nothing from the next request on."""
        if not key_actions.revoke(thing.prefix):
            raise Conflict("It was revoked already.")

    @extend_schema(
        summary="Put another in a key's place",
        request=OverlapFields,
        responses={201: NewKeyFields},
        examples=[_TWO_DAYS],
    )
    def rotate(self, request: Request, id: str) -> Response:
        """A key with the same name and limits; both open for a while, so that no request fails. Only its own
        person may do this."""
        overlap = timedelta(hours=self.sent(OverlapFields)["overlap_hours"])
        with in_conflict(key_actions.Closed):
            key, shown = key_actions.rotate(key=self.get_object(), overlap=overlap, by=request.user)
        return self._told_once(key, shown)

    def _told_once(self, key: ApiKey, shown: str) -> Response:
        told = {"key": shown, **told_by(KeyFields, key)}
        return Response(told, status=201, headers={"Cache-Control": "no-store"})
