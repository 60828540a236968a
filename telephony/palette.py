"""Calls, phone numbers, talking to an agent, and the search of calls, in the command palette."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib.humanize.templatetags.humanize import naturaltime
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _

from agents.models import Agent
from mlservices.pages.figures import grouped
from mlservices.pages.palette import SHOWN, Entry, Group, matching

from .models import Call, PhoneNumber

LAST = 9  # rank of what is offered when everything else was
SHORTEST = 3  # digits of a number, signs of an id: fewer are in nearly every call


def talks(user: Any, words: str) -> Iterable[Group]:
    if not words or not user.has_perm("agents.try_agents"):
        return []
    named = Agent.objects.exclude(status=Agent.Status.ARCHIVED).order_by("name").values_list("name", "slug")
    each = [
        Entry(_("Talk to %(name)s") % {"name": name}, "mic", url=reverse("telephony:talk", args=[slug]))
        for name, slug in named
    ]
    return matching(_("Talk"), each, words)


def numbers(user: Any, words: str) -> Iterable[Group]:
    """Our own lines, by number or label; each leads to its page, or, for those who may not see that, to
    the agent that answers it."""
    if not words or not user.has_perm("agents.view_agents"):
        return []
    rows = (
        PhoneNumber.objects.real()
        .select_related("agent")
        .filter(_like(words, "number") | Q(label__icontains=words))
    )
    entries = [
        Entry(
            f"{grouped(row.number)} {row.label}".strip(),
            "hash",
            url=_page_of(row, user),
            hint=row.agent.name if row.agent else _("answered by nobody"),
        )
        for row in rows.order_by("number")[:SHOWN]
    ]
    return [Group(_("Phone numbers"), entries, 2)] if entries else []


def _page_of(number: PhoneNumber, user: Any) -> str:
    if user.has_perm("telephony.view_lines"):
        return number.get_absolute_url()
    return number.agent.get_absolute_url() if number.agent else reverse("agents:list")


def calls(user: Any, words: str) -> Iterable[Group]:
    """By the other side's number, or by the beginning of a call's id; newest first."""
    if len(words) < SHORTEST or not user.has_perm("telephony.view_calls"):
        return []
    rows = _with_id(words)
    if not rows:
        rows = list(_calls().filter(_like(words, "caller")).order_by("-created_at")[:SHOWN])
    entries = [
        Entry(
            _title(row),
            "phone",
            url=row.get_absolute_url(),
            hint=f"{row.agent.name}, {naturaltime(row.created_at)}",
        )
        for row in rows
    ]
    return [Group(_("Calls"), entries, 2)] if entries else []


def _title(call: Call) -> str:
    number = grouped(call.other_party) or _("Unknown")
    if call.direction == Call.Direction.OUTBOUND:
        return _("Call to %(number)s") % {"number": number}
    return _("Call of %(caller)s") % {"caller": number}


def search(user: Any, words: str) -> Iterable[Group]:
    """Whatever was typed can be looked for in what was said: the last entry of all."""
    if not words or not user.has_perm("telephony.view_calls"):
        return []
    title = _("Search calls for “%(words)s”") % {"words": words}
    url = f"{reverse('telephony:history')}?{urlencode({'q': words})}"
    return [Group(_("Call history"), [Entry(title, "search", url=url)], LAST)]


def _calls() -> QuerySet[Call]:
    return Call.objects.select_related("agent").only(
        "caller", "callee", "direction", "created_at", "agent__name"
    )


def _with_id(words: str) -> list[Call]:
    """Those whose id begins so: a stretch of the primary key, so that no row is looked at in vain."""
    begun = words.replace("-", "").lower()
    if not re.fullmatch(r"[0-9a-f]{8,32}", begun):
        return []
    between = UUID(begun.ljust(32, "0")), UUID(begun.ljust(32, "f"))
    return list(_calls().filter(pk__range=between).order_by("-created_at")[:SHOWN])


def _like(words: str, field: str) -> Q:
    """A number as people write it, with brackets and spaces, or a name."""
    found = Q(**{f"{field}__icontains": words})
    digits = re.sub(r"\D", "", words)
    if len(digits) >= SHORTEST and re.fullmatch(r"[\d\s()+./-]+", words):
        found |= Q(**{f"{field}__contains": digits})
    return found
