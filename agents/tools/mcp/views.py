"""Pages of MCP servers: a list, and one with what it offers, to choose from."""

from __future__ import annotations

import json
from dataclasses import dataclass

from asgiref.sync import async_to_sync
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from ...models import Tool, ToolServer
from .actions import choose_tools, delete_server, flows_using, read_server, save_server
from .forms import ServerForm
from .offers import MOST_TOOLS, Offer, kept

PAGE_SIZE = 50


@dataclass(frozen=True, slots=True)
class Line:
    """What the server offers, or no longer does, and the tool that it is here."""

    offer: Offer
    tool: Tool | None

    @property
    def arguments(self) -> str:
        return json.dumps(self.offer.parameters.get("properties"), indent=2, ensure_ascii=False)

    @property
    def names(self) -> str:
        return ", ".join(self.offer.parameters.get("properties", ()))


@require_safe
def server_list(request: HttpRequest) -> HttpResponse:
    gone = Count("tools", filter=Q(tools__gone=True))
    rows = ToolServer.objects.annotate(count=Count("tools"), gone=gone).order_by("name")
    page = Paginator(rows.defer("offered"), PAGE_SIZE).get_page(request.GET.get("page"))
    return render(request, "tools/servers.html", {"page": page})


@require_http_methods(["GET", "HEAD", "POST"])
def server_new(request: HttpRequest) -> HttpResponse:
    return _edited(request, ToolServer())


@require_http_methods(["GET", "HEAD", "POST"])
def server_page(request: HttpRequest, slug: str) -> HttpResponse:
    return _edited(request, get_object_or_404(ToolServer, slug=slug))


@require_POST
def server_read(request: HttpRequest, slug: str) -> HttpResponse:
    return _read(request, get_object_or_404(ToolServer, slug=slug))


@require_POST
def server_choose(request: HttpRequest, slug: str) -> HttpResponse:
    """`tool`: the names, as the server has them, of those that flows may use."""
    server = get_object_or_404(ToolServer, slug=slug)
    names = request.POST.getlist("tool")
    try:
        choose_tools(server=server, names=names, by=request.user.get_username())
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _("Flows may use what you chose"))
    return redirect(server)


@require_POST
def server_delete(request: HttpRequest, slug: str) -> HttpResponse:
    server = get_object_or_404(ToolServer, slug=slug)
    try:
        delete_server(server=server)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect(server)
    messages.success(request, _("%(name)s is deleted") % {"name": server.name})
    return redirect("tools:servers")


def _edited(request: HttpRequest, server: ToolServer) -> HttpResponse:
    name = server.name  # as it is stored
    form = ServerForm(request.POST or None, instance=server)
    if request.method == "POST" and form.is_valid():
        saved = save_server(server=form.save(commit=False), by=request.user.get_username())
        return _read(request, saved)
    context = {
        "form": form,
        "server": server,
        "name": name,
        "lines": _lines(server) if name else [],
        "news": _told(server.news),
        "cut": MOST_TOOLS if len(server.offered) >= MOST_TOOLS else None,
        "flows": flows_using(server) if name else [],
        "may_change": request.user.has_perm("agents.change_agents"),
    }
    return render(request, "tools/server.html", context, status=422 if form.errors else 200)


def _read(request: HttpRequest, server: ToolServer) -> HttpResponse:
    if async_to_sync(read_server)(server=server):
        messages.success(request, _("%(name)s told what it offers") % {"name": server.name})
    else:
        messages.error(request, _("%(name)s could not be read") % {"name": server.name})
    return redirect(server)


def _lines(server: ToolServer) -> list[Line]:
    """What it offers, in its order; behind it what it no longer does, and is still used."""
    tools = {tool.server_tool: tool for tool in server.tools.all()}
    lines = [Line(offer, tools.pop(offer.name, None)) for offer in kept(server)]
    gone = [Line(Offer(name, tool.description, tool.parameters), tool) for name, tool in tools.items()]
    return lines + gone


def _told(news: list[list[str]]) -> list[tuple[str, str]]:
    """What the last reading found, in words: what happened, and to which tools."""
    words = {"added": _("New"), "changed": _("Changed"), "gone": _("No longer offered")}
    names = {kind: ", ".join(name for each, name in news if each == kind) for kind in words}
    return [(words[kind], named) for kind, named in names.items() if named]
