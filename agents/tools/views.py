"""Pages of tools: a list, a form, and a panel that shows what is really sent and answered."""

from __future__ import annotations

import json
from typing import Any

from asgiref.sync import async_to_sync
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from ..flows.programs import UNREAD
from ..models import Tool
from .actions import delete_tool, flows_with, save_tool
from .answers import content_of
from .calling import Exchange, exchange, masked
from .forms import OfServerForm, ToolForm, TrialForm

PAGE_SIZE = 50
LONGEST_SHOWN = 20_000  # characters of an answer


@require_safe
@vary_on_headers("HX-Request")
def tool_list(request: HttpRequest) -> HttpResponse:
    """`q` searches names, descriptions and addresses."""
    words = request.GET.get("q", "").strip()
    asked = Q(url__icontains=words) | Q(server__name__icontains=words)
    found = Tool.objects.filter(Q(name__icontains=words) | Q(description__icontains=words) | asked)
    found = found.select_related("server").defer(*UNREAD)
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    partial = request.htmx and not request.htmx.history_restore_request  # type: ignore[attr-defined]
    template = "tools/_table.html" if partial else "tools/list.html"
    return render(request, template, {"page": page, "words": words})


@require_http_methods(["GET", "HEAD", "POST"])
def tool_new(request: HttpRequest) -> HttpResponse:
    return _edited(request, Tool())


@require_http_methods(["GET", "HEAD", "POST"])
def tool_edit(request: HttpRequest, name: str) -> HttpResponse:
    return _edited(request, get_object_or_404(Tool, name=name))


@require_POST
def tool_try(request: HttpRequest, name: str = "") -> HttpResponse:
    """Ask it as it stands in the form, saved or not. `name` is that of the tool, "" of a new one."""
    tool = get_object_or_404(Tool, name=name) if name else Tool()
    form, trial = _form(request, tool), TrialForm(request.POST)
    if not (form.is_valid() and trial.is_valid()):
        return render(request, "tools/_refused.html", {"forms": [form, trial], "form": form})
    done = async_to_sync(exchange)(form.save(commit=False), trial.cleaned_data["arguments"])
    return render(request, "tools/_exchange.html", told(done))


@require_POST
def tool_delete(request: HttpRequest, name: str) -> HttpResponse:
    tool = get_object_or_404(Tool, name=name)
    try:
        delete_tool(tool=tool)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect(tool)
    messages.success(request, _("%(name)s is deleted") % {"name": tool.name})
    return redirect("tools:list")


def told(done: Exchange) -> dict[str, Any]:
    """For the panel; secrets are covered."""
    sent = masked(done.request) if done.request else None
    context: dict[str, Any] = {"done": done, "sent": sent, "answer": done.answer}
    context["milliseconds"] = round(done.seconds * 1000)
    if sent:
        context["sent_body"] = sent.body.decode()
    if done.answer:
        content = content_of(done.answer)
        text = content if isinstance(content, str) else json.dumps(content, indent=2, ensure_ascii=False)
        context["text"], context["cut"] = text[:LONGEST_SHOWN], len(text) > LONGEST_SHOWN
        context["moved"] = sent is not None and done.answer.url != sent.url
    return context


def _edited(request: HttpRequest, tool: Tool) -> HttpResponse:
    name = tool.name  # as it is stored
    form = _form(request, tool)
    if request.method == "POST" and form.is_valid():
        saved = save_tool(tool=form.save(commit=False), by=request.user.get_username())
        messages.success(request, _("%(name)s is saved") % {"name": saved.name})
        return redirect(saved)
    may_change = request.user.has_perm("agents.change_agents")
    context = {
        "form": form,
        "tool": tool,
        "arguments": json.dumps(tool.parameters, indent=2, ensure_ascii=False),
        "trial": TrialForm(initial={"arguments": _sample(tool)}),
        "name": name,
        "flows": flows_with(Tool(name=name)) if name else [],
        "may_change": may_change,
    }
    return render(request, "tools/form.html", context, status=422 if form.errors else 200)


def _form(request: HttpRequest, tool: Tool) -> ToolForm | OfServerForm:
    kind = OfServerForm if tool.server else ToolForm
    return kind(request.POST or None, instance=tool)


def _sample(tool: Tool) -> str:
    names = tool.parameters.get("properties", {}) if isinstance(tool.parameters, dict) else {}
    return json.dumps(dict.fromkeys(names, ""), indent=2) if names else ""
