"""/api/users: who may sign in, and as what."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django_filters import rest_framework as filters
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from mlservices.rest.filters import YesOrNo
from mlservices.rest.problems import in_conflict
from mlservices.rest.resources import Resource
from mlservices.rest.serializers import Exact, ExactModel

from ..access.roles import Role
from ..models import User
from ..people import actions


class UserFields(ExactModel):
    role = serializers.ChoiceField(Role.choices)

    class Meta:
        model = User
        fields = ("id", "username", "name", "email", "role", "is_active", "joined_at", "seen_at")
        read_only_fields = ("username", "name", "email", "joined_at", "seen_at")


class InvitationFields(Exact):
    role = serializers.ChoiceField(Role.choices)
    meant_for = serializers.CharField(max_length=80, required=False, allow_blank=True, default="")


class LinkFields(serializers.Serializer):
    link = serializers.URLField(help_text="By which one person makes their account. Told this once.")
    expires_in_days = serializers.IntegerField()


class UserFilters(filters.FilterSet):
    is_active = YesOrNo(help_text="Whether they may sign in.")

    class Meta:
        model = User
        fields = ("role", "is_active")


@extend_schema(tags=["Users"])
@extend_schema_view(
    list=extend_schema(summary="List users"),
    retrieve=extend_schema(summary="Get a user"),
    partial_update=extend_schema(
        summary="Change a user's role, or whether they may sign in",
        examples=[OpenApiExample("Deactivate", request_only=True, value={"is_active": False})],
    ),
)
class Users(Resource):
    """People. They make their accounts themselves, by the link of an invitation, and are never deleted: what
    they did names them."""

    queryset = User.objects.all()
    serializer_class = UserFields
    lookup_url_kwarg = "id"
    filterset_class = UserFilters
    search_fields = ("username", "name", "email")
    ordering_fields = ("username", "joined_at")
    ordering = "username"

    def state_of(self, thing: User, shown: Any) -> Any:
        return {name: value for name, value in shown.items() if name != "seen_at"}

    def change(self, thing: User, values: dict[str, Any]) -> User:
        with in_conflict():
            if values.get("role", thing.role) != thing.role:
                actions.change_role(user=thing, role=values["role"], by=self.request.user)
            if values.get("is_active", thing.is_active) != thing.is_active:
                verb = actions.reactivate if values["is_active"] else actions.deactivate
                verb(user=thing, by=self.request.user)
        thing.refresh_from_db()
        return thing

    @extend_schema(
        summary="Invite somebody",
        request=InvitationFields,
        responses={201: LinkFields},
        examples=[
            OpenApiExample("An operator", request_only=True, value={"role": "operator", "meant_for": "Ann"})
        ],
    )
    def invite(self, request: Request) -> Response:
        token = actions.invite(**self.sent(InvitationFields), by=request.user)
        link = request.build_absolute_uri(reverse("invitation", args=[token]))
        told = {"link": link, "expires_in_days": actions.VALID_FOR.days}
        return Response(told, status=201, headers={"Cache-Control": "no-store"})

    @extend_schema(summary="Sign a user out everywhere", request=None, responses={204: None})
    def sign_out(self, request: Request, id: int) -> Response:
        actions.end_sessions(user=self.get_object(), by=request.user)
        return Response(status=204)

    @extend_schema(tags=["Users"], summary="Who asks", responses=UserFields)
    def me(self, request: Request) -> Response:
        """The person whose key it is."""
        return self.told(request.user)
