"""Agents in the command palette."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from django.utils.translation import gettext as _

from mlservices.pages.palette import Entry, Group, matching

from .models import Agent, Flow, Tool, ToolServer

T = TypeVar("T", bound=Model)


def flows(user: Any, words: str) -> Iterable[Group]:
    if not words or not user.has_perm("agents.view_agents"):
        return []
    named = _named(Flow.objects.only("name", "slug", "live_id"), words)
    entries = [
        Entry(flow.name, "workflow", url=flow.get_absolute_url(), hint="" if flow.live_id else _("Draft"))
        for flow in named
    ]
    return matching(_("Flows"), entries, words)


def tools(user: Any, words: str) -> Iterable[Group]:
    if not words or not user.has_perm("agents.view_agents"):
        return []
    named = _named(Tool.objects.only("name", "description"), words)
    entries = [
        Entry(tool.name, "wrench", url=tool.get_absolute_url(), hint=tool.description[:60]) for tool in named
    ]
    servers = _named(ToolServer.objects.only("name", "slug"), words)
    entries += [
        Entry(server.name, "plug", url=server.get_absolute_url(), hint=_("MCP server")) for server in servers
    ]
    return matching(_("Tools"), entries, words)


def agents(user: Any, words: str) -> Iterable[Group]:
    if not words or not user.has_perm("agents.view_agents"):
        return []
    named = _named(Agent.objects.only("name", "slug", "status"), words)
    return matching(_("Agents"), [_entry(agent) for agent in named], words)


def _named(rows: QuerySet[T], words: str) -> QuerySet[T]:
    for word in words.split():
        rows = rows.filter(name__icontains=word)
    return rows.order_by("name")[:200]


def _entry(agent: Agent) -> Entry:
    standing = "" if agent.status == Agent.Status.ACTIVE else agent.get_status_display()
    return Entry(agent.name, "bot", url=agent.get_absolute_url(), hint=str(standing))
