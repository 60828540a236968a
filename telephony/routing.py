from __future__ import annotations

from typing import Any

from channels.auth import AuthMiddlewareStack
from django.urls import URLPattern, path

from .attending import AttendConsumer
from .consumers import MediaConsumer
from .live import MonitorConsumer
from .suppliers import RegistrySuppliers
from .switchboard import Switchboard


def sockets(switchboard: Switchboard) -> list[URLPattern]:
    """Our WebSocket addresses. Media sockets are admitted by token and ask for no session."""
    applications: dict[str, Any] = {
        "ws/media/twilio/": MediaConsumer("twilio", switchboard),
        "ws/media/browser/": MediaConsumer("browser", switchboard),
        "ws/media/sip/": MediaConsumer("sip", switchboard),
        "ws/live/": AuthMiddlewareStack(MonitorConsumer()),
        "ws/calls/<uuid:call_id>/": AuthMiddlewareStack(AttendConsumer()),
    }
    return [path(route, application) for route, application in applications.items()]


switchboard = Switchboard(RegistrySuppliers())
websocket_urlpatterns = sockets(switchboard)
