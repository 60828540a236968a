"""Whose call it is: what a desk lets through, and whom it takes a call away from."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from channels.layers import get_channel_layer

from telephony import desk as desks
from telephony.desk import Desk
from telephony.line import Line
from telephony.providers.twilio.codec import TwilioCodec
from telephony.session.operators import GiveBack, TakeOver, WordsToSay


class Operators:
    """Remembers what was asked; takes over and gives back at once."""

    def __init__(self) -> None:
        self.holder = ""
        self.holder_window = ""
        self.asked: list[Any] = []
        self.heard: list[tuple[str, str]] = []

    def ask(self, request: Any) -> None:
        self.asked.append(request)
        if isinstance(request, TakeOver):
            self.holder, self.holder_window = request.by, request.window
        elif isinstance(request, GiveBack):
            self.holder = self.holder_window = ""

    def hear(self, by: str, pcm: bytes, window: str = "") -> None:
        self.heard.append((by, window))


class Session:
    def __init__(self) -> None:
        self.operators = Operators()
        self.transferred: list[tuple[str, str]] = []

    def transfer(self, number: str, *, by: str) -> None:
        self.transferred.append((number, by))


@pytest.fixture
def session() -> Session:
    return Session()


def a_desk(session: Session) -> Desk:
    return Desk(line=Line(TwilioCodec()), session=session, recorder=None, record=lambda event: None)  # type: ignore[arg-type]


def order(kind: str, by: str, **words: Any) -> dict[str, Any]:
    return {"type": kind, "by": by, **words}


async def test_while_somebody_has_the_call_others_can_do_nothing_to_it(session: Session) -> None:
    desk = a_desk(session)
    desk.obey(order("take_over", "bob"), "orders")
    for kind, words in (
        ("say", {"text": "no"}),
        ("whisper", {"text": "no"}),
        ("take_over", {}),
        ("give_back", {"note": ""}),
        ("transfer", {"number": "+14155550123"}),
    ):
        desk.obey(order(kind, "carol", **words), "orders")
    assert session.operators.asked == [TakeOver("bob")]
    assert session.transferred == []
    desk.obey(order("give_back", "bob", note="done"), "orders")
    desk.obey(order("say", "carol", text="now"), "orders")
    assert session.operators.asked[1:] == [GiveBack("bob", "done", lost=False), WordsToSay("now", "carol")]


async def test_who_has_the_call_moves_it_to_another_window_only_by_taking_it_over_there(
    session: Session,
) -> None:
    desk = a_desk(session)
    desk.obey(order("take_over", "bob", window="left"), "orders")
    desk.obey(order("take_over", "bob", window="left"), "orders")
    desk.obey(order("give_back", "bob", window="right", note=""), "orders")
    assert session.operators.asked == [TakeOver("bob", "left")]
    desk.obey(order("take_over", "bob", window="right"), "orders")
    desk.obey(order("give_back", "bob", window="left", note=""), "orders")
    assert session.operators.asked[1:] == [TakeOver("bob", "right")]
    desk.obey(order("give_back", "bob", window="right", note=""), "orders")
    assert session.operators.holder == ""


async def test_sound_of_their_other_window_keeps_no_absent_operator_in_the_call(session: Session) -> None:
    desk = a_desk(session)
    desk.obey(order("take_over", "bob", window="right"), "orders")
    now = asyncio.get_running_loop().time()
    desk.obey(order("speech", "bob", window="left", pcm=bytes(320)), "orders")
    desk.watch(now + desks.MICROPHONE_SILENT_SECONDS + 0.1)
    assert session.operators.asked[1:] == [GiveBack("bob", "", lost=True)]


async def test_sound_of_somebody_else_keeps_no_absent_operator_in_the_call(session: Session) -> None:
    desk = a_desk(session)
    desk.obey(order("take_over", "bob"), "orders")
    now = asyncio.get_running_loop().time()
    desk.obey(order("speech", "carol", pcm=bytes(320)), "orders")
    desk.watch(now + desks.MICROPHONE_SILENT_SECONDS + 0.1)
    assert session.operators.asked[1:] == [GiveBack("bob", "", lost=True)]


async def test_an_open_microphone_into_which_nobody_speaks_does_not_hold_a_call_for_ever(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desks, "MICROPHONE_SILENT_SECONDS", 1e9)
    desk = a_desk(session)
    desk.obey(order("take_over", "bob"), "orders")
    now = asyncio.get_running_loop().time()
    desk.watch(now + desks.NOBODY_SPEAKS_SECONDS - 1)
    assert session.operators.holder == "bob"
    desk.watch(now + desks.NOBODY_SPEAKS_SECONDS + 1)
    assert session.operators.holder == ""


async def test_pages_are_told_anew_where_orders_go_when_that_has_changed(session: Session) -> None:
    desk = a_desk(session)
    layer = get_channel_layer()
    page = await layer.new_channel()
    for channel in ("orders.a", "orders.a", "orders.b"):
        desk.obey(order("attend", "bob", page=page, listens=False), channel)
    told = [await asyncio.wait_for(layer.receive(page), 2) for _ in range(4)]
    assert [message["orders"] for message in told if message["t"] == "attending"] == ["orders.a", "orders.b"]
    desk.close()


async def test_who_placed_the_call_is_waited_for_until_they_open_their_microphone(session: Session) -> None:
    session.operators.ask(TakeOver("bob"))
    desk = a_desk(session)
    now = asyncio.get_running_loop().time()
    desk.watch(now + desks.ON_THE_WAY_SECONDS - 1)
    assert session.operators.holder == "bob"
    desk.watch(now + desks.ON_THE_WAY_SECONDS + 1)
    assert session.operators.asked[-1] == GiveBack("bob", "", lost=True)
