"""`manage.py web`: the web server that WEB_SERVER names, in place of this process."""

from __future__ import annotations

import os
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from mlservices import counting

APPLICATION = "voiceforge_site.asgi:application"
LARGEST_MESSAGE = 1 << 20  # bytes of one WebSocket message; a provider's are under 1,000
WAITING = 1024  # connections that nobody has taken yet; daphne by itself lets 50 wait and the rest break off
STOP_SECONDS = 6  # for open requests and sockets when the server is told to stop


class Command(BaseCommand):
    help = "Serve pages, API, webhooks and media sockets on HOST:PORT."

    def handle(self, *args: Any, **options: Any) -> None:
        counting.fold()
        command = [sys.executable, "-m", *arguments(settings.WEB_SERVER, port=settings.PORT)]
        os.chdir(settings.BASE_DIR)
        os.execv(command[0], command)  # noqa: S606 - our own words


def arguments(server: str, *, port: int, application: str = APPLICATION) -> list[str]:
    """WebSocket messages are never compressed: it costs more than all else we do with a frame of sound."""
    host, workers = settings.HOST, str(settings.WEB_CONCURRENCY)
    if server == "daphne":  # compresses nothing unless told to
        bare = host.strip("[]").replace(":", r"\:")
        return [
            "voiceforge_site.daphne_server",
            *("--endpoint", f"tcp:port={port}:interface={bare}:backlog={WAITING}"),
            *("--verbosity", "0", "--no-server-name"),
            *("--websocket-max-message-size", str(LARGEST_MESSAGE)),
            *("--application-close-timeout", str(STOP_SECONDS)),
            application,
        ]
    if server == "uvicorn":
        return [
            "uvicorn",
            *("--host", host, "--port", str(port), "--workers", workers),
            *("--loop", "uvloop", "--lifespan", "on"),
            *("--ws", "websockets-sansio", "--ws-per-message-deflate", "false"),
            *("--ws-max-size", str(LARGEST_MESSAGE)),
            *("--no-access-log", "--no-server-header", "--no-proxy-headers", "--log-level", "warning"),
            *("--timeout-graceful-shutdown", str(STOP_SECONDS)),
            application,
        ]
    return [  # granian knows no compression
        "granian",
        *("--host", host, "--port", str(port), "--workers", workers),
        *("--interface", "asgi", "--http", "1", "--loop", "uvloop"),
        *("--no-access-log", "--log-level", "warning"),
        *("--workers-kill-timeout", str(STOP_SECONDS)),
        application,
    ]
