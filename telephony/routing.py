from __future__ import annotations

from typing import Any

from channels.auth import AuthMiddlewareStack
from django.urls import URLPattern, path

from .attending import AttendConsumer
from .consumers import MediaConsumer
from .live import MonitorConsumer
from .realtime.door import Admit
from .realtime.following import FollowConsumer
from .realtime.socket import RealtimeConsumer
from .suppliers import RegistrySuppliers
from .switchboard import Switchboard


def sockets(switchboard: Switchboard) -> list[URLPattern]:
    """Our WebSocket addresses. Media sockets are admitted by token and ask for no session."""
    applications: dict[str, Any] = {
        "ws/media/twilio/": MediaConsumer("twilio", switchboard),
        "ws/media/browser/": MediaConsumer("browser", switchboard),
        "ws/media/sip/": MediaConsumer("sip", switchboard),
        "ws/live/": AuthMiddlewareStack(MonitorConsumer()),
        "ws/calls/<uuid:call_id>/attend/": AuthMiddlewareStack(AttendConsumer()),
    }
    return [path(route, application) for route, application in applications.items()]


def api_sockets(switchboard: Switchboard, admit: Admit) -> list[URLPattern]:
    """Those of programs; `admit` is the site's door."""
    applications: dict[str, Any] = {
        "ws/realtime": RealtimeConsumer(switchboard, admit),
        "ws/calls/<uuid:call_id>": FollowConsumer(admit),
    }
    return [path(route, application) for route, application in applications.items()]


switchboard = Switchboard(RegistrySuppliers())
websocket_urlpatterns = sockets(switchboard)
