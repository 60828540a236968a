"""What a page of ours may load: our own files and one inline script, known by its hash."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

THEME_SCRIPT = (
    "document.documentElement.dataset.theme=localStorage.theme||"
    "(matchMedia('(prefers-color-scheme:dark)').matches?'dark':'light')"
)
_THEME_HASH = base64.b64encode(hashlib.sha256(THEME_SCRIPT.encode()).digest()).decode()

# Style attributes carry the widths of bars, hence 'unsafe-inline' for styles alone.
POLICY = "; ".join(
    (
        "default-src 'self'",
        f"script-src 'self' 'sha256-{_THEME_HASH}'",
        "style-src 'self' 'unsafe-inline'",
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
    """Middleware: the policy on every answer that has none of its own."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", POLICY)
        return response
