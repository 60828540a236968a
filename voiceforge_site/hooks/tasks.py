"""What the worker does for webhooks."""

from __future__ import annotations

from asgiref.sync import async_to_sync
from django.utils import timezone
from django_q.tasks import async_task

from . import rounds
from .models import KEPT, Delivery
from .outbox import SEND, worker_is_there

BATCH = 1000  # rows in one DELETE: calls have to write in between


def send() -> str:
    """Send what is due. More than one round's work goes to the end of the worker's queue."""
    worker_is_there()
    if more := async_to_sync(rounds.run)():
        async_task(SEND)
    return "more is due" if more else "all is sent that was due"


def forget_old() -> str:
    """Messages older than 30 days."""
    old = Delivery.objects.filter(at__lt=timezone.now() - KEPT).order_by("at")
    forgotten = 0
    while batch := list(old.values_list("pk", flat=True)[:BATCH]):
        Delivery.objects.filter(pk__in=batch).delete()
        forgotten += len(batch)
    return f"{forgotten} messages"
