"""How pages are answered in the web process, and what is left of that when it stops."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.signals import request_finished, request_started
from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.http import HttpRequest, HttpResponse

from mlservices.api.answers import Later
from voiceforge_site import handler

SECONDS = 20
REPOSITORY = Path(__file__).resolve().parents[2]


def test_a_page_under_way_does_not_outlive_a_server_that_stops() -> None:
    """In a process of its own, as Python waits for all threads at the end of one."""
    own = {"ENV_FILE": "", "DEBUG": "true", "VAR_DIR": str(settings.VAR_DIR)}
    own["DJANGO_SETTINGS_MODULE"] = "voiceforge_site.settings"
    command = [sys.executable, "-m", "tests.site.test_handler"]
    done = subprocess.run(
        command, cwd=REPOSITORY, env=os.environ | own, timeout=SECONDS, capture_output=True, text=True
    )
    assert done.stdout.split() == ["begun", "stopped", "answered"], done.stderr


@pytest.mark.django_db(transaction=True)
def test_few_threads_answer_many_requests_and_keep_their_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL drops no database of tests while somebody is connected to it.")
    monkeypatch.setattr(handler, "THREADS", 3)
    site, answered = handler.OneThread(), []

    def asking(request: Any) -> HttpResponse:
        get_user_model().objects.exists()
        answered.append((threading.get_ident(), id(connection.connection)))
        time.sleep(0.02)
        return HttpResponse()

    monkeypatch.setattr(site, "get_response", asking)

    async def ask() -> None:
        for _ in range(2):
            await asyncio.gather(*(asked(site) for _ in range(9)))

    asyncio.run(ask())
    assert len(answered) == 18
    assert len({thread for thread, _ in answered}) == len(set(answered)) == 3


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("trusted_seconds", "requests", "times"),
    [
        (60, ["asks", "asks", "asks"], 0),  # it was made for the first
        (0, ["asks", "asks", "asks"], 2),
        (0.1, ["asks", "waits", "asks"], 1),
        (0.1, ["asks", "waits", "asks nothing", "asks"], 1),
    ],
    ids=["trusted", "never trusted", "trusted no more", "not by what asks nothing"],
)
def test_a_connection_is_asked_seldom_whether_it_is_still_there(
    monkeypatch: pytest.MonkeyPatch, trusted_seconds: float, requests: list[str], times: int
) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL drops no database of tests while somebody is connected to it.")
    monkeypatch.setattr(handler, "THREADS", 1)
    monkeypatch.setattr(handler, "TRUSTED_SECONDS", trusted_seconds)
    site, checks, asks = handler.OneThread(), [], iter(requests)

    def is_usable(self: Any) -> bool:
        checks.append(self)
        return True

    def answered(request: Any) -> HttpResponse:
        if next(asks) == "asks":
            get_user_model().objects.exists()
        return HttpResponse()

    monkeypatch.setattr(type(connections[DEFAULT_DB_ALIAS]), "is_usable", is_usable)
    monkeypatch.setattr(site, "get_response", answered)

    async def ask() -> None:
        for each in requests:
            if each == "waits":
                next(asks)
                await asyncio.sleep(2 * trusted_seconds)
            else:
                await asked(site)

    asyncio.run(ask())
    assert len(checks) == times


@pytest.mark.parametrize("is_made_later", [False, True], ids=["whole", "later"])
def test_a_request_begins_and_ends_once_in_a_thread_of_its_own(
    monkeypatch: pytest.MonkeyPatch, is_made_later: bool
) -> None:
    site, told = handler.OneThread(), []

    async def made() -> HttpResponse:
        return HttpResponse("later")

    answer = Later(made) if is_made_later else HttpResponse("at once")
    monkeypatch.setattr(site, "get_response", lambda request: answer)

    def begun(**_: Any) -> None:
        told.append(("begun", threading.current_thread().name.partition("_")[0]))

    def over(**_: Any) -> None:
        told.append(("over", threading.current_thread().name.partition("_")[0]))

    request_started.connect(begun)
    request_finished.connect(over)
    try:
        start, body = asyncio.run(asked(site))
    finally:
        request_started.disconnect(begun)
        request_finished.disconnect(over)
    assert (start["status"], body["body"]) == (200, b"later" if is_made_later else b"at once")
    assert told == [("begun", "requests"), ("over", "requests")]


def test_what_comes_in_pieces_is_as_long_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    site = handler.OneThread()

    def answered(request: HttpRequest) -> HttpResponse:
        return HttpResponse(f"{request.headers.get('Content-Length')} {request.read().decode()}")

    monkeypatch.setattr(site, "get_response", answered)
    assert asyncio.run(asked(site, b"two ", b"pieces"))[1]["body"] == b"10 two pieces"
    assert asyncio.run(asked(site))[1]["body"] == b"None "


def test_what_is_made_for_a_client_who_has_left_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    site, given_up = handler.OneThread(), []

    async def made() -> HttpResponse:
        try:
            await asyncio.sleep(SECONDS)
        except asyncio.CancelledError:
            given_up.append(True)
            raise
        return HttpResponse()

    monkeypatch.setattr(site, "get_response", lambda request: Later(made))
    begun = time.monotonic()
    assert asyncio.run(asked(site, leaves=True)) == []
    assert given_up and time.monotonic() - begun < SECONDS / 2


def test_an_answer_is_closed_though_its_client_leaves_as_soon_as_all_has_come(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(handler, "THREADS", 1)
    site, closed, others = handler.OneThread(), [], threading.Event()

    async def made() -> HttpResponse:
        answer = HttpResponse()
        answer._resource_closers.append(lambda: closed.append(True))  # type: ignore[attr-defined]
        return answer

    monkeypatch.setattr(site, "get_response", lambda request: Later(made))

    async def ask() -> None:
        gone = asyncio.Event()
        messages = iter([{"type": "http.request", "body": b""}])

        async def receive() -> Any:
            if message := next(messages, None):
                return message
            await gone.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.body":
                gone.set()
                site._threads._executor.submit(others.wait, SECONDS)  # its thread is not free

        await site({"type": "http", "method": "GET", "path": "/", "headers": []}, receive, send)
        others.set()
        async with asyncio.timeout(SECONDS):
            while not closed:
                await asyncio.sleep(0.01)

    asyncio.run(ask())


async def asked(site: handler.OneThread, *pieces: bytes, leaves: bool = False) -> list[Any]:
    """What the server is told to send, to who has sent these."""
    whole = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
    messages, sent = iter([*whole, {"type": "http.request", "body": b""}]), []

    async def receive() -> Any:
        if message := next(messages, None):
            return message
        await asyncio.sleep(0.05 if leaves else SECONDS)
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    method = "POST" if pieces else "GET"
    await site({"type": "http", "method": method, "path": "/", "headers": []}, receive, send)
    return sent


def stop_while_a_page_is_made() -> None:
    from django.urls import path

    from voiceforge_site.handler import http_application

    pages = http_application()  # which sets Django up

    from voiceforge_site import urls
    from voiceforge_site.access import rules

    loop, stopped = asyncio.new_event_loop(), threading.Event()

    def slow(request: HttpRequest) -> HttpResponse:
        tell("begun")
        loop.call_soon_threadsafe(loop.stop)
        stopped.wait(SECONDS)
        tell("answered")
        return HttpResponse()

    async def ask() -> None:
        messages = iter([{"type": "http.request", "body": b"", "more_body": False}])

        async def receive() -> Any:
            return next(messages, None) or await asyncio.Future()

        async def send(message: Any) -> None:
            raise AssertionError("The loop has stopped.")

        scope = {"type": "http", "method": "GET", "path": "/slow", "headers": [(b"host", b"localhost")]}
        await pages(scope, receive, send)

    rules.PAGES["slow"] = rules.Rule(read=rules.ANYBODY)
    urls.urlpatterns.append(path("slow", slow, name="slow"))
    asking = loop.create_task(ask())
    loop.run_forever()
    tell("stopped")
    stopped.set()
    assert not asking.done()


def tell(what: str) -> None:
    print(what, flush=True)  # noqa: T201


if __name__ == "__main__":
    stop_while_a_page_is_made()
