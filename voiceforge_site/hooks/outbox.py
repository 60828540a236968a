"""What happens becomes messages to those who want it, written in the transaction that it happened in."""

from __future__ import annotations

import uuid
from collections.abc import Collection

import orjson
from django.core.cache import cache
from django.db import transaction
from django.utils.translation import gettext_lazy as _
from django_q.tasks import async_task

from mlservices.happenings import Happening, Kind, declare

from .models import TRIED_FOR, Delivery, Webhook

PING = "test.ping"
SEND = "voiceforge_site.hooks.tasks.send"
_CALLED = "webhooks-are-sent"
_CALLED_SECONDS = 30  # after which a call that nobody followed is repeated

declare(Kind(PING, _("Somebody presses “Send a test” on the page of a webhook"), {"by": "alice"}))


class Outbox:
    def wanted(self) -> Collection[str]:
        """One small query each time: whatever process has changed a webhook, it holds from that commit on."""
        rows = Webhook.objects.exclude(state=Webhook.State.DISABLED).values_list("kinds", flat=True)
        return {name for kinds in rows for name in kinds}

    def take(self, happening: Happening) -> None:
        webhooks = Webhook.objects.exclude(state=Webhook.State.DISABLED).order_by("pk")
        written = [message(webhook, happening) for webhook in webhooks if wants(webhook, happening)]
        if written:
            Delivery.objects.bulk_create(written)
            send_soon()

    def forget(self, abouts: Collection[str]) -> None:
        Delivery.objects.filter(about__in=list(abouts)).delete()


def wants(webhook: Webhook, happening: Happening) -> bool:
    """A filter lets pass what has nothing that it could filter by."""
    if happening.kind not in webhook.kinds:
        return False
    told = happening.data.get("call") or happening.data.get("planned_call") or happening.data
    agent = (told.get("agent") or {}).get("slug")
    return (
        _passes(webhook.agents, agent)
        and _passes(webhook.directions, told.get("direction"))
        and _passes(webhook.numbers, told.get("number"))
    )


def _passes(chosen: Collection[str], value: str | None) -> bool:
    return not chosen or value is None or value in chosen


def message(webhook: Webhook, happening: Happening) -> Delivery:
    uid = uuid.uuid4()
    body = {
        "id": str(uid),
        "type": happening.kind,
        "timestamp": happening.at.isoformat(),
        "about": happening.about,
        "sequence": happening.sequence,
        "data": happening.data,
    }
    return Delivery(
        uid=uid,
        webhook=webhook,
        kind=happening.kind,
        about=happening.about,
        sequence=happening.sequence,
        body=orjson.dumps(body).decode(),
        at=happening.at,
        next_at=happening.at,
        give_up_at=happening.at + TRIED_FOR,
    )


def send_soon() -> None:
    """Once this is committed the worker sends what is due; should that not reach it, within a minute."""
    transaction.on_commit(_call_worker, robust=True)


def _call_worker() -> None:
    """Called already and not yet there, it will see this too: it takes the note away before it looks."""
    if cache.add(_CALLED, True, timeout=_CALLED_SECONDS):
        async_task(SEND)


def worker_is_there() -> None:
    cache.delete(_CALLED)
