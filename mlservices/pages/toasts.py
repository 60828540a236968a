"""Toasts: short words at the foot of the page about what was just done, with a way back where there is one.

    messages.success(request, _("%(name)s saved") % {"name": agent.name})
    undoable(request, _("3 calls were deleted"), url=reverse("telephony:restore"), id=[...])

Both survive a redirect, and come with the answer to an htmx request too (voiceforge_site.toasts). Undo is a
form: POST to `url` with `fields`; that view redirects to where it makes sense, with a toast of its own.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlencode

from django.contrib import messages
from django.contrib.messages.storage.base import Message
from django.http import HttpRequest

_UNDO = "undo "


def undoable(request: HttpRequest, text: str, *, url: str, **fields: object) -> None:
    """A toast with an Undo button. `fields` are what it posts; a list posts its name once for each value."""
    query = urlencode(fields, doseq=True)
    messages.success(request, text, extra_tags=f"{_UNDO}{url}{'?' + query if query else ''}")


def toast_of(message: Message) -> dict[str, Any]:
    """{"text", "level": "success" or "error" or ..., "undo": None or {"url", "fields": [(name, value)]}}."""
    undo = None
    if message.extra_tags and message.extra_tags.startswith(_UNDO):
        url, _mark, query = message.extra_tags.removeprefix(_UNDO).partition("?")
        undo = {"url": url, "fields": parse_qsl(query, keep_blank_values=True)}
    return {"text": str(message.message), "level": message.level_tag, "undo": undo}
