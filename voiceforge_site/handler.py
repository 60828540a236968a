"""Django's part of the web process: each request is answered whole in one thread."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from io import SEEK_END
from typing import Any, cast

import django
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.core.signals import request_started
from django.db import DEFAULT_DB_ALIAS, connections
from django.http import FileResponse, HttpResponseBase
from django.urls import set_script_prefix

from mlservices.api.answers import Later
from telephony.threads import DatabaseThreads

THREADS = 24  # in which requests are answered, and so connections to the database; more requests wait
CONNECTION_SECONDS = 300  # for which such a connection is used again: to open one costs PostgreSQL a process
TRUSTED_SECONDS = 1  # since it was asked whether it is still there


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

    async def handle(self, scope: Any, receive: Any, send: Any) -> None:
        """Django's own changes threads for each of its signals, which costs more than a small answer does."""
        try:
            body = await self.read_body(receive)
        except RequestAborted:
            return
        with body:
            set_script_prefix(get_script_prefix(scope))
            response = await self._threads(self._answer, with_length(scope, body), body)
            if _is_whole(response):
                await self.send_response(response, send)
            else:
                await _while_connected(self._make_and_send(response, send), receive)

    def _answer(self, scope: Any, body: Any) -> HttpResponseBase:
        """Closed already, if it is whole."""
        request_started.send(type(self), scope=scope)
        with connection_trusted():
            request, refusal = self.create_request(scope, body)
            response: Any = refusal if request is None else self.get_response(request)
        self._own(response)
        if _is_whole(response):
            response.close()
        return cast(HttpResponseBase, response)

    def _own(self, response: Any) -> None:
        response._handler_class = type(self)  # the sender of the signal that it sends when it is closed
        if isinstance(response, FileResponse):
            response.block_size = self.chunk_size

    async def _make_and_send(self, response: HttpResponseBase, send: Any) -> None:
        try:
            if isinstance(response, Later):
                response = await response.made()
                self._own(response)
            await self.send_response(response, send)
        finally:  # also for a client who is gone: it takes away what was uploaded
            await asyncio.shield(self._threads(response.close))


def with_length(scope: Any, body: Any) -> Any:
    """What comes in pieces tells no length, without which Django REST framework reads nothing of it."""
    if any(name == b"content-length" for name, _ in scope["headers"]):
        return scope
    length = body.seek(0, SEEK_END)
    body.seek(0)
    return {**scope, "headers": [*scope["headers"], (b"content-length", b"%d" % length)]} if length else scope


def _is_whole(response: HttpResponseBase) -> bool:
    return not (response.streaming or isinstance(response, Later))


async def _while_connected(sending: Coroutine[Any, Any, None], receive: Any) -> None:
    """Until it has sent all, or the client is gone."""
    tasks = [asyncio.ensure_future(sending), asyncio.ensure_future(receive())]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, Exception):
            raise outcome


def keep_connection() -> None:
    """The thread's own, from one request to the next."""
    own = connections[DEFAULT_DB_ALIAS]
    kept = {"CONN_MAX_AGE": CONNECTION_SECONDS, "CONN_HEALTH_CHECKS": True}
    own.settings_dict = own.settings_dict | kept


class _Asked(threading.local):
    at = float("-inf")  # of time.monotonic


_asked = _Asked()


@contextmanager
def connection_trusted() -> Iterator[None]:
    """The thread's own is not asked before every request whether it is still there, which takes as long as to
    ask it for a key. What asks nothing of the database renews no trust."""
    own: Any = connections[DEFAULT_DB_ALIAS]  # none of Django's stubs know what follows
    own.health_check_done = is_trusted = time.monotonic() - _asked.at < TRUSTED_SECONDS
    yield
    if own.health_check_done and not is_trusted:
        _asked.at = time.monotonic()


def http_application() -> Any:
    """Like `django.core.asgi.get_asgi_application`."""
    django.setup(set_prefix=False)
    from mlservices.api.bodies import Bodies  # not before Django is set up

    from .too_large import too_large

    site = OneThread()
    return Bodies(site, too_large(site))
