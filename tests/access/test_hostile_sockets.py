"""Every socket of the site against what a program sends that means it ill: from the routing itself, so that a
new one is here too, and fails until the tables know it."""

from __future__ import annotations

import asyncio
import logging
from typing import Any
from uuid import uuid4

import orjson
import pytest
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator
from django.urls import path

from tests.access.test_every_socket import cookie_of, routes
from voiceforge_site.access import key_actions
from voiceforge_site.access.gate import NOT_ALLOWED, UNKNOWN_KEY, guarded
from voiceforge_site.access.pace import PACES, SOUND
from voiceforge_site.access.roles import ABILITIES
from voiceforge_site.access.rules import BY_KEY, SOCKETS
from voiceforge_site.models import User

pytestmark = pytest.mark.django_db(transaction=True)

POLICY, TOO_BIG, UNKNOWN_CALL = 1008, 1009, 4004
TOLD = "told, and left open"
UNHEARD = "dropped, and left open"
CALL = uuid4()

TEXTS = ["", "{", "null", "7", "[]", '"words"', "[" * 3000, '{"a":' * 800, "\x00"]
TEXTS.append('{"type": ["init"], "language": 7, "listen": "yes", "sub": {}, "event": []}')
BINARY = [b"", b"\xff\xfe\x00", bytes(321)]
TOO_LONG = '{"type": "' + "x" * 300_000 + '"}'

# What becomes of text that is none of the stream's, of binary where text is due, of a message over its size.
FATES: dict[str, tuple[Any, Any, Any]] = {
    "ws/live/": (TOLD, TOLD, TOLD),
    "ws/calls/<uuid:call_id>/attend/": (TOLD, UNHEARD, TOLD),  # binary is sound, which nobody asked for
    "ws/calls/<uuid:call_id>": (POLICY, POLICY, TOO_BIG),
    "ws/realtime": (POLICY, POLICY, TOO_BIG),
    "ws/stt": (POLICY, POLICY, TOO_BIG),
    "ws/media/twilio/": (POLICY, POLICY, TOO_BIG),
    "ws/media/browser/": (POLICY, POLICY, TOO_BIG),
    "ws/media/sip/": (POLICY, POLICY, TOO_BIG),
}
# A first message that is in order but for what comes after the door, and the code that then closes it.
WITH_KEY: dict[str, tuple[dict[str, Any], set[str], int]] = {
    "ws/calls/<uuid:call_id>": ({"type": "follow"}, {"telephony.view_calls"}, UNKNOWN_CALL),
    "ws/realtime": (
        {"type": "init", "eventId": "1", "timestamp": 1, "config": {"agent": "no-such-agent"}},
        {"mlservices.use_models", "agents.try_agents"},
        POLICY,
    ),
    "ws/stt": ({"language": "xx"}, {"mlservices.use_models"}, POLICY),
}


def address(route: str) -> str:
    return f"/{route}".replace("<uuid:call_id>", str(CALL))


def fate(route: str, headers: list[tuple[bytes, bytes]], message: str | bytes) -> Any:
    """What becomes of a socket whose first message is this."""

    async def run() -> Any:
        socket = WebsocketCommunicator(URLRouter(guarded(routes())), address(route), headers=headers)
        assert (await socket.connect(timeout=5))[0]
        kind = "text" if isinstance(message, str) else "bytes"
        await socket.send_input({"type": "websocket.receive", kind: message})
        while not await socket.receive_nothing(timeout=0.15 if FATES[route][0] == TOLD else 5):
            said = await socket.receive_output()
            if said["type"] == "websocket.close":
                await socket.wait(timeout=5)
                return said["code"]
            if FATES[route][0] == TOLD and orjson.loads(said["text"]).get("code") == "unreadable":
                await socket.disconnect()
                return TOLD
        await socket.disconnect()
        return UNHEARD

    return asyncio.run(run())


