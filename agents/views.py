"""The pages of agents: the list with its bulk actions, the form, and a conversation by text."""

from __future__ import annotations

import json
from typing import Any

from asgiref.sync import async_to_sync
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from mlservices.errors import EngineError
from mlservices.json_text import json_of
from mlservices.pages.fields import field_errors
from mlservices.pages.languages import language_name
from mlservices.pages.zones import zones
from mlservices.whole_numbers import whole_number

from .actions import ChangedMeanwhile, duplicate_agent, refuse_too_long_for_local, save_agent
from .flow.variables import BUILT_IN
from .forms import AgentForm, add_errors, fact_formset, facts_of
from .listing import answers_with, columns, in_order, orders
from .models import Agent, AgentVersion
from .sentences import record_sentence
from .trial import try_words
from .voices import called

PAGE_SIZE = 50


@require_safe
@vary_on_headers("HX-Request")
def agent_list(request: HttpRequest) -> HttpResponse:
    """Agents but for archived ones; `q` searches name and description, `status` filters, `sort` orders."""
    words = request.GET.get("q", "").strip()
    status = request.GET.get("status", "")
    asked = request.GET.get("sort", "")
    sort = asked if asked in dict(orders()) else "name"
    found = Agent.objects.filter(Q(name__icontains=words) | Q(description__icontains=words))
    in_use = found.exclude(status=Agent.Status.ARCHIVED)
    shown = found.filter(status=status) if status in Agent.Status.values else in_use
    counts = _counts(found)
    page = Paginator(in_order(shown, sort), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "answering": {model: answers_with(model) for model in {agent.chat_model for agent in page}},
        "counts": counts,
        "archived": counts[-1][2],
        "status": status,
        "sort": sort,
        "sorts": orders(),
        "columns": columns(sort),
        "words": words,
        "filtered": bool(words or status),
    }
    partial = request.htmx and not request.htmx.history_restore_request  # type: ignore[attr-defined]
    return render(request, "agents/_table.html" if partial else "agents/list.html", context)


def _counts(found: QuerySet[Agent]) -> list[tuple[str, str, int]]:
    """(status, its label, how many of those found have it); the first is all that are in use."""
    of = dict(found.order_by().values_list("status").annotate(Count("pk")))
    each = [(value, str(label), of.get(value, 0)) for value, label in Agent.Status.choices]
    in_use = sum(count for value, _label, count in each if value != Agent.Status.ARCHIVED)
    return [("", _("All"), in_use), *each]


def agent_new(request: HttpRequest) -> HttpResponse:
    return _form_page(request, Agent())


def agent_edit(request: HttpRequest, slug: str) -> HttpResponse:
    return _form_page(request, get_object_or_404(Agent, slug=slug))


@require_POST
def agent_duplicate(request: HttpRequest, slug: str) -> HttpResponse:
    """To the form of the copy; back to the original's if what is stored cannot be copied."""
    agent = get_object_or_404(Agent, slug=slug)
    try:
        copy = duplicate_agent(agent=agent, by=request.user.get_username())
    except ValidationError as error:
        messages.error(request, _("Not copied: %(reason)s") % {"reason": " ".join(error.messages)})
        return redirect(agent)
    messages.success(request, _("%(name)s is made, and paused until you set it active") % {"name": copy.name})
    return redirect(copy)


def _form_page(request: HttpRequest, agent: Agent) -> HttpResponse:
    """The form of a new or known agent; 422 with what was typed when something is wrong, 409 when somebody
    else has saved in the meantime. `?validate=<field>` answers what is wrong with that field, as JSON."""
    if request.method != "POST":
        form = AgentForm(instance=agent, voice=request.GET.get("voice", ""))
        return _render_form(request, agent, form, fact_formset(agent))
    form, facts = AgentForm(request.POST, instance=agent), fact_formset(agent, request.POST)
    if "validate" in request.GET:
        _judge_together(form, facts)
        return field_errors(request, form, facts)
    newest = None
    if form.is_valid() and facts.is_valid():
        try:
            return _saved(request, form, facts)
        except ValidationError as error:
            add_errors(form, error)
        except ChangedMeanwhile as error:
            newest = error.newest
    # A form that was cleaned has written into its instance; the page's head shows what is stored.
    stored = Agent.objects.get(pk=agent.pk) if agent.pk else Agent()
    return _render_form(request, stored, form, facts, newest=newest, status=409 if newest else 422)


def _judge_together(form: AgentForm, facts: Any) -> None:
    """What saving would refuse of two that are right by themselves."""
    if form.is_valid() and facts.is_valid():
        form.instance.facts = facts_of(facts)
        try:
            refuse_too_long_for_local(form.instance)
        except ValidationError as error:
            add_errors(form, error)


def _saved(request: HttpRequest, form: AgentForm, facts: Any) -> HttpResponse:
    """Raises ValidationError by field, and ChangedMeanwhile."""
    agent = form.instance
    before = agent.version
    try:
        recorded = async_to_sync(record_sentence)(agent)
    except EngineError as error:
        words = _("It could not be recorded: %(error)s. Save again in a moment, or choose otherwise.")
        raise ValidationError({"failure_sentence": words % {"error": error}}) from error
    expected = whole_number(request.POST.get("overwrite") or request.POST.get("version", ""))
    saved = save_agent(
        agent=agent,
        by=request.user.get_username(),
        facts=facts_of(facts),
        expected=expected if agent.pk else None,
    )
    if recorded:
        recorded.save()
    text = _("%(name)s saved") if saved.version != before else _("Nothing to save: %(name)s is as it was")
    messages.success(request, text % {"name": saved.name})
    return redirect(saved)


def _render_form(
    request: HttpRequest,
    agent: Agent,
    form: AgentForm,
    facts: Any,
    *,
    newest: AgentVersion | None = None,
    status: int = 200,
) -> HttpResponse:
    context = {
        "agent": agent,
        "form": form,
        "facts": facts,
        "all_forms": [form, facts],
        "failed": status != 200,
        "newest": newest,  # saved by somebody else while this was typed
        "version": request.POST.get("version", agent.version),
        "timezones": zones(),
        "variables": BUILT_IN,
        **_voice_asked(request, form),
        "may_change": request.user.has_perm("agents.change_agents"),
        "address": reverse("agents:edit", args=[agent.slug]) if agent.pk else reverse("agents:new"),
    }
    return render(request, "agents/form.html", context, status=status)


def _voice_asked(request: HttpRequest, form: AgentForm) -> dict[str, str]:
    """What is told of a voice that the address names, as the library of voices does."""
    asked = request.GET.get("voice", "")
    if not asked or form.is_bound:
        return {}
    if not form.chosen:
        return {"voice_missing": called(asked)}
    language = form.chosen.get("language", "")
    return {"voice_chosen": called(asked), "language_chosen": language_name(language) if language else ""}


def agent_try(request: HttpRequest, slug: str) -> HttpResponse:
    """A conversation by text: GET greets, POST answers `words` with the turns to add to the page."""
    agent = get_object_or_404(Agent, slug=slug)
    if request.method != "POST":
        return render(request, "agents/try.html", {"agent": agent, **_answer(agent, [], "")})
    words = request.POST.get("words", "").strip()
    try:
        transcript = json_of(request.POST.get("transcript", "[]"))
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
