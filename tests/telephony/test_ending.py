"""The end of a call: stored before the line closes, whatever is away meanwhile."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from datetime import datetime, timedelta
from typing import Any

import pytest
from channels.db import database_sync_to_async
from channels.layers import get_channel_layer
from django.db import OperationalError
from django.utils import timezone

from telephony import actions, switchboard
from telephony.models import Call, PhoneNumber, Recording
from telephony.recorder import path_of
from telephony.session.parts import Ending
from telephony.session.session import CallSession
from telephony.switchboard import Switchboard
from tests.fakes.exchange import FakeSuppliers
from tests.telephony.test_sockets import Socket, ringing
from tests.telephony.test_switchboard import DeadLayer, converse

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def call(number: PhoneNumber) -> Call:
    return ringing(number)


class LeavingLayer:
    """One whose Redis goes away during the call."""

    async def new_channel(self) -> str:
        return "channel"

    async def group_add(self, group: str, channel: str) -> None: ...

    async def receive(self, channel: str) -> Any:
        await asyncio.Event().wait()

    async def group_discard(self, group: str, channel: str) -> None:
        raise ConnectionError("refused")


def test_a_transfer_is_stored_before_the_socket_closes(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """The provider asks what to do next as soon as it sees the close."""
    happened: list[str] = []
    end_call = actions.end_call

    def slowly(*args: Any, **fields: Any) -> bool:
        time.sleep(0.2)
        ended = end_call(*args, **fields)
        happened.append("stored")
        return ended

    monkeypatch.setattr(actions, "end_call", slowly)

    async def script(socket: Socket) -> None:
        board.calls[call.pk].session.end("transferred", transfer_to="+14155550100")
        await socket.until(lambda: socket.closed)
        happened.append("closed")

    board = Switchboard(FakeSuppliers())
    ended = converse(call, board, script)
    assert happened == ["stored", "closed"]
    assert (ended.end_reason, ended.transfer_to) == ("transferred", "+14155550100")


def hang_up(socket: Socket) -> Any:
    socket.say({"event": "stop"})
    return socket.until(lambda: socket.closed)


def test_a_database_that_is_away_keeps_no_caller_on_the_line(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line is let go of first; the end and the recording are stored when the database is back."""
    end_call, away = actions.end_call, threading.Event()
    away.set()

    def try_to_end(*args: Any, **fields: Any) -> bool:
        if away.is_set():
            raise OperationalError("the server closed the connection")
        return end_call(*args, **fields)

    monkeypatch.setattr(actions, "end_call", try_to_end)
    monkeypatch.setattr(switchboard, "END_SECONDS", 0.05)
    monkeypatch.setattr(switchboard, "SHORTEST_RETRY_SECONDS", 0.05)

    async def script(socket: Socket) -> None:
        await hang_up(socket)
        assert call.pk in board.calls, "it is still held, so that nobody takes it for dead"
        away.clear()

    board = Switchboard(FakeSuppliers())
    ended = converse(call, board, script)
    assert (ended.end_reason, ended.held_at) == ("caller_hung_up", None)
    assert Recording.objects.filter(call=call).exists()


def test_a_call_ends_when_the_caller_hangs_up_however_long_the_last_words_take(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    hung_up: list[datetime] = []

    async def slowly(session: CallSession, talk: asyncio.Task[Ending]) -> str:
        await asyncio.sleep(1.0)
        return ""

    monkeypatch.setattr(CallSession, "_unanswered", slowly)

    async def script(socket: Socket) -> None:
        hung_up.append(timezone.now())
        await hang_up(socket)

    ended = converse(call, Switchboard(FakeSuppliers()), script)
    assert ended.ended_at and ended.answered_at
    assert ended.ended_at - hung_up[0] < timedelta(seconds=0.8)
    assert ended.duration_seconds == round((ended.ended_at - ended.answered_at).total_seconds(), 3)


def test_an_event_log_that_waits_keeps_no_caller_on_the_line(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = asyncio.Event()
    monkeypatch.setattr(switchboard.eventlog, "flush", stored.wait)
    monkeypatch.setattr(switchboard, "END_SECONDS", 0.05)

    async def script(socket: Socket) -> None:
        await hang_up(socket)
        stored.set()

    assert converse(call, Switchboard(FakeSuppliers()), script).end_reason == "caller_hung_up"


def test_an_end_that_cannot_be_stored_loses_no_recording_and_is_held_no_longer(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: Any, **fields: Any) -> bool:
        raise ValueError("a fault of ours")

    with monkeypatch.context() as patched:
        patched.setattr(actions, "end_call", refuse)
        board = Switchboard(FakeSuppliers())
        converse(call, board, hang_up)
    assert board.calls == {}
    assert Recording.objects.filter(call=call).exists()
    Call.objects.update(held_at=timezone.now() - timedelta(seconds=60))
    minute_ago = time.time() - 60
    os.utime(path_of(call), times=(minute_ago, minute_ago))
    assert actions.end_orphans() == 1


def test_orders_reach_a_call_again_once_the_channel_layer_is_back(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    layer, asked = get_channel_layer(), []

    def away_at_first() -> Any:
        asked.append(1)
        return DeadLayer() if len(asked) == 1 else layer

    monkeypatch.setattr(switchboard, "get_channel_layer", away_at_first)
    monkeypatch.setattr(switchboard, "SHORTEST_RETRY_SECONDS", 0.01)

    async def script(socket: Socket) -> None:
        await asyncio.sleep(0.2)
        assert await database_sync_to_async(actions.hang_up)(call.pk)

    assert converse(call, Switchboard(FakeSuppliers()), script).end_reason == "operator_hung_up"


def test_a_channel_layer_that_goes_away_holds_no_task_of_a_call(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its last words fail; the task that took orders ends all the same."""
    monkeypatch.setattr(switchboard, "get_channel_layer", LeavingLayer)

    async def script(socket: Socket) -> None:
        await hang_up(socket)
        while any("_obey" in repr(task) for task in asyncio.all_tasks()):
            await asyncio.sleep(0.01)

    converse(call, Switchboard(FakeSuppliers()), script)
