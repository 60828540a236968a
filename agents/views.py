"""The pages of agents: the list, the form, and a conversation by text."""

from __future__ import annotations

import json
from typing import Any
from zoneinfo import available_timezones

from asgiref.sync import async_to_sync
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from mlservices.errors import EngineError

from .actions import duplicate_agent, save_agent
from .forms import AgentForm, add_errors, fact_formset, facts_of
from .models import Agent
from .trial import try_words

PAGE_SIZE = 50


@require_safe
@vary_on_headers("HX-Request")
def agent_list(request: HttpRequest) -> HttpResponse:
    """Agents by name; `q` searches name and description, `status` filters."""
    words = request.GET.get("q", "").strip()
    status = request.GET.get("status", "")
    found = Agent.objects.filter(Q(name__icontains=words) | Q(description__icontains=words))
    shown = found.filter(status=status) if status in Agent.Status.values else found
    context = {
        "page": Paginator(shown, PAGE_SIZE).get_page(request.GET.get("page")),
        "counts": _counts(found),
        "status": status,
        "words": words,
        "filtered": bool(words or status),
    }
    partial = request.htmx and not request.htmx.history_restore_request  # type: ignore[attr-defined]
    return render(request, "agents/_table.html" if partial else "agents/list.html", context)


def _counts(found: QuerySet[Agent]) -> list[tuple[str, str, int]]:
    """(status, its label, how many of those found have it); the first is all of them."""
    of = dict(found.order_by().values_list("status").annotate(Count("pk")))
    each = [(value, str(label), of.get(value, 0)) for value, label in Agent.Status.choices]
    return [("", _("All"), sum(of.values())), *each]


def agent_new(request: HttpRequest) -> HttpResponse:
    return _form_page(request, Agent())


def agent_edit(request: HttpRequest, slug: str) -> HttpResponse:
    return _form_page(request, get_object_or_404(Agent, slug=slug))


@require_POST
def agent_duplicate(request: HttpRequest, slug: str) -> HttpResponse:
    """To the form of the copy; back to the original's if what is stored cannot be copied."""
    agent = get_object_or_404(Agent, slug=slug)
    try:
        copy = duplicate_agent(agent=agent)
    except ValidationError as error:
        messages.error(request, _("Not copied: %(reason)s") % {"reason": " ".join(error.messages)})
        return redirect(agent)
    messages.success(request, _("%(name)s is made, and paused until you set it active") % {"name": copy.name})
    return redirect(copy)


def _form_page(request: HttpRequest, agent: Agent) -> HttpResponse:
    """The form of a new or known agent; 422 with what was typed when something is wrong."""
    if request.method != "POST":
        return _render_form(request, agent, AgentForm(instance=agent), fact_formset(agent))
    form, facts = AgentForm(request.POST, instance=agent), fact_formset(agent, request.POST)
    if form.is_valid() and facts.is_valid():
        try:
            saved = save_agent(agent=form.instance, facts=facts_of(facts))
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, _("%(name)s saved") % {"name": saved.name})
            return redirect(saved)
    # A form that was cleaned has written into its instance; the page's head shows what is stored.
    stored = Agent.objects.get(pk=agent.pk) if agent.pk else Agent()
    return _render_form(request, stored, form, facts, status=422)


def _render_form(
    request: HttpRequest, agent: Agent, form: AgentForm, facts: Any, status: int = 200
) -> HttpResponse:
    context = {
        "agent": agent,
        "form": form,
        "facts": facts,
        "failed": status == 422,
        "timezones": sorted(available_timezones()),
    }
    return render(request, "agents/form.html", context, status=status)


def agent_try(request: HttpRequest, slug: str) -> HttpResponse:
    """A conversation by text: GET greets, POST answers `words` with the turns to add to the page."""
    agent = get_object_or_404(Agent, slug=slug)
    if request.method != "POST":
        return render(request, "agents/try.html", {"agent": agent, **_answer(agent, [], "")})
    words = request.POST.get("words", "").strip()
    try:
        transcript = json.loads(request.POST.get("transcript", "[]"))
    except ValueError:
        transcript = None
    answer = _answer(agent, transcript, words)
    return render(request, "agents/_try_turn.html", {"agent": agent, "words": words, **answer})


def _answer(agent: Agent, transcript: Any, words: str) -> dict[str, Any]:
    """The agent's answer, or a sentence that says why there is none and what to do."""
    try:
        reply = async_to_sync(try_words)(agent, transcript, words)
        return {"reply": reply, "transcript": json.dumps(reply.transcript)}
    except ValueError:
        failure = _("This conversation cannot go on: its record does not fit this agent. Start again.")
    except EngineError as error:
        failure = _("The agent could not answer: %(error)s. What you wrote is kept; send it again.") % {
            "error": error
        }
    return {"failure": failure, "transcript": "[]"}
