"""Webhooks to look at, with messages of every state."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from mlservices.happenings import KINDS, Happening
from mlservices.secret_box import sealed
from voiceforge_site.hooks.models import Delivery, Webhook
from voiceforge_site.hooks.outbox import message
from voiceforge_site.hooks.signing import headers, new_secret

State = Delivery.State
TOLD = ("call.ringing", "call.answered", "call.message_taken", "call.ended", "call.recording_ready")


def make_webhook(description: str = "Our CRM", **fields: Any) -> Webhook:
    defaults = {
        "url": "https://crm.example.com/hooks/voiceforge",
        "kinds": list(TOLD),
        "secret": sealed(new_secret()),
    }
    return Webhook.objects.create(description=description, **(defaults | fields))


def make_delivery(
    webhook: Webhook,
    kind: str = "call.ended",
    state: str = State.DELIVERED,
    *,
    minutes: float = 5,
    **fields: Any,
) -> Delivery:
    """One that was written so many minutes ago, and tried once unless it waits."""
    at = timezone.now() - timedelta(minutes=minutes)
    about = "call:6a0f3c9e-2d1b-4d57-9f0e-8f5a1d2c3b4a"
    delivery = message(webhook, Happening(kind, KINDS[kind].example, about, 12, at))
    signed = headers([new_secret()], uid=str(delivery.uid), seconds=int(at.timestamp()), body=delivery.body)
    tried = {"attempts": 1, "tried_at": at, "seconds": 0.182, "headers": signed}
    outcome = {
        State.DELIVERED: {**tried, "status": 204},
        State.DEAD: {**tried, "attempts": 14, "status": 500, "problem": "It answered 500.", "answer": "Oops"},
        State.WAITING: {},
        State.SENDING: {},
    }[State(state)]
    for name, value in {"state": state, **outcome, **fields}.items():
        setattr(delivery, name, value)
    delivery.save()
    return delivery


def make_busy_webhook(**fields: Any) -> Webhook:
    """With some days of messages, most of which arrived."""
    webhook = make_webhook(**fields)
    for number in range(24):
        state = State.DEAD if number in (7, 15) else State.DELIVERED
        make_delivery(webhook, TOLD[number % len(TOLD)], state, minutes=20 + 90 * (23 - number))
    late = {"status": None, "attempts": 2, "problem": "crm.example.com did not answer within 10 seconds."}
    make_delivery(
        webhook, "call.ended", State.WAITING, minutes=4, next_at=timezone.now() + timedelta(minutes=2), **late
    )
    make_delivery(webhook, "call.ringing", State.WAITING, minutes=0.2)
    return webhook
