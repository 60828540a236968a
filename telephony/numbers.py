"""The part of an agent's page that says which numbers the agent answers."""

from __future__ import annotations

from django.db.models import F
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import get_object_or_404, render

from agents.models import Agent

from .actions import assign_number, release_number
from .models import PhoneNumber

MOST_SHOWN = 20  # the page of numbers has them all


def numbers(request: HttpRequest, slug: str) -> HttpResponse:
    """GET shows them; POST assigns or releases (`do`) one `number` and shows what came of it."""
    agent = get_object_or_404(Agent, slug=slug)
    if request.method == "POST":
        number = get_object_or_404(PhoneNumber.objects.real(), number=request.POST.get("number", ""))
        match request.POST.get("do"):
            case "assign":
                assign_number(number=number, agent=agent)
            case "release":
                release_number(number=number, agent=agent)
            case _:
                return HttpResponseBadRequest("do is assign or release.")
    known = PhoneNumber.objects.real().select_related("credential", "agent")
    own = known.filter(agent=agent).order_by("number")
    others = known.exclude(agent=agent).order_by(F("agent").asc(nulls_first=True), "number")
    more = max(own.count() - MOST_SHOWN, 0)
    context = {"agent": agent, "own": own[:MOST_SHOWN], "others": others[:MOST_SHOWN], "more": more}
    return render(request, "calls/_numbers.html", context)
