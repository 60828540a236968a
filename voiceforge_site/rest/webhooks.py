"""/api/webhooks: which systems are told what happens here. Their messages are in `deliveries`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from asgiref.sync import sync_to_async
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_field, extend_schema_view
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from mlservices.happenings import KINDS
from mlservices.rest.later import later
from mlservices.rest.problems import in_conflict
from mlservices.rest.resources import Resource
from mlservices.rest.serializers import Exact, ExactModel, told_by, told_time

from ..hooks import actions
from ..hooks.figures import DAYS, figures_of
from ..hooks.models import Webhook
from .delivery_fields import DeliveryFields

TAG = "Webhooks"
_OVERLAP_HOURS = round(actions.OVERLAP.total_seconds() / 3600)
_LONGEST_OVERLAP_HOURS = round(actions.LONGEST_OVERLAP.total_seconds() / 3600)


class FigureFields(serializers.Serializer):
    delivered = serializers.IntegerField(help_text=f"In {DAYS} days, without tests.")
    lost = serializers.IntegerField(help_text=f"Not delivered, in {DAYS} days, without tests.")
    waiting = serializers.IntegerField(help_text="Now.")
    dead = serializers.IntegerField(help_text="All that are kept and were not delivered.")


def _texts(what: str) -> serializers.ListField:
    return serializers.ListField(child=serializers.CharField(), required=False, help_text=what)


class WebhookFields(ExactModel):
    kinds = serializers.ListField(
        child=serializers.CharField(), help_text="What it is told of: see `/api/webhooks/kinds`."
    )
    agents = _texts("Ids of agents; empty: all.")
    directions = _texts("Of calls: `inbound`, `outbound`; empty: all.")
    numbers = _texts("Ours, as +14155550100; empty: all.")
    reason = serializers.CharField(read_only=True, help_text="Why it was switched off.")
    failures = serializers.IntegerField(read_only=True, help_text="Attempts in a row that failed.")
    figures = FigureFields(read_only=True)
    both_sign_until = serializers.SerializerMethodField()

    class Meta:
        model = Webhook
        fields = (
            "id",
            *actions.FIELDS,
            "state",
            "reason",
            "failures",
            "failing_since",
            "held_until",
            "both_sign_until",
            "figures",
            "created_at",
            "changed_at",
            "changed_by",
        )
        extra_kwargs = {
            "description": {"help_text": "What it is for, in words of your own."},
            "url": {"help_text": "Where messages are sent: https, and outside your network."},
        }

    @extend_schema_field(serializers.DateTimeField(allow_null=True))
    def get_both_sign_until(self, webhook: Webhook) -> str | None:
        """Until then the secret before this one signs as well; null where one signs alone."""
        return told_time(webhook.previous_until) if webhook.both_sign else None


class NewWebhookFields(WebhookFields):
    signing_secret = serializers.CharField(read_only=True, help_text="Told this once.")

    class Meta(WebhookFields.Meta):
        fields = ("signing_secret", *WebhookFields.Meta.fields)  # type: ignore[assignment]


class RotateFields(Exact):
    overlap_hours = serializers.IntegerField(
        min_value=0,
        max_value=_LONGEST_OVERLAP_HOURS,
        default=_OVERLAP_HOURS,
        help_text="For how long the old secret signs beside the new one; 0: it has leaked.",
    )


class KindFields(serializers.Serializer):
    kind = serializers.CharField(source="name")
    what = serializers.CharField(help_text="When it is told.")
    example = serializers.DictField(help_text="What `data` of its message looks like.")


class KindsFields(serializers.Serializer):
    kinds = KindFields(many=True)


_A_WEBHOOK = OpenApiExample(
    "A CRM that is told of calls",
    request_only=True,
    value={
        "description": "Our CRM",
        "url": "https://crm.example.com/voiceforge",
        "kinds": ["call.ended", "call.message_taken"],
    },
)
_ANOTHER_ADDRESS = OpenApiExample(
    "Another address", request_only=True, value={"url": "https://crm.example.com/hooks/voiceforge"}
)
_TWO_DAYS = OpenApiExample("Two days for the change", request_only=True, value={"overlap_hours": 48})


@extend_schema(tags=[TAG])
@extend_schema_view(
    list=extend_schema(summary="List webhooks"),
    retrieve=extend_schema(summary="Get a webhook"),
    create=extend_schema(summary="Add a webhook", responses={201: NewWebhookFields}, examples=[_A_WEBHOOK]),
    partial_update=extend_schema(summary="Change a webhook", examples=[_ANOTHER_ADDRESS]),
    destroy=extend_schema(summary="Delete a webhook"),
)
class Webhooks(Resource):
    """Addresses that are sent a signed POST when something happens. How it fares is not of its ETag."""

    queryset = Webhook.objects.all()
    serializer_class = WebhookFields
    lookup_url_kwarg = "id"
    filterset_fields = ("state",)
    search_fields = ("description",)
    ordering_fields = ("description", "created_at", "changed_at")
    ordering = ("description", "id")

    def state_of(self, thing: Webhook, shown: Any) -> Any:
        return [shown[name] for name in (*actions.FIELDS, "state", "both_sign_until", "changed_at")]

    def paginate_queryset(self, queryset: Any) -> Any:
        page = super().paginate_queryset(queryset)
        _count(page)
        return page

    def _shown(self, thing: Webhook) -> Any:
        _count([thing])
        return told_by(WebhookFields, thing)

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return self.told(self.get_object())

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Its messages are signed with `signing_secret`, which nobody can read again."""
        return self._told_once(*actions.add_webhook(by=self.by, **self.checked()), status=201)

    def change(self, thing: Webhook, values: dict[str, Any]) -> Webhook:
        """Messages that wait go to its new address too."""
        return actions.change_webhook(webhook=thing, by=self.by, **values)

    def remove(self, thing: Webhook) -> None:
        """With all its messages."""
        actions.delete_webhook(webhook=thing, by=self.by)

    @extend_schema(
        summary="Make a new secret",
        request=RotateFields,
        responses={200: NewWebhookFields},
        examples=[_TWO_DAYS],
    )
    def rotate(self, request: Request, id: int) -> Response:
        """Told this once. The old one signs as well for a while, so that no message is refused."""
        webhook, overlap = self.get_object(), timedelta(hours=self.sent(RotateFields)["overlap_hours"])
        secret = actions.rotate_secret(webhook=webhook, by=self.by, overlap=overlap)
        webhook.refresh_from_db()
        return self._told_once(webhook, secret, status=200)

    @extend_schema(summary="Pause a webhook", request=None)
    def pause(self, request: Request, id: int) -> Response:
        """Its messages wait. One that is not active stays as it is."""
        return self._switched(actions.pause)

    @extend_schema(summary="Switch a webhook on", request=None)
    def resume(self, request: Request, id: int) -> Response:
        """It is told again, and of what waits too."""
        return self._switched(actions.resume)

    @extend_schema(summary="Send a test", request=None, responses=DeliveryFields)
    def test(self, request: Request, id: int) -> Any:
        """A message at once, whatever the state of the webhook, and what came of it. It is not repeated."""
        webhook, by = self.get_object(), self.by

        async def make() -> dict[str, Any]:
            with in_conflict():
                delivery = await actions.try_out(webhook=webhook, by=by)
            shown: dict[str, Any] = await sync_to_async(lambda: told_by(DeliveryFields, delivery))()
            return shown

        return later(make)

    @extend_schema(summary="List what webhooks can be told of", responses=KindsFields)
    def kinds(self, request: Request) -> Response:
        return Response(KindsFields({"kinds": list(KINDS.values())}).data)

    def _switched(self, verb: Callable[..., object]) -> Response:
        webhook = self.get_object()
        verb(webhook=webhook, by=self.by)
        webhook.refresh_from_db()
        return self.told(webhook)

    def _told_once(self, webhook: Webhook, secret: str, *, status: int) -> Response:
        answer = self.told(webhook, status=status)
        answer.data = {"signing_secret": secret, **answer.data}
        answer["Cache-Control"] = "no-store"
        return answer


def _count(webhooks: list[Webhook]) -> None:
    figures = figures_of(webhooks)
    for webhook in webhooks:
        webhook.figures = figures[webhook.pk]  # type: ignore[attr-defined]
