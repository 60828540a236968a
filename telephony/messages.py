"""Messages that callers left, found among the events of calls."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from .models import Call, CallEvent
from .pages import BoundedPage
from .session.events import MessageTaken, event_from


@dataclass(frozen=True, slots=True)
class LeftMessage:
    call: Call
    at: datetime
    message: MessageTaken


def left_message(row: CallEvent) -> LeftMessage:
    message = event_from(row.kind, row.at_seconds, row.payload)
    assert isinstance(message, MessageTaken)
    return LeftMessage(row.call, row.at, message)


def newest_messages() -> QuerySet[CallEvent]:
    """One that went on after it was taken is among the events of its call again, with all its words."""
    taken = CallEvent.objects.filter(kind="message_taken")
    later = taken.filter(
        call=OuterRef("call"), seq__gt=OuterRef("seq"), payload__ordinal=OuterRef("payload__ordinal")
    )
    return taken.filter(~Exists(later)).select_related("call__agent").order_by("-at")


@require_safe
@vary_on_headers("HX-Request")
def messages(request: HttpRequest) -> HttpResponse:
    """All messages, newest first; `q` searches name, number and words."""
    rows = newest_messages()
    words = request.GET.get("q", "").strip()
    if words:
        found = Q(payload__name__icontains=words) | Q(payload__words__icontains=words)
        if digits := "".join(letter for letter in words if letter.isdigit()):
            found |= Q(payload__number__icontains=digits)
        rows = rows.filter(found)
    page = BoundedPage.of(rows, request.GET.get("page"))
    context = {"page": page, "messages_left": [left_message(row) for row in page], "filtered": bool(words)}
    partial = request.htmx and not request.htmx.history_restore_request  # type: ignore[attr-defined]
    return render(request, "calls/_messages_table.html" if partial else "calls/messages.html", context)
