"""`/ws/live/`: what happens on all calls, for whoever is signed in and watches.

A channel layer drops what a slow reader does not fetch, so nothing relies on it: events carry numbers,
and a gap is filled from the database before the next event is passed on. See `templates/calls`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import Any
from uuid import UUID

import orjson
from channels.layers import get_channel_layer
from django.conf import settings
from django.contrib.auth import get_user
from django.db.models import Q
from django.http import HttpRequest

from .eventlog import LIVE_GROUP, event_json
from .models import Call
from .page_socket import Message, PageSocket
from .threads import DatabaseThreads

logger = logging.getLogger(__name__)

CARDS_SECONDS = 0.25  # at most one card a call in this time
RECHECK_SECONDS = 5.0  # permission, and news that were lost without a later one to show it
REJOIN_SECONDS = 3600.0  # a channel layer forgets a group's members after a day
LONGEST_MESSAGE = 4096
MOST_CALLS = 100  # watched over one socket
MOST_EVENTS = 2**31 - 1  # of a call, as the database counts them

# Watchers have database threads of their own: however many they are, no call waits behind them.
in_database = DatabaseThreads(2, "watchers")


@dataclass(frozen=True, slots=True)
class Person:
    """Who sits before a page, and what they may do to live calls."""

    name: str
    may_listen: bool
    may_direct: bool


def who(session_key: str | None) -> Person | None:
    """Whose session this is now; None unless they may see calls."""
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    user = get_user(request)
    if not user.has_perm("telephony.view_calls"):
        return None
    return Person(
        user.get_username(), user.has_perm("telephony.listen"), user.has_perm("telephony.direct_calls")
    )


def board() -> list[Message]:
    """The cards of all live calls."""
    return list(Call.objects.filter(status__in=Call.LIVE, ended_at=None).values_list("card", flat=True)[:500])


def call_since(call_id: UUID, since: int) -> Message | None:
    """The answer to a subscription: the call's card and its events after number `since`."""
    call = Call.objects.filter(pk=call_id).first()
    if call is None:
        return None
    events = call.events.filter(seq__gt=since, seq__lte=call.last_seq)
    return {
        "t": "call",
        "call": str(call_id),
        "card": call.card,
        "events": [event_json(event) for event in events],
        "last": call.last_seq,
    }


def event_number(given: Any) -> int:
    """ValueError or TypeError unless it can be the number of a call's event, or 0."""
    number = int(given)
    if not 0 <= number <= MOST_EVENTS:
        raise ValueError
    return number


def changed_cards(known: dict[str, int]) -> list[Message]:
    """Cards of live calls, and of calls that were live when last seen, that are newer than known."""
    calls = Call.objects.filter(Q(pk__in=list(known)) | Q(status__in=Call.LIVE, ended_at=None))
    return [card for card in calls.values_list("card", flat=True) if card["seq"] > known.get(card["id"], 0)]


def calls_ahead(known: dict[str, int]) -> list[str]:
    """Those calls of `known` that have events after the number given there."""
    numbers = Call.objects.filter(pk__in=list(known)).values_list("pk", "last_seq")
    return [str(call_id) for call_id, last in numbers if last > known[str(call_id)]]


