"""What every page of the shell shows beside its own content."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.http import HttpRequest

from telephony.models import Call


def shell(request: HttpRequest) -> dict[str, Any]:
    """The number of live calls; counted only when a template shows it."""
    return {"live_calls": cache(Call.objects.filter(status__in=Call.LIVE).count)}
