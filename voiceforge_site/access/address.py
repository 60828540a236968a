"""Where a request comes from."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def address_of(request: HttpRequest) -> str:
    """The IP address; behind a proxy of ours the one that it adds last to X-Forwarded-For."""
    return _told(request.headers.get("X-Forwarded-For", ""), request.META.get("REMOTE_ADDR") or "")


def address_in(scope: Any) -> str:
    """The same of a socket's scope."""
    forwarded = dict(scope["headers"]).get(b"x-forwarded-for", b"").decode("latin-1")
    return _told(forwarded, (scope.get("client") or [""])[0])


def _told(forwarded: str, peer: str) -> str:
    last = forwarded.rpartition(",")[2].strip() if settings.BEHIND_PROXY else ""
    return (last or peer)[:45]
