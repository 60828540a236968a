"""The pages that the menu, the palette and the `g` shortcuts lead to: one table.

A new page of the menu is a line here, and a line in access/rules.py that says who may open it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from .access.rules import PAGES, Rule, meets


@dataclass(frozen=True, slots=True)
class Place:
    """`key` follows `g`; `section` is the heading it stands under in the menu."""

    view: str
    icon: str
    label: Any
    key: str = ""
    section: Any = ""

    @property
    def url(self) -> str:
        return reverse(self.view)


MENU = (
    Place("home", "layout-dashboard", _("Overview"), "o"),
    Place("telephony:live", "radio", _("Live calls"), "l"),
    Place("outbound:dial", "phone-outgoing", _("Dialler"), "c"),
    Place("telephony:history", "history", _("Call history"), "h"),
    Place("telephony:messages", "mail", _("Messages"), "m"),
    Place("agents:list", "bot", _("Agents"), "a", _("Build")),
    Place("flows:list", "workflow", _("Flows"), "f", _("Build")),
    Place("knowledge:list", "book-open", _("Knowledge"), "k", _("Build")),
    Place("tools:list", "wrench", _("Tools"), "t", _("Build")),
    Place("voices:list", "audio-lines", _("Voices"), "v", _("Build")),
    Place("lines:numbers", "phone", _("Numbers"), "n", _("Manage")),
    Place("lines:accounts", "key-round", _("Accounts"), "i", _("Manage")),
    Place("models:list", "cpu", _("Models"), "d", _("Manage")),
    Place("usage:usage", "chart-column", _("Usage"), "u", _("Manage")),
    Place("keys:list", "key-square", _("API keys"), "y", _("Manage")),
    Place("webhooks:list", "webhook", _("Webhooks"), "w", _("Manage")),
    Place("people:list", "users", _("People"), "p", _("Manage")),
    Place("audit:list", "scroll-text", _("Audit"), "j", _("Manage")),
    Place("status", "activity", _("Service status"), "s", _("Manage")),
)


def may_open(user: Any, view: str) -> bool:
    """Whether the rules let the person read the page."""
    needed = PAGES.get(view, Rule()).read
    return bool(needed and meets(user, needed))


def menu_of(user: Any) -> list[Place]:
    return [place for place in MENU if may_open(user, place.view)]


def current_place(user: Any, path: str) -> str:
    """The address in the person's menu under which a page stands: the longest that its own begins with."""
    home = reverse("home")
    under = [
        place.url
        for place in menu_of(user)
        if path.startswith(place.url) and (place.url != home or path == home)
    ]
    return max(under, key=len, default="")
