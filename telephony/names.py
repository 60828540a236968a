"""Who calls, as far as anybody has told us."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from .models import CallMessage, PlannedCall

KNOWN_FOR = timedelta(days=365)  # then a number may be somebody else's
LONGEST_NAME = 64


def name_of(number: str) -> str:
    """Whom we called at that number, by the variable `name`; else who left and confirmed a message from it.
    "" where nobody told."""
    if not number.startswith("+"):
        return ""
    since = timezone.now() - KNOWN_FOR
    placed = PlannedCall.objects.filter(state=PlannedCall.State.PLACED, at__gte=since, to=number)
    named = placed.filter(values__has_key="name").order_by("-at")
    values = named.values_list("values", flat=True).first() or {}
    told = CallMessage.objects.filter(at__gte=since, call__caller=number, confirmed=True).exclude(name="")
    name = values.get("name") or told.order_by("-at").values_list("name", flat=True).first() or ""
    return " ".join(str(name).split())[:LONGEST_NAME]
