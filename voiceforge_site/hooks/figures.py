"""How well messages arrive, counted from the messages themselves."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Count, Max
from django.utils import timezone

from .models import Delivery, Webhook
from .outbox import PING

DAYS = 7
State = Delivery.State


@dataclass(slots=True)
class Figures:
    """`delivered` and `lost` in seven days, without tests; `waiting` and `dead` of all that is kept."""

    delivered: int = 0
    lost: int = 0
    waiting: int = 0
    dead: int = 0

    @property
    def known(self) -> int:
        """Messages of which it is known what became of them."""
        return self.delivered + self.lost

    @property
    def share(self) -> float | None:
        return self.delivered / self.known if self.known else None


def figures_of(webhooks: Iterable[Webhook]) -> dict[int, Figures]:
    """By webhook. Two queries, each over an index."""
    found = {webhook.pk: Figures() for webhook in webhooks}
    since = timezone.now() - timedelta(days=DAYS)
    own = Delivery.objects.filter(webhook__in=list(found)).exclude(kind=PING).order_by()
    lately = own.filter(at__gte=since, state__in=(State.DELIVERED, State.DEAD))
    for webhook, state, count in lately.values_list("webhook", "state").annotate(count=Count("pk")):
        if state == State.DELIVERED:
            found[webhook].delivered = count
        else:
            found[webhook].lost = count
    kept = own.exclude(state=State.DELIVERED)
    for webhook, state, count in kept.values_list("webhook", "state").annotate(count=Count("pk")):
        if state == State.DEAD:
            found[webhook].dead = count
        else:
            found[webhook].waiting += count
    return found


def counts_of(webhook: Webhook) -> dict[str, int]:
    """Messages that are kept, by state; those on their way count as waiting."""
    rows = webhook.deliveries.order_by().values_list("state").annotate(count=Count("pk"))
    counts = dict.fromkeys((State.WAITING, State.DELIVERED, State.DEAD), 0)
    for state, count in rows:
        counts[State.WAITING if state == State.SENDING else State(state)] += count
    return {str(state): count for state, count in counts.items()}


def newest_of(webhooks: Iterable[Webhook]) -> dict[int, object]:
    """When each was last sent something."""
    rows = Delivery.objects.filter(webhook__in=[webhook.pk for webhook in webhooks]).order_by()
    return dict(rows.values_list("webhook").annotate(newest=Max("at")))
