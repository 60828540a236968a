from __future__ import annotations

from typing import Any

from django.urls import URLPattern, path

from .socket import Admit, ListenConsumer


def sockets(admit: Admit) -> list[URLPattern]:
    """The API's WebSocket addresses; `admit` is the site's door."""
    listen: Any = ListenConsumer(admit)
    return [path("ws/stt", listen)]
