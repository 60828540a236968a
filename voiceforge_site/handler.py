"""Django's part of the web process: each request is answered whole in one thread."""

from __future__ import annotations

from typing import Any

import django
from django.core.handlers.asgi import ASGIHandler
from django.db import DEFAULT_DB_ALIAS, connections
from django.http import HttpRequest, HttpResponseBase

from mlservices.api.answers import Later
from telephony.threads import DatabaseThreads

THREADS = 24  # in which requests are answered, and so connections to the database; more requests wait
CONNECTION_SECONDS = 300  # for which such a connection is used again: to open one costs PostgreSQL a process


class OneThread(ASGIHandler):
    """Our pages and half of the middleware are synchronous. Django's own handler would go back to the event
    loop between those two, which costs each request several changes of thread, and the process of a server
    whose loop has stopped would wait for ever for the thread that waits for that loop. Here only what itself
    waits for the loop can do so: the few asynchronous views, which servers let end before they stop. Those of
    the API, which may take minutes, answer what is made on the loop afterwards, with no thread behind it.
    """

    def __init__(self) -> None:
        super().__init__()
        self._threads = DatabaseThreads(THREADS, "requests", begin=keep_connection)

    def load_middleware(self, is_async: bool = False) -> None:
        super().load_middleware(is_async=False)

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        response = await self._threads(self.get_response, request)
        return await response.made() if isinstance(response, Later) else response


def keep_connection() -> None:
    """The thread's own, from one request to the next."""
    own = connections[DEFAULT_DB_ALIAS]
    kept = {"CONN_MAX_AGE": CONNECTION_SECONDS, "CONN_HEALTH_CHECKS": True}
    own.settings_dict = own.settings_dict | kept


def http_application() -> Any:
    """Like `django.core.asgi.get_asgi_application`."""
    django.setup(set_prefix=False)
    from mlservices.api.bodies import Bodies  # not before Django is set up

    return Bodies(OneThread())
