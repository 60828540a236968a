"""The page of an agent's changes: who made which when, any two compared, an earlier one restored."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from .actions import restore_version
from .models import Agent, AgentVersion
from .versions import differences, with_changes

PAGE_SIZE = 25


@require_safe
def agent_history(request: HttpRequest, slug: str) -> HttpResponse:
    """Versions, newest first, each with what it changed; `old` and `new` compare two of them."""
    agent = get_object_or_404(Agent, slug=slug)
    page = Paginator(agent.versions.order_by("-number"), PAGE_SIZE).get_page(request.GET.get("page"))
    shown = list(page)
    before = agent.versions.filter(number=shown[-1].number - 1) if shown else ()
    context = {
        "agent": agent,
        "page": page,
        "versions": with_changes([*shown, *before]),
        "newest": page.number == 1 and shown[0].number if shown else 0,
        **_compared(request, agent),
    }
    return render(request, "agents/history.html", context)


def _compared(request: HttpRequest, agent: Agent) -> dict[str, Any]:
    numbers = [request.GET.get(name, "") for name in ("old", "new")]
    if not all(number.isdecimal() and len(number) < 10 for number in numbers):
        return {}
    known = {each.number: each for each in agent.versions.filter(number__in=numbers)}
    pair: list[AgentVersion] = [known[n] for n in sorted(map(int, numbers)) if n in known]
    if len(pair) != 2:
        return {}
    old, new = pair
    return {"old": old, "new": new, "compared": differences(old.values, new.values)}


@require_POST
def agent_restore(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Back to the history, which tells of it as of any other change."""
    agent = get_object_or_404(Agent, slug=slug)
    get_object_or_404(agent.versions, number=number)
    before = agent.version
    try:
        restored = restore_version(agent=agent, number=number, by=request.user.get_username())
    except ValidationError as error:
        text = _("Version %(number)d cannot be restored: %(reason)s")
        messages.error(request, text % {"number": number, "reason": " ".join(error.messages)})
    else:
        same = restored.version == before
        text = _("Nothing differs from version %(number)d") if same else _("Version %(number)d is restored")
        messages.success(request, text % {"number": number})
    return redirect("agents:history", slug=slug)
