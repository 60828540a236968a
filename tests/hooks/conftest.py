from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone

from mlservices.happenings import Happening
from tests.fakes.webhook_receiver import Receiver, webhook_receiver
from voiceforge_site.hooks import actions, outbox, rounds, tasks
from voiceforge_site.hooks.models import Delivery, Webhook


@pytest.fixture(autouse=True)
def _rounds_do_not_linger(monkeypatch: pytest.MonkeyPatch) -> None:
    cache.clear()
    monkeypatch.setattr(rounds, "LINGER_SECONDS", 0)


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    with webhook_receiver() as receiver:
        settings.TOOL_PRIVATE_HOSTS = [receiver.url.removeprefix("http://")]
        yield receiver


@pytest.fixture
def subscribe(receiver: Receiver) -> Callable[..., Webhook]:
    """A webhook of the receiver, whose secret it knows."""

    def add(*kinds: str, to: Receiver = receiver, **fields: Any) -> Webhook:
        told = {"description": "Our CRM", "url": f"{to.url}/hook", "kinds": list(kinds), **fields}
        webhook, secret = actions.add_webhook(by="alice", **told)
        to.secrets.append(secret)
        return webhook

    return add


def happens(kind: str = "call.ended", *, about: str = "", sequence: int | None = None, **data: Any) -> None:
    outbox.Outbox().take(Happening(kind, data, about, sequence))


def send() -> str:
    """What the worker does."""
    return tasks.send()


def hours_pass(hours: float = 0, *, seconds: float = 0) -> None:
    """For all that waits."""
    gone = timedelta(hours=hours, seconds=seconds)
    for delivery in Delivery.objects.all():
        delivery.next_at, delivery.give_up_at = delivery.next_at - gone, delivery.give_up_at - gone
        if delivery.claimed_until:
            delivery.claimed_until -= gone
        delivery.save()
    for webhook in Webhook.objects.all():
        for name in ("held_until", "failing_since", "previous_until"):
            if moment := getattr(webhook, name):
                setattr(webhook, name, moment - gone)
        webhook.save()


def only() -> Delivery:
    return Delivery.objects.get()


def due_in_seconds(delivery: Delivery) -> float:
    return (delivery.next_at - timezone.now()).total_seconds()


def again(webhook: Webhook) -> Webhook:
    webhook.refresh_from_db()
    return webhook
