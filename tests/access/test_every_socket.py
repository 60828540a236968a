"""Every socket of the site, with every role and with nobody, against the table in access/rules.py; and that a
role which is taken away ends what is open."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator
from django.test import Client
from django.urls import path

from mlservices.api.routing import sockets as model_sockets
from telephony import actions, live
from telephony.models import Call
from telephony.page_socket import SIGNED_OUT
from telephony.routing import api_sockets, sockets
from telephony.switchboard import Switchboard
from tests.factories import make_agent
from tests.fakes.exchange import FakeSuppliers
from voiceforge_site.access.gate import admit, admit_to_api, guarded
from voiceforge_site.access.roles import ABILITIES, Role
from voiceforge_site.access.rules import ANYBODY, BY_KEY, SOCKETS
from voiceforge_site.models import Session, User
from voiceforge_site.people.actions import change_password, change_role, deactivate

pytestmark = pytest.mark.django_db(transaction=True)

NO_ROLE, NOBODY = "no role", "nobody"
WHO = [*Role.values, NO_ROLE, NOBODY]


def routes() -> list[Any]:
    switchboard = Switchboard(FakeSuppliers())
    return [*sockets(switchboard), *api_sockets(switchboard, admit), *model_sockets(admit_to_api)]


def test_every_socket_has_a_rule_and_every_rule_a_socket() -> None:
    assert {str(route.pattern) for route in routes()} == set(SOCKETS)
    assert set(SOCKETS.values()) <= set(ABILITIES) | {ANYBODY, BY_KEY}


def cookie_of(user: User | None) -> list[tuple[bytes, bytes]]:
    if user is None:
        return []
    client = Client()
    client.force_login(user)
    return [(b"cookie", f"sessionid={client.cookies['sessionid'].value}".encode())]


def opened(route: str, headers: list[tuple[bytes, bytes]], patterns: list[Any]) -> str:
    """What becomes of a socket that is opened there, and then says what no socket understands."""

    async def run() -> str:
        address = f"/{route}".replace("<uuid:call_id>", str(uuid4()))
        socket = WebsocketCommunicator(URLRouter(guarded(patterns)), address, headers=headers)
        connected, _protocol = await socket.connect(timeout=5)
        assert connected
        try:
            said = await socket.receive_output(timeout=0.3)
        except TimeoutError:
            return "open"
        await socket.disconnect()
        return "closed" if said["type"] == "websocket.close" and said["code"] == SIGNED_OUT else "open"

    return asyncio.run(run())


@pytest.mark.parametrize("who", WHO)
def test_each_socket_opens_for_whom_the_table_says(who: str) -> None:
    user = None
    if who != NOBODY:
        user = User.objects.create_user("walker", role="" if who == NO_ROLE else who)
    for route, needed in SOCKETS.items():
        admitted = needed in (ANYBODY, BY_KEY) or (who in Role.values and who in ABILITIES[needed][1])
        assert opened(route, cookie_of(user), routes()) == ("open" if admitted else "closed"), route


def test_a_socket_that_has_no_rule_opens_for_nobody(alice: User) -> None:
    anything = [path("ws/new/", routes()[0].callback)]
    assert opened("ws/new/", cookie_of(alice), anything) == "closed"


@pytest.fixture
def call(db: None) -> Call:
    return actions.start_browser_call(agent=make_agent(), caller="alice")


# Everything that `ws/live/` understands.
MESSAGES: list[dict[str, Any]] = [
    {"sub": "board"},
    {"sub": "call", "call": "the call", "since": 0},
    {"unsub": "board"},
    {"unsub": "call", "call": "the call"},
    {"ping": 1},
]


def role_taken(bob: User, alice: User) -> None:
    User.objects.filter(pk=bob.pk).update(role="")


def role_without_calls(bob: User, alice: User) -> None:
    """None of today's roles is without them, so the table changes instead."""
    what, _having = ABILITIES["telephony.view_calls"]
    ABILITIES["telephony.view_calls"] = (what, frozenset({Role.ADMINISTRATOR}))
    change_role(user=bob, role=Role.VIEWER, by=alice)


def deactivated(bob: User, alice: User) -> None:
    deactivate(user=bob, by=alice)


def session_ended(bob: User, alice: User) -> None:
    Session.objects.filter(user=bob).delete()


def password_changed(bob: User, alice: User) -> None:
    change_password(user=bob, password="a long good passphrase")


LOSSES = [role_taken, role_without_calls, deactivated, session_ended, password_changed]


@pytest.fixture(autouse=True)
def the_table_as_it_is():
    before = dict(ABILITIES)
    yield
    ABILITIES.update(before)


def after_losing(bob: User, loss: Callable[[], None], message: dict[str, Any] | None) -> list[dict[str, Any]]:
    """All that a socket which was open is told after the loss, until it is closed."""

    async def run() -> list[dict[str, Any]]:
        headers = await live.in_database(cookie_of, bob)
        socket = WebsocketCommunicator(URLRouter(guarded(routes())), "/ws/live/", headers=headers)
        await socket.connect(timeout=5)
        await socket.send_json_to({"sub": "board"})
        assert (await socket.receive_json_from(timeout=5))["t"] == "board"
        await live.in_database(loss)
        if message:
            await socket.send_json_to(message)
        told = []
        while not told or told[-1]["type"] != "websocket.close":
            told.append(await socket.receive_output(timeout=5))
        return told

    return asyncio.run(run())


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("message", MESSAGES, ids=str)
def test_no_message_is_answered_to_somebody_who_lost_the_right(call, alice, bob, message, loss) -> None:
    said = message | ({"call": str(call.pk)} if "call" in message else {})
    told = after_losing(bob, lambda: loss(bob, alice), said)
    assert [each["type"] for each in told] == ["websocket.send", "websocket.close"]
    assert '"signed_out"' in told[0]["text"]
    assert told[1]["code"] == SIGNED_OUT


@pytest.mark.parametrize("loss", LOSSES)
def test_a_socket_that_only_listens_ends_by_itself(call, alice, bob, loss, monkeypatch) -> None:
    monkeypatch.setattr(live, "RECHECK_SECONDS", 0.1)
    told = after_losing(bob, lambda: loss(bob, alice), None)
    assert told[-1]["code"] == SIGNED_OUT