class MonitorConsumer:
    """The ASGI application."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await Watcher(scope, receive, send).serve()


class Watcher(PageSocket):
    """One socket."""

    def __init__(self, scope: Any, receive: Any, send: Any) -> None:
        super().__init__(send)
        self._session_key = scope["session"].session_key
        self._receive = receive
        self._layer = get_channel_layer()
        self._board = False
        self._calls: dict[str, int] = {}  # watched: number of the last event sent
        self._cards: dict[str, int] = {}  # number that the last card sent was made of
        self._waiting_cards: dict[str, Message] = {}
        self._over: set[str] = set()  # the watcher knows; no need to look after their cards
        self._one_at_a_time = asyncio.Lock()  # a snapshot first, then the events after it

    async def serve(self) -> None:
        await self._receive()  # websocket.connect
        await self._socket_send({"type": "websocket.accept"})
        channel = await self._layer.new_channel()
        await self._layer.group_add(LIVE_GROUP, channel)
        try:
            await self._run(self._client(), self._news(channel), self._send_cards(), self._recheck(channel))
        finally:
            await self._layer.group_discard(LIVE_GROUP, channel)

    # ---- what the client asks ---------------------------------------------------------------

    async def _client(self) -> None:
        await self._check_permission()
        while True:
            message = await self._receive()
            if message["type"] == "websocket.disconnect":
                return
            await self._check_permission()
            try:
                answer = self._understood(message.get("text") or "")
            except (ValueError, TypeError):
                await self._error("unreadable", "Not a message of this stream.")
                continue
            async with self._one_at_a_time:
                await answer()

    async def _check_permission(self) -> None:
        if await in_database(who, self._session_key) is None:
            raise PermissionError

    def _understood(self, text: str) -> Callable[[], Awaitable[None]]:
        """What is done about a message. Raises ValueError or TypeError if it is none of this stream."""
        if len(text) > LONGEST_MESSAGE:
            raise ValueError
        match orjson.loads(text):
            case {"sub": "board"}:
                return self._send_board
            case {"sub": "call", "call": str(call_id), **more}:
                return partial(self._send_call, UUID(call_id), event_number(more.get("since", 0)))
            case {"ping": _}:
                return partial(self._send, {"t": "pong"})
            case {"unsub": "board"}:
                return self._leave_board
            case {"unsub": "call", "call": str(call_id)}:
                return partial(self._leave_call, call_id)
        raise ValueError

    async def _send_board(self) -> None:
        cards = await in_database(board)
        self._board = True
        self._cards |= {card["id"]: card["seq"] for card in cards}
        await self._send({"t": "board", "calls": cards})

    async def _send_call(self, call_id: UUID, since: int) -> None:
        answer = await in_database(call_since, call_id, since)
        if answer is None:
            await self._error("unknown_call", "There is no such call.")
            return
        if len(self._calls) >= MOST_CALLS and str(call_id) not in self._calls:
            await self._error("too_many_calls", f"One socket watches at most {MOST_CALLS} calls.")
            return
        self._calls[str(call_id)] = answer["last"]
        await self._send(answer)

    async def _leave_board(self) -> None:
        self._board = False

    async def _leave_call(self, call_id: str) -> None:
        self._calls.pop(call_id, None)

    # ---- what happens -----------------------------------------------------------------------

    async def _news(self, channel: str) -> None:
        while True:
            message = await self._layer.receive(channel)
            if not (self._board or self._calls):
                continue
            async with self._one_at_a_time:
                for item in orjson.loads(message["json"]):
                    await self._pass_on(item["card"], item["events"])

    async def _pass_on(self, card: Message, events: list[Message]) -> None:
        call_id = card["id"]
        if self._board or call_id in self._calls:
            self._put_card(card)
        if call_id not in self._calls:
            return
        last = self._calls[call_id]
        fresh = [event for event in events if event["seq"] > last]
        if fresh and fresh[0]["seq"] != last + 1:
            await self._fill_gap(call_id)
            return
        for event in fresh:
            await self._send({"t": "event", "call": call_id, "event": event})
            self._calls[call_id] = event["seq"]

    async def _fill_gap(self, call_id: str) -> None:
        answer = await in_database(call_since, UUID(call_id), self._calls[call_id])
        if answer is None:
            return
        for event in answer["events"]:
            await self._send({"t": "event", "call": call_id, "event": event})
            self._calls[call_id] = event["seq"]

    def _put_card(self, card: Message) -> None:
        if card["seq"] > self._cards.get(card["id"], 0):
            self._cards[card["id"]] = card["seq"]
            self._waiting_cards[card["id"]] = card

    async def _send_cards(self) -> None:
        while True:
            await asyncio.sleep(CARDS_SECONDS)
            waiting, self._waiting_cards = self._waiting_cards, {}
            for card in waiting.values():
                await self._send({"t": "card", "card": card})
                if card["state"] == "ended":
                    self._over.add(card["id"])

    async def _recheck(self, channel: str) -> None:
        loop = asyncio.get_running_loop()
        joined = loop.time()
        while True:
            await asyncio.sleep(RECHECK_SECONDS)
            await self._check_permission()
            if loop.time() - joined > REJOIN_SECONDS:
                await self._layer.group_add(LIVE_GROUP, channel)
                joined = loop.time()
            async with self._one_at_a_time:
                await self._catch_up()

    async def _catch_up(self) -> None:
        if self._calls:
            for call_id in await in_database(calls_ahead, self._calls):
                await self._fill_gap(call_id)
        for call_id in self._over:
            self._cards.pop(call_id, None)
        self._over.clear()
        if self._board:
            for card in await in_database(changed_cards, self._cards):
                self._put_card(card)
