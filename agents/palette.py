"""Agents in the command palette."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext as _

from mlservices.pages.palette import Entry, Group, matching

from .models import Agent, Flow


def flows(user: Any, words: str) -> Iterable[Group]:
    if not words or not user.has_perm("agents.view_agents"):
        return []
    rows = Flow.objects.only("name", "slug", "live_id").order_by("name")
    for word in words.split():
        rows = rows.filter(name__icontains=word)
    entries = [
        Entry(flow.name, "workflow", url=flow.get_absolute_url(), hint="" if flow.live_id else _("Draft"))
        for flow in rows[:200]
    ]
    return matching(_("Flows"), entries, words)


def agents(user: Any, words: str) -> Iterable[Group]:
    if not words or not user.has_perm("agents.view_agents"):
        return []
    return matching(_("Agents"), [_entry(agent) for agent in _named(words)], words)


def _named(words: str) -> Iterable[Agent]:
    rows = Agent.objects.only("name", "slug", "status").order_by("name")
    for word in words.split():
        rows = rows.filter(name__icontains=word)
    return rows[:200]


def _entry(agent: Agent) -> Entry:
    standing = "" if agent.status == Agent.Status.ACTIVE else agent.get_status_display()
    return Entry(agent.name, "bot", url=agent.get_absolute_url(), hint=str(standing))
