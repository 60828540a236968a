"""Brings toasts with the answers to htmx requests, which show no page that could carry them."""

from __future__ import annotations

import json
from collections.abc import Callable

from django.contrib.messages import get_messages
from django.http import HttpRequest, HttpResponse

from mlservices.pages.toasts import toast_of

_LEADS_AWAY = ("HX-Redirect", "HX-Refresh", "HX-Location")


class HtmxToasts:
    """Middleware: what was told with django.contrib.messages goes into HX-Trigger as the event `toasts`.

    Not where the answer leads to another page, which shows it, nor where a whole page has shown it already.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        leads_away = 300 <= response.status_code < 400 or any(name in response for name in _LEADS_AWAY)
        told = get_messages(request)
        if request.htmx and not leads_away and len(told) and not told.used:  # type: ignore[attr-defined,union-attr]
            response["HX-Trigger"] = _with_toasts(response.get("HX-Trigger", ""), [toast_of(m) for m in told])
        return response


def _with_toasts(header: str, told: list[object]) -> str:
    """`header` is a list of names or JSON, as htmx takes both. Answers in ASCII, as headers are."""
    if header.startswith("{"):
        events = json.loads(header)
    else:
        events = {name.strip(): None for name in header.split(",") if name.strip()}
    return json.dumps(events | {"toasts": told})
