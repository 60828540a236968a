"""The live stream: a snapshot, then every event once and in order, whatever is lost on the way."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from channels.db import database_sync_to_async
from channels.layers import get_channel_layer
from django.test import Client

from agents.models import Agent
from telephony import actions, live
from telephony.eventlog import EventLog, record_now
from telephony.live import MonitorConsumer
from telephony.models import Call
from telephony.session.events import AgentStateChanged, CallerWordsGuessed, DigitsPressed
from telephony.switchboard import in_database
from voiceforge_site.models import User

pytestmark = pytest.mark.django_db(transaction=True)


class Watcher:
    """A browser's side of the stream; `slow` holds back what the layer has for it."""

    def __init__(self, session_key: str | None) -> None:
        self.sent: list[dict[str, Any]] = []
        self.closed: dict[str, Any] | None = None
        self._to_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._happened = asyncio.Event()
        self._to_app.put_nowait({"type": "websocket.connect"})
        session = type("Session", (), {"session_key": session_key})()
        application = MonitorConsumer()
        self._task = asyncio.create_task(
            application({"type": "websocket", "session": session}, self._to_app.get, self._send)
        )

    async def _send(self, message: dict[str, Any]) -> None:
        if message["type"] == "websocket.send":
            self.sent.append(json.loads(message["text"]))
        elif message["type"] == "websocket.close":
            self.closed = message
        self._happened.set()

    def say(self, **message: Any) -> None:
        self._to_app.put_nowait({"type": "websocket.receive", "text": json.dumps(message)})

    def say_text(self, text: str) -> None:
        self._to_app.put_nowait({"type": "websocket.receive", "text": text})

    async def until(self, condition: Callable[[], Any]) -> None:
        async with asyncio.timeout(10):
            while not condition():
                self._happened.clear()
                await self._happened.wait()

    async def leave(self) -> None:
        self._to_app.put_nowait({"type": "websocket.disconnect", "code": 1000})
        await self._task

    def all(self, kind: str) -> list[dict[str, Any]]:
        return [message for message in self.sent if message["t"] == kind]

    def numbers(self) -> list[int]:
        """Of the events, in the order in which they came."""
        answers = [event["seq"] for answer in self.all("call") for event in answer["events"]]
        return answers + [message["event"]["seq"] for message in self.all("event")]


@pytest.fixture
def session(bob: User) -> str:
    client = Client()
    client.force_login(bob)
    assert client.session.session_key
    return client.session.session_key


@pytest.fixture
def call(agent: Agent) -> Call:
    return actions.start_browser_call(agent=agent, caller="alice")


def watch(session: str | None, script: Callable[[Watcher], Awaitable[None]]) -> Watcher:
    async def run() -> Watcher:
        watcher = Watcher(session)
        await script(watcher)
        await watcher.leave()
        return watcher

    return asyncio.run(run())


record = database_sync_to_async(record_now)


def test_the_board_begins_with_all_live_calls(session: str, call: Call, agent: Agent) -> None:
    actions.end_call(actions.start_browser_call(agent=agent, caller="bob").pk, reason="silence")

    async def script(watcher: Watcher) -> None:
        watcher.say(sub="board")
        await watcher.until(lambda: watcher.all("board"))

    (board,) = watch(session, script).all("board")
    assert [card["id"] for card in board["calls"]] == [str(call.pk)]


def test_a_call_is_followed_from_where_the_watcher_left_off(session: str, call: Call) -> None:
    record_now(call.pk, *[DigitsPressed(digits=str(number)) for number in range(4)])

    async def script(watcher: Watcher) -> None:
        watcher.say(sub="call", call=str(call.pk), since=3)
        await watcher.until(lambda: watcher.all("call"))
        await record(call.pk, DigitsPressed(digits="#"))
        await watcher.until(lambda: watcher.all("event"))

    watcher = watch(session, script)
    (answer,) = watcher.all("call")
    assert [event["seq"] for event in answer["events"]] == [4, 5]
    assert (answer["last"], answer["card"]["id"]) == (5, str(call.pk))
    (message,) = watcher.all("event")
    assert (message["event"]["seq"], message["event"]["payload"]) == (6, {"digits": "#"})


