"""The part of an agent's page that says which numbers the agent answers."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import get_object_or_404, render

from agents.models import Agent

from .actions import assign_number, release_number
from .models import PhoneNumber


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
    known = PhoneNumber.objects.real().select_related("credential", "agent").order_by("number")
    context = {"agent": agent, "own": known.filter(agent=agent), "others": known.exclude(agent=agent)}
    return render(request, "calls/_numbers.html", context)
