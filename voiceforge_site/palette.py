"""The command palette: pages and actions, and what each app finds for the words typed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.auth import get_user_model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from agents.palette import agents, flows, tools
from mlservices.pages.palette import Entry, Group, Source, matching
from mlservices.palette import models, voices
from telephony.palette import calls, numbers, search, talks

from .models import Webhook
from .navigation import may_open, menu_of

LONGEST = 100  # characters


def pages(user: Any, words: str) -> Iterable[Group]:
    entries = [
        Entry(str(place.label), place.icon, url=place.url, keys=f"G {place.key.upper()}" if place.key else "")
        for place in menu_of(user)
    ]
    return matching(_("Pages"), entries, words) if words else [Group(_("Pages"), entries)]


def actions(user: Any, words: str) -> Iterable[Group]:
    entries = []
    if may_open(user, "agents:new"):
        entries.append(Entry(_("New agent"), "plus", url=reverse("agents:new"), keys="N"))
    if may_open(user, "profile:profile"):
        entries.append(Entry(_("Your profile"), "circle-user-round", url=reverse("profile:profile")))
    if may_open(user, "webhooks:new"):
        entries.append(Entry(_("New webhook"), "webhook", url=reverse("webhooks:new")))
    entries += [
        Entry(_("Switch between light and dark"), "sun-moon", act="theme"),
        Entry(_("Keyboard shortcuts"), "keyboard", act="shortcuts", keys="?"),
        Entry(_("Sign out"), "log-out", act="sign-out"),
    ]
    return matching(_("Actions"), entries, words) if words else [Group(_("Actions"), entries)]


def people(user: Any, words: str) -> Iterable[Group]:
    if not words or not may_open(user, "people:person"):
        return []
    entries = [
        Entry(
            person.get_full_name() or person.get_username(),
            "user",
            url=reverse("people:person", args=[person.pk]),
            hint=person.email,
        )
        for person in get_user_model().objects.order_by("pk")
    ]
    return matching(_("People"), entries, words)


def webhooks(user: Any, words: str) -> Iterable[Group]:
    if not words or not may_open(user, "webhooks:webhook"):
        return []
    entries = [
        Entry(webhook.description, "webhook", url=webhook.get_absolute_url(), hint=webhook.url)
        for webhook in Webhook.objects.only("description", "url")
    ]
    return matching(_("Webhooks"), entries, words)


# A source more is a function more; groups with better matches go first, then in this order.
SOURCES: tuple[Source, ...] = (
    pages,
    actions,
    talks,
    agents,
    flows,
    tools,
    numbers,
    calls,
    voices,
    models,
    people,
    webhooks,
    search,
)


def found(user: Any, words: str) -> list[Group]:
    groups = [group for source in SOURCES for group in source(user, words)]
    return sorted(groups, key=lambda group: group.rank) if words else groups


@require_safe
def palette(request: HttpRequest) -> HttpResponse:
    """What fits `q`, as groups of entries."""
    words = " ".join(request.GET.get("q", "")[:LONGEST].split())
    return render(
        request, "partials/_palette_results.html", {"groups": found(request.user, words), "words": words}
    )