def test_two_hundred_and_fifty_quick_events_reach_the_watcher(session: str, call: Call) -> None:
    async def script(watcher: Watcher) -> None:
        watcher.say(sub="call", call=str(call.pk), since=0)
        await watcher.until(lambda: watcher.all("call"))
        for number in range(250):
            await record(call.pk, CallerWordsGuessed(turn=1, text=str(number)))
        await watcher.until(lambda: len(watcher.numbers()) >= 251)

    assert watch(session, script).numbers() == list(range(1, 252))


def test_what_the_layer_drops_is_read_from_the_database(
    session: str, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    """News of 30 events never arrive; the next that does shows the gap."""

    async def script(watcher: Watcher) -> None:
        watcher.say(sub="call", call=str(call.pk), since=0)
        await watcher.until(lambda: watcher.all("call"))
        layer, send = get_channel_layer(), get_channel_layer().group_send

        async def lose(group: str, message: dict[str, Any]) -> None:
            return None

        monkeypatch.setattr(layer, "group_send", lose)
        for number in range(30):
            await record(call.pk, DigitsPressed(digits=str(number)))
        monkeypatch.setattr(layer, "group_send", send)
        await record(call.pk, DigitsPressed(digits="#"))
        await watcher.until(lambda: len(watcher.numbers()) >= 32)

    assert watch(session, script).numbers() == list(range(1, 33))


def test_the_last_news_may_be_lost_too(session: str, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "RECHECK_SECONDS", 0.05)

    async def script(watcher: Watcher) -> None:
        watcher.say(sub="call", call=str(call.pk), since=0)
        watcher.say(sub="board")
        await watcher.until(lambda: watcher.all("board"))

        async def lose(group: str, message: dict[str, Any]) -> None:
            return None

        monkeypatch.setattr(get_channel_layer(), "group_send", lose)
        await record(call.pk, AgentStateChanged(state="listening"))
        await watcher.until(lambda: 2 in watcher.numbers())
        await watcher.until(lambda: watcher.all("card"))

    assert watch(session, script).all("card")[-1]["card"]["seq"] == 2


def test_events_of_the_writers_thread_arrive_too(session: str, call: Call) -> None:
    async def script(watcher: Watcher) -> None:
        log = EventLog()
        watcher.say(sub="call", call=str(call.pk), since=0)
        await watcher.until(lambda: watcher.all("call"))
        for number in range(100):
            log.record(call.pk, CallerWordsGuessed(turn=1, text=str(number)))
        await watcher.until(lambda: len(watcher.numbers()) >= 101)
        await asyncio.to_thread(log.close)

    assert watch(session, script).numbers() == list(range(1, 102))


def test_cards_come_at_most_four_times_a_second(session: str, call: Call) -> None:
    async def script(watcher: Watcher) -> None:
        watcher.say(sub="board")
        await watcher.until(lambda: watcher.all("board"))
        for number in range(60):
            await record(call.pk, CallerWordsGuessed(turn=1, text=str(number)))
        await watcher.until(lambda: watcher.all("card") and watcher.all("card")[-1]["card"]["guess"] == "59")

    cards = [message["card"] for message in watch(session, script).all("card")]
    assert len(cards) < 30
    assert [card["seq"] for card in cards] == sorted(card["seq"] for card in cards)


def test_who_unsubscribes_hears_no_more(session: str, call: Call) -> None:
    async def script(watcher: Watcher) -> None:
        watcher.say(sub="call", call=str(call.pk), since=0)
        watcher.say(unsub="call", call=str(call.pk))
        watcher.say(sub="board")
        await watcher.until(lambda: watcher.all("board"))
        await record(call.pk, DigitsPressed(digits="1"))
        await watcher.until(lambda: watcher.all("card"))

    assert watch(session, script).all("event") == []


@pytest.mark.parametrize(
    "text",
    [
        "garbage",
        "[]",
        "17",
        "{}",
        '{"sub":"everything"}',
        '{"sub":"call"}',
        '{"sub":"call","call":"not an id"}',
        '{"sub":"call","call":7}',
        '{"sub":"call","call":"00000000-0000-4000-8000-000000000000","since":"y"}',
        '{"sub":"call","call":"00000000-0000-4000-8000-000000000000","since":[]}',
        '{"sub":"call","call":"00000000-0000-4000-8000-000000000000","since":-1}',
        '{"sub":"call","call":"00000000-0000-4000-8000-000000000000","since":99999999999999999999}',
        " " * 5000,
    ],
)
def test_nonsense_is_answered_and_the_stream_goes_on(session: str, call: Call, text: str) -> None:
    async def script(watcher: Watcher) -> None:
        watcher.say_text(text)
        await watcher.until(lambda: watcher.all("error"))
        watcher.say(sub="board")
        await watcher.until(lambda: watcher.all("board"))

    assert watch(session, script).all("error")[0]["code"] == "unreadable"


def test_a_fault_of_ours_is_not_put_on_the_watcher(
    session: str, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> list[Any]:
        raise TypeError("ours")

    monkeypatch.setattr(live, "board", broken)

    async def script(watcher: Watcher) -> None:
        watcher.say(sub="board")
        await asyncio.sleep(0.1)

    with pytest.raises(TypeError, match="ours"):
        watch(session, script)


def test_an_unknown_call_is_named_so(session: str) -> None:
    async def script(watcher: Watcher) -> None:
        watcher.say(sub="call", call="00000000-0000-4000-8000-000000000000")
        await watcher.until(lambda: watcher.all("error"))

    assert watch(session, script).all("error")[0]["code"] == "unknown_call"


@pytest.mark.parametrize("key", [None, "made-up"])
def test_strangers_see_nothing(call: Call, key: str | None) -> None:
    async def script(watcher: Watcher) -> None:
        watcher.say(sub="board")
        await watcher.until(lambda: watcher.closed)

    watcher = watch(key, script)
    assert [message["t"] for message in watcher.sent] == ["error"]
    assert watcher.closed and watcher.closed["code"] == 4401


def test_permission_is_looked_at_again_with_each_message(session: str, call: Call, bob: User) -> None:
    async def script(watcher: Watcher) -> None:
        watcher.say(sub="board")
        await watcher.until(lambda: watcher.all("board"))
        await User.objects.filter(pk=bob.pk).aupdate(is_active=False)
        watcher.say(sub="call", call=str(call.pk), since=0)
        await watcher.until(lambda: watcher.closed)

    watcher = watch(session, script)
    assert watcher.all("call") == []


def test_permission_is_looked_at_now_and_then_without_a_message(
    session: str, call: Call, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "RECHECK_SECONDS", 0.05)

    async def script(watcher: Watcher) -> None:
        watcher.say(sub="board")
        await watcher.until(lambda: watcher.all("board"))
        await User.objects.filter(pk=bob.pk).aupdate(is_active=False)
        await watcher.until(lambda: watcher.closed)

    assert watch(session, script).closed


def test_a_board_looks_after_the_cards_of_live_calls_alone(
    session: str, call: Call, agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A board that is open for days must not ask again for every call that it ever showed."""
    monkeypatch.setattr(live, "RECHECK_SECONDS", 0.05)
    asked: list[set[str]] = []
    changed_cards = live.changed_cards

    def listening(known: dict[str, int]) -> list[dict[str, Any]]:
        asked.append(set(known))
        return changed_cards(known)

    monkeypatch.setattr(live, "changed_cards", listening)
    other = actions.start_browser_call(agent=agent, caller="bob")

    async def script(watcher: Watcher) -> None:
        watcher.say(sub="board")
        await watcher.until(lambda: watcher.all("board"))
        await database_sync_to_async(actions.end_call)(call.pk, reason="silence")
        await watcher.until(lambda: watcher.all("card"))
        async with asyncio.timeout(5):
            while asked[-1:] != [{str(other.pk)}]:
                await asyncio.sleep(0.01)

    (message,) = watch(session, script).all("card")
    assert message["card"]["state"] == "ended"


def test_watchers_keep_no_call_from_the_database(session: str, call: Call, monkeypatch: Any) -> None:
    """However slow a page's questions are, a call's own are answered."""
    asked, answered = threading.Event(), threading.Event()

    def slow() -> list[dict[str, Any]]:
        asked.set()
        answered.wait(10)
        return []

    monkeypatch.setattr(live, "board", slow)

    async def script(watcher: Watcher) -> None:
        others = [Watcher(session) for _ in range(8)]
        for one in (watcher, *others):
            one.say(sub="board")
        await asyncio.to_thread(asked.wait, 10)
        async with asyncio.timeout(5):
            assert await in_database(actions.connect_call, call.pk, line="browser")
        assert not watcher.all("board")
        answered.set()
        for one in others:
            await one.leave()

    watch(session, script)
    call.refresh_from_db()
    assert call.answered_at
