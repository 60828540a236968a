"""/api/services: how each engine, provider and part of the platform does, as the page of status says."""

from __future__ import annotations

from typing import Any

from asgiref.sync import sync_to_async
from drf_spectacular.utils import extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from mlservices import checks
from mlservices.checks import GROUPS, Status
from mlservices.models import ServiceAlert, ServiceState
from mlservices.rest.later import later
from mlservices.rest.resources import Verbs
from mlservices.rest.serializers import told_by

from ..status import Summary, check_now, service_named
from ..status_cards import UNKNOWN, cards_of, incidents_of

TAG = "Services"
STATUSES = [*(str(status) for status in Status), UNKNOWN]


class ProbeFields(serializers.Serializer):
    name = serializers.CharField(source="probe.name")
    title = serializers.CharField(source="probe.title")
    status = serializers.ChoiceField(STATUSES)
    latency_ms = serializers.IntegerField(allow_null=True, source="found.latency_ms", default=None)
    reason = serializers.CharField(help_text="Why it did not pass, or what was found.")
    remedy = serializers.CharField(help_text="What to do.")
    asked_at = serializers.DateTimeField(allow_null=True)
    passed_at = serializers.DateTimeField(allow_null=True)


class ServiceRow(serializers.Serializer):
    """A service in a list."""

    id = serializers.CharField(source="service.key")
    title = serializers.CharField(source="service.title")
    about = serializers.CharField(source="service.about", help_text="Which one it is.")
    group = serializers.ChoiceField(list(GROUPS), source="service.group")
    status = serializers.ChoiceField(
        STATUSES, help_text="What is known of this moment: `unknown` where it was not asked just now."
    )
    checked_at = serializers.DateTimeField(source="kept.checked_at", allow_null=True, default=None)
    succeeded_at = serializers.DateTimeField(source="kept.succeeded_at", allow_null=True, default=None)
    latency_ms = serializers.IntegerField(
        source="kept.latency_ms", allow_null=True, default=None, help_text="Of its slowest probe."
    )
    failures = serializers.IntegerField(
        source="kept.failures", allow_null=True, default=None, help_text="Checks in a row that failed."
    )
    checks = serializers.IntegerField(source="history.checks", help_text="In seven days.")
    share = serializers.FloatField(
        source="history.share", allow_null=True, help_text="0 to 1: of these checks, those that did not fail."
    )
    probes = ProbeFields(many=True)


class IncidentFields(serializers.Serializer):
    probe = serializers.CharField(source="title")
    status = serializers.ChoiceField(STATUSES)
    reason = serializers.CharField()
    first = serializers.DateTimeField()
    last = serializers.DateTimeField()
    checks = serializers.IntegerField()


class ServiceFields(ServiceRow):
    """A service, and when its probes did not pass."""

    incidents = IncidentFields(many=True)


class AlertFields(serializers.ModelSerializer):
    value = serializers.FloatField(
        help_text="The highest since: checks in a row, a share (0 to 1) or seconds."
    )

    class Meta:
        model = ServiceAlert
        fields = ("service", "title", "kind", "value", "limit", "since")


@extend_schema_serializer(many=False)  # it is one, also of an action that is called `list`
class ServicesFields(serializers.Serializer):
    status = serializers.ChoiceField(STATUSES, help_text="The worst of all.")
    services = ServiceRow(many=True)
    alerts = AlertFields(many=True, help_text="Those that are not over.")


@extend_schema(tags=[TAG])
class Services(Verbs):
    """Each is asked every minute; an older answer than two and a half minutes says nothing of now."""

    serializer_class = ServiceFields
    queryset = ServiceState.objects.none()  # described by; services are what the settings make them
    pagination_class = None
    filter_backends = ()

    @extend_schema(summary="List services", responses=ServicesFields)
    def list(self, request: Request) -> Response:
        """All that are configured, by group, with the alerts that are open."""
        cards = cards_of(checks.services())
        alerts = ServiceAlert.objects.filter(cleared_at=None).order_by("since")
        told = {"status": Summary(cards).status, "services": cards, "alerts": alerts}
        return _unstored(told_by(ServicesFields, told))

    @extend_schema(summary="Get a service", responses=ServiceFields)
    def retrieve(self, request: Request, id: str) -> Response:
        return _unstored(_told(id))

    @extend_schema(summary="Check a service now", request=None, responses=ServiceFields)
    def check(self, request: Request, id: str) -> Any:
        """All its probes, those too that cost money and are not asked every minute."""
        service = service_named(id)

        async def make() -> dict[str, Any]:
            await check_now(service)
            return await sync_to_async(_told)(id)

        return later(make)


def _told(key: str) -> dict[str, Any]:
    service = service_named(key)
    [card] = cards_of([service])
    return {
        **told_by(ServiceRow, card),
        "incidents": [told_by(IncidentFields, each) for each in incidents_of(service)],
    }


def _unstored(told: Any) -> Response:
    return Response(told, headers={"Cache-Control": "no-store"})
