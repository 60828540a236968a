"""A name for every request: in its log lines, in its answer (X-Request-ID) and on the pages of errors.

Who reports a failure copies the name; who looks for the reason finds it in the log of the web process.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextvars import ContextVar

from django.http import HttpRequest, HttpResponse

HEADER = "X-Request-ID"
_current: ContextVar[str] = ContextVar("request_id", default="")


def current() -> str:
    """Of the request that is being answered here; "" outside of any."""
    return _current.get()


class RequestIds:
    """Middleware, the first of all. A name that a visitor sends along is not taken: it goes into the log."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        name = secrets.token_hex(6)
        request.request_id = name  # type: ignore[attr-defined]  # for what Django logs of it afterwards
        token = _current.set(name)
        try:
            response = self.get_response(request)
            response[HEADER] = name
        finally:
            _current.reset(token)
        return response
