"""/api/keys: the keys of the person who asks; of everybody for who looks after accounts."""

from __future__ import annotations

import re
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from mlservices.api.answers import invalid
from mlservices.rest.problems import Conflict, in_conflict
from mlservices.rest.resources import Resource
from mlservices.rest.serializers import Exact, ExactModel, told_by

from ..access import key_actions
from ..access.key_limits import MOST_NETWORKS
from ..access.roles import ABILITIES
from ..keys.figures import DAYS, LONGEST_DAYS, figures_of, with_totals
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

    requests_in_30_days = serializers.IntegerField(
        read_only=True, default=0, help_text="That it sent; of these, `refused_in_30_days` were refused."
    )
    refused_in_30_days = serializers.IntegerField(
        read_only=True, default=0, help_text="With 401, 403 or 429: see its `usage`."
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
            "last_used_for",
            "requests_in_30_days",
            "refused_in_30_days",
            "revoked_at",
        )
        read_only_fields = (
            "opens",
            "created_at",
            "last_used_at",
            "last_used_from",
            "last_used_for",
            "revoked_at",
        )


class UseFields(serializers.Serializer):
    requests = serializers.IntegerField()
    refused = serializers.IntegerField(
        help_text="Answered with 401, 403 or 429: not taken, not allowed, too many."
    )
    wrong = serializers.IntegerField(help_text="With another 4xx: what was asked was wrong.")
    failed = serializers.IntegerField(help_text="With 5xx.")


class UseOfDay(UseFields):
    day = serializers.DateField()


class UseOfResource(UseFields):
    resource = serializers.CharField(help_text="As `calls`; empty: no address that there is.")


class UseByStatus(serializers.Serializer):
    status = serializers.IntegerField(help_text="Of HTTP; 101: a socket was opened.")
    requests = serializers.IntegerField()


class KeyUsageFields(UseFields):
    """What a key asked for. What was asked in the last ten seconds may be missing."""

    calls_placed = serializers.IntegerField(help_text="Of those that it ordered.")
    last_used_at = serializers.DateTimeField(allow_null=True)
    last_used_from = serializers.CharField()
    last_used_for = serializers.CharField(help_text="As `GET /api/agents/{id}`.")
    days = UseOfDay(many=True, help_text="Each day of UTC, the oldest first.")
    resources = UseOfResource(many=True, help_text="The most asked first.")
    statuses = UseByStatus(many=True, help_text="The most frequent first.")


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
        keys = with_totals(super().get_queryset().select_related("person"))
        every: bool = self.request.user.has_perm(EVERYBODYS)
        return keys if every else keys.filter(person=self.request.user)

    def state_of(self, thing: ApiKey, shown: Any) -> Any:
        used = {name for name in shown if name.startswith("last_used") or name.endswith("_in_30_days")}
        return {name: value for name, value in shown.items() if name not in used}

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """It is told this once, and kept as a hash."""
        values = self.checked()
        key, shown = key_actions.create(values.pop("name"), self.request.user, **values)
        return self._told_once(key, shown)

    def change(self, thing: ApiKey, values: dict[str, Any]) -> ApiKey:
        with in_conflict(key_actions.Closed):
            key_actions.change(key=thing, by=self.request.user, **values)
        changed: ApiKey = self.get_object()  # with its totals
        return changed

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

    @extend_schema(
        summary="Get what a key was used for",
        parameters=[
            OpenApiParameter(
                "days",
                {"type": "integer", "minimum": 1, "maximum": LONGEST_DAYS, "default": DAYS},
                description="The last days, today included.",
            )
        ],
        responses=KeyUsageFields,
    )
    def usage(self, request: Request, id: str) -> Response:
        """By day, by resource and by how it was answered, what was refused included. Which models it used,
        `/api/usage` tells."""
        key, asked = self.get_object(), request.query_params.get("days", str(DAYS))
        if not re.fullmatch("[0-9]{1,3}", asked) or not 1 <= int(asked) <= LONGEST_DAYS:
            raise invalid(days=f"Choose from 1 to {LONGEST_DAYS}.")
        used = figures_of(key, int(asked))
        told = {
            **asdict(used.totals),
            "calls_placed": used.calls_placed,
            "last_used_at": key.last_used_at,
            "last_used_from": key.last_used_from,
            "last_used_for": key.last_used_for,
            "days": [{"day": day, **asdict(sums)} for day, sums in used.days.items()],
            "resources": [{"resource": name, **asdict(sums)} for name, sums in used.resources.items()],
            "statuses": [{"status": status, "requests": n} for status, n in used.statuses.items()],
        }
        return Response(told_by(KeyUsageFields, told), headers={"Cache-Control": "no-store"})

    def _told_once(self, key: ApiKey, shown: str) -> Response:
        told = {"key": shown, **told_by(KeyFields, key)}
        return Response(told, status=201, headers={"Cache-Control": "no-store"})
