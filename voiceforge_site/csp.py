"""What a page of ours may load: our own files and one inline script, known by its hash."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

THEME_SCRIPT = (
    "document.documentElement.dataset.theme=localStorage.theme||"
    "(matchMedia('(prefers-color-scheme:dark)').matches?'dark':'light')"
)
_THEME_HASH = base64.b64encode(hashlib.sha256(THEME_SCRIPT.encode()).digest()).decode()

POLICY = "; ".join(
    (
        "default-src 'self'",
        f"script-src 'self' 'sha256-{_THEME_HASH}'",
        "style-src 'self'",  # widths of bars: static/js/figures.js
        "connect-src 'self'",
        "img-src 'self' data: blob:",
        "media-src 'self' blob:",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)


class ContentSecurityPolicy:
    """Middleware: the policy on every answer that has none of its own. A page that shows a script its
    `request.csp_nonce` may have it write styles, as the player of recordings does."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        nonce = request.csp_nonce = Nonce()  # type: ignore[attr-defined]
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", nonce.added_to(POLICY))
        return response


class Nonce:
    """Of one answer; none unless it is shown."""

    def __init__(self) -> None:
        self._value = ""

    def __str__(self) -> str:
        self._value = self._value or secrets.token_urlsafe(16)
        return self._value

    def added_to(self, policy: str) -> str:
        if not self._value:
            return policy
        return policy.replace("style-src 'self'", f"style-src 'self' 'nonce-{self._value}'")
