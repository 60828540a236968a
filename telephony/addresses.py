"""Our own addresses as the outside knows them."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit

from django.conf import settings


def public_url(path: str, *, websocket: bool = False) -> str:
    """`path` (with its query string, if any) below PUBLIC_URL: behind a TLS proxy the server itself sees
    another scheme, host and port."""
    public = urlsplit(settings.PUBLIC_URL)
    scheme = public.scheme
    if websocket:
        scheme = "wss" if scheme == "https" else "ws"
    return urlunsplit((scheme, public.netloc, "", "", "")) + public.path.rstrip("/") + path
