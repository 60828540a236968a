"""Parts of the pages of agents that only this app can tell: usage, numbers, how long a pause ends a turn."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from agents.models import Agent

from .models import Call, PhoneNumber
from .session.turns import TurnPolicy

USAGE_DAYS = 7


@require_safe
def agent_usage(request: HttpRequest, slug: str) -> HttpResponse:
    """One line: how many numbers it answers, how many calls it had."""
    agent = get_object_or_404(Agent, slug=slug)
    first = timezone.localdate() - timedelta(days=USAGE_DAYS - 1)
    since = timezone.make_aware(datetime.combine(first, time.min))
    context = {
        "agent": agent,
        "since": first,
        "numbers": PhoneNumber.objects.real().filter(agent=agent).count(),
        "calls": Call.objects.filter(agent=agent, created_at__gte=since).count(),
    }
    return render(request, "calls/_agent_usage.html", context)


@require_safe
def agents_numbers(request: HttpRequest) -> HttpResponse:
    """What becomes of the numbers of the agents named by `agent` if these take no more calls."""
    slugs = request.GET.getlist("agent")
    numbers = (
        PhoneNumber.objects.real().filter(agent__slug__in=slugs).select_related("agent").order_by("number")
    )
    return render(request, "calls/_agents_numbers.html", {"numbers": numbers, "any": bool(slugs)})


@require_safe
def pauses(request: HttpRequest) -> HttpResponse:
    """What follows of an `eagerness` of 0 to 1, in seconds of silence."""
    try:
        eagerness = min(1.0, max(0.0, float(request.GET.get("eagerness", ""))))
    except ValueError:
        eagerness = 0.5
    return render(request, "calls/_pauses.html", {"policy": TurnPolicy.for_eagerness(eagerness)})