def test_the_tables_know_every_socket() -> None:
    served = {str(route.pattern) for route in routes()}
    assert set(FATES) == served
    assert set(WITH_KEY) == {route for route, needed in SOCKETS.items() if needed == BY_KEY}
    assert set(PACES) <= served


@pytest.mark.parametrize("route", FATES)
def test_what_is_no_message_is_refused_as_the_table_says(
    route: str, alice: User, caplog: pytest.LogCaptureFixture
) -> None:
    of_text, of_binary, of_long = FATES[route]
    headers = cookie_of(alice)
    for text in TEXTS:
        assert fate(route, headers, text) == of_text, text[:20]
    for content in BINARY:
        expected = TOLD if of_binary == UNHEARD and not content else of_binary
        assert fate(route, headers, content) == expected, content[:20]
    assert fate(route, headers, TOO_LONG) == of_long
    assert not [each for each in caplog.records if each.levelno >= logging.ERROR or each.exc_info]


@pytest.mark.parametrize("route", WITH_KEY)
def test_a_socket_of_programs_opens_for_a_key_whose_scopes_suffice_and_no_other(
    route: str, alice: User
) -> None:
    message, needed, beyond = WITH_KEY[route]

    def closed_with(key: str) -> Any:
        return fate(route, [], orjson.dumps({**message, "apiKey": key}).decode())

    assert closed_with("") == UNKNOWN_KEY
    assert closed_with("vf_sk_" + "0" * 32) == UNKNOWN_KEY
    for ability in ABILITIES:
        _row, key = key_actions.create(ability, alice, scopes=[ability])
        assert closed_with(key) == (beyond if {ability} == needed else NOT_ALLOWED), ability
    _row, key = key_actions.create("enough", alice, scopes=sorted(needed))
    assert closed_with(key) == beyond


class Patient:
    """The application of a socket that says nothing, whatever it is sent, until it is gone."""

    def __init__(self) -> None:
        self.heard = 0
        self.gone: Any = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            self.heard += 1
        self.gone = message.get("code")
        await send({"type": "websocket.close", "code": 1000})


@pytest.mark.parametrize("route", FATES)
def test_who_sends_too_many_messages_is_cut_off(route: str, alice: User) -> None:
    application, pace = Patient(), PACES.get(route, SOUND)
    headers = cookie_of(alice)

    async def run() -> list[Any]:
        pattern: Any = path(route, application)  # type: ignore[call-overload]
        socket = WebsocketCommunicator(URLRouter(guarded([pattern])), address(route), headers=headers)
        assert (await socket.connect(timeout=5))[0]
        for _ in range(int(pace.at_once)):
            await socket.send_to(text_data="{}")
        assert await socket.receive_nothing(timeout=0.2)
        for _ in range(int(pace.at_once + pace.a_second)):
            await socket.send_to(text_data="{}")
        said = [await socket.receive_output(timeout=5)]
        await socket.wait(timeout=5)
        while not socket.output_queue.empty():
            said.append(socket.output_queue.get_nowait())
        return said

    (closed,) = asyncio.run(run())
    assert (closed["type"], closed["code"], application.gone) == ("websocket.close", POLICY, POLICY)
    assert application.heard >= pace.at_once


def test_a_page_of_another_site_opens_none_of_them(alice: User) -> None:
    from voiceforge_site.asgi import patterns, sockets

    cookie = cookie_of(alice)

    async def opened(route: str, origin: str) -> bool:
        headers = [*cookie, (b"origin", origin.encode())]
        socket = WebsocketCommunicator(sockets, address(route), headers=headers)
        try:
            return bool((await socket.connect(timeout=5))[0])
        finally:
            await socket.disconnect()

    assert {str(each.pattern) for each in patterns} == set(FATES)
    for route in FATES:
        for origin in ("https://evil.example", "null", "https://localhost.evil.example", "file://", "x"):
            assert not asyncio.run(opened(route, origin)), (route, origin)
