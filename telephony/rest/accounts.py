"""/api/telephony/credentials: accounts with providers. A secret is taken, and never told."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from mlservices.rest.forms import filled, valid
from mlservices.rest.problems import in_conflict
from mlservices.rest.resources import Resource
from mlservices.rest.serializers import Exact

from ..lines.actions import (
    add_credential,
    change_credential,
    check_credential,
    delete_credential,
    replace_secret,
)
from ..lines.forms import LimitsForm, NewAccountForm, SecretForm
from ..lines.number_actions import import_numbers
from ..models import Credential
from .asking import asking

TAG = "Accounts"
_LIMITS = ("label", "countries", "daily_cap", "calls_per_second")


class AccountFields(Exact):
    """`account` is Twilio's account SID or Zadarma's key, told in part."""

    id = serializers.IntegerField(source="pk", read_only=True)
    provider = serializers.ChoiceField(Credential.Provider.choices)
    label = serializers.CharField(max_length=80)
    account = serializers.CharField(max_length=64)
    secret = serializers.CharField(max_length=200, write_only=True, help_text="Never told again.")
    countries = serializers.ListField(
        child=serializers.CharField(),
        required=False,
        help_text="ISO codes of those that may be called; none: those of its own numbers.",
    )
    daily_cap = serializers.DecimalField(
        9, 2, required=False, allow_null=True, help_text="What the calls of 24 hours may cost."
    )
    calls_per_second = serializers.DecimalField(4, 1, required=False)
    numbers = serializers.IntegerField(source="count", read_only=True, default=0)
    facts = serializers.SerializerMethodField()
    problem = serializers.CharField(
        read_only=True, help_text="Why the provider did not answer; empty: it did."
    )
    checked_at = serializers.DateTimeField(read_only=True, allow_null=True)
    signed_at = serializers.DateTimeField(
        read_only=True, allow_null=True, help_text="When a request of the provider's last fitted the secret."
    )

    def to_representation(self, instance: Credential) -> Any:
        return {**super().to_representation(instance), "account": instance.masked}

    def get_facts(self, account: Credential) -> dict[str, str]:
        """What the provider answered when it was asked last: its name, its balance."""
        return dict(account.facts)


class ImportedFields(serializers.Serializer):
    new = serializers.IntegerField()
    all = serializers.IntegerField()


_EXAMPLE = OpenApiExample(
    "An account with Twilio",
    request_only=True,
    value={
        "provider": "twilio",
        "label": "Main account",
        "account": "AC0123456789abcdef0123456789abcdef",
        "secret": "the-auth-token",
    },
)


_A_LIMIT = OpenApiExample("A limit", request_only=True, value={"daily_cap": "20.00", "countries": ["US"]})


@extend_schema(tags=[TAG])
@extend_schema_view(
    list=extend_schema(summary="List accounts"),
    retrieve=extend_schema(summary="Get an account"),
    create=extend_schema(summary="Add an account", examples=[_EXAMPLE]),
    partial_update=extend_schema(summary="Change an account", examples=[_A_LIMIT]),
    destroy=extend_schema(summary="Delete an account"),
)
class Accounts(Resource):
    """Accounts with Twilio and Zadarma, and their limits against fraud."""

    queryset = Credential.objects.real().annotate(count=Count("numbers"))
    serializer_class = AccountFields
    lookup_url_kwarg = "id"
    filterset_fields = ("provider",)
    search_fields = ("label",)
    ordering_fields = ("label", "created_at")
    ordering = "label"

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """It is asked at once what it is. One that does not answer is kept all the same: see `problem`."""
        sent = self.checked()
        limits = {name: sent.pop(name) for name in _LIMITS[1:] if name in sent}
        form = valid(NewAccountForm(sent))
        with transaction.atomic():  # nothing is kept where the limits are refused
            with in_conflict(field="account"):
                account = add_credential(**form.cleaned_data, by=self.by)
            if limits:
                self.change(account, limits)
        check_credential(credential=account, by=self.by)
        return self.told(account, status=201)

    def state_of(self, thing: Credential, shown: Any) -> Any:
        """What it answers when it is asked is no change of ours."""
        return [*(shown[name] for name in _LIMITS), thing.secret]  # its ciphertext

    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """With a new secret it is asked at once whether that fits."""
        answer = super().partial_update(request, *args, **kwargs)
        if "secret" not in request.data:
            return answer
        return self.check(request, **kwargs)

    def change(self, thing: Credential, values: dict[str, Any]) -> Credential:
        """Its name and limits; a new `secret` takes the place of the old one. Which account it is stays."""
        for name in ("provider", "account"):
            if name in values:
                raise ValidationError({name: "It cannot be changed: add another account."})
        if secret := values.pop("secret", ""):
            replace_secret(credential=thing, by=self.by, **valid(SecretForm({"secret": secret})).cleaned_data)
        if values:
            form = filled(LimitsForm, Credential.objects.get(pk=thing.pk), values)
            change_credential(credential=thing, by=self.by, **form.cleaned_data)
        return self.queryset.get(pk=thing.pk)  # with how many numbers it has

    def remove(self, thing: Credential) -> None:
        """With its numbers here; the provider keeps them."""
        with in_conflict():
            delete_credential(credential=thing, by=self.by)

    @extend_schema(summary="Ask the provider now", request=None, responses=AccountFields)
    def check(self, request: Request, id: int) -> Response:
        account = self.get_object()
        check_credential(credential=account, by=self.by)
        return self.told(account)

    @extend_schema(summary="Import an account's numbers", request=None, responses=ImportedFields)
    def import_numbers(self, request: Request, id: int) -> Response:
        """Those that are here keep who answers them."""
        with asking():
            new, every = import_numbers(credential=self.get_object(), by=self.by)
        return Response({"new": new, "all": every})
