"""What a call used, and what that cost."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.conf import settings
from rest_framework import serializers

from mlservices.models.usage import Service, Unit
from mlservices.rest.serializers import told_by
from mlservices.usage.figures import OfEngine, engines_of_call

from ..cost import cost_of
from ..models import Call
from .call_fields import CostFields


class OfEngineFields(serializers.Serializer):
    service = serializers.ChoiceField(Service.choices)
    engine = serializers.CharField(help_text="Who answered: a model's id, or a service and its model.")
    unit = serializers.ChoiceField(Unit.choices, help_text="Of `amount`.")
    requests = serializers.IntegerField()
    failed = serializers.IntegerField()
    degraded = serializers.IntegerField(help_text="Served in the stead of the first choice.")
    estimated = serializers.IntegerField(help_text="Requests whose tokens are.")
    amount = serializers.FloatField()
    answered = serializers.IntegerField(help_text="Of the tokens in `amount`, those of answers.")
    cost = serializers.DecimalField(18, 8, coerce_to_string=True)


class OfModelsFields(serializers.Serializer):
    requests = serializers.IntegerField()
    cost = serializers.DecimalField(18, 8, coerce_to_string=True)
    currency = serializers.CharField()
    engines = OfEngineFields(many=True)


class CallUsageFields(serializers.Serializer):
    call = serializers.UUIDField()
    turns = serializers.IntegerField(help_text="The caller's.")
    slow_turns = serializers.IntegerField(help_text="Answered late.")
    duration_seconds = serializers.FloatField(allow_null=True, help_text="null while it goes on.")
    carrier = CostFields(allow_null=True, help_text="null while it goes on.")
    models = OfModelsFields(
        allow_null=True,
        help_text="What speech and language models were asked for, while that is kept; null for who may not "
        "see it.",
    )


def usage_of(call: Call, *, with_models: bool) -> dict[str, Any]:
    told = {
        "call": call.pk,
        "turns": call.turns,
        "slow_turns": call.slow_turns,
        "duration_seconds": call.duration_seconds,
        "carrier": None if call.is_live else cost_of(call),
        "models": _of_models(engines_of_call(call.pk)) if with_models else None,
    }
    return dict(told_by(CallUsageFields, told))


def _of_models(engines: list[OfEngine]) -> dict[str, Any]:
    return {
        "requests": sum(each.requests for each in engines),
        "cost": sum((each.cost for each in engines), start=Decimal(0)),
        "currency": settings.CURRENCY,
        "engines": engines,
    }
