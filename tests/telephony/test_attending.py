"""Pages at a live call: who is there, what they hear, what they do, and what is refused to them."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable
from itertools import zip_longest
from typing import Any

import numpy as np
import pytest
from asgiref.sync import sync_to_async
from django.core.exceptions import ValidationError
from django.test import Client

from mlservices.audio import ulaw_encode
from telephony import actions, attending, desk, orders
from telephony.admission import issue_token
from telephony.attending import AttendConsumer
from telephony.models import Call, CallEvent, PhoneNumber
from telephony.switchboard import Switchboard
from tests.fakes.exchange import FakeSuppliers
from tests.telephony.test_sockets import Socket, ringing, start
from voiceforge_site.models import User

pytestmark = pytest.mark.django_db(transaction=True)

VOICE = np.full(160, 6000, "<i2").tobytes()  # 20 ms
SILENCE = base64.b64encode(ulaw_encode(bytes(320))).decode()
HUM = base64.b64encode(ulaw_encode(VOICE)).decode()


@pytest.fixture
def call(number: PhoneNumber) -> Call:
    return ringing(number)


def person(name: str, role: str) -> str:
    """The session of somebody of that role."""
    client = Client()
    client.force_login(User.objects.create_user(name, password="password", role=role))
    return client.session.session_key or ""


class Page:
    """A browser's side of the socket."""

    def __init__(self, call: Call, session_key: str, window: str = "") -> None:
        self.told: list[dict[str, Any]] = []
        self.heard = bytearray()
        self.closed: dict[str, Any] | None = None
        self._to_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._happened = asyncio.Event()
        self._to_app.put_nowait({"type": "websocket.connect"})
        scope = {
            "type": "websocket",
            "query_string": f"window={window}".encode(),
            "session": type("Session", (), {"session_key": session_key})(),
            "url_route": {"kwargs": {"call_id": call.pk}},
        }
        self._task = asyncio.create_task(AttendConsumer()(scope, self._to_app.get, self._send))

    async def _send(self, message: dict[str, Any]) -> None:
        if message["type"] == "websocket.close":
            self.closed = message
        elif message.get("bytes"):
            self.heard += message["bytes"]
        elif message.get("text"):
            self.told.append(json.loads(message["text"]))
        self._happened.set()

    def listen(self, listens: bool) -> None:
        self._to_app.put_nowait({"type": "websocket.receive", "text": json.dumps({"listen": listens})})

    def speak(self, pcm: bytes = VOICE) -> None:
        self._to_app.put_nowait({"type": "websocket.receive", "bytes": pcm})

    def say_text(self, text: str) -> None:
        self._to_app.put_nowait({"type": "websocket.receive", "text": text})

    async def leave(self) -> None:
        self._to_app.put_nowait({"type": "websocket.disconnect", "code": 1000})
        await self._task

    async def until(self, condition: Callable[[], Any]) -> None:
        async with asyncio.timeout(10):
            while not condition():
                self._happened.clear()
                await self._happened.wait()

    def people(self) -> dict[str, str]:
        """Who is there by the last word of it, and what they do."""
        told = [message for message in self.told if message["t"] == "people"]
        doing = lambda each: "holds" if each["holds"] else "listens" if each["listens"] else "watches"  # noqa: E731
        return {each["by"]: doing(each) for each in told[-1]["people"]} if told else {}

    def errors(self) -> list[str]:
        return [message["code"] for message in self.told if message["t"] == "error"]


def attend(
    call: Call, script: Callable[..., Awaitable[None]], *sessions: str, sound: str = HUM, windows: str = ""
) -> list[str]:
    """Run the call, the caller's side of it full of `sound`, and a page for each session, in these windows if
    it matters; the kinds of its events."""
    token = issue_token(call)

    async def run() -> None:
        board = Switchboard(FakeSuppliers())
        caller = Socket("twilio", board)
        caller.say(start(call, token))
        await caller.until(caller.media)

        async def hum() -> None:
            for number in range(1500):
                payload = {"track": "inbound", "timestamp": str(number * 20), "payload": sound}
                caller.say({"event": "media", "media": payload})
                await asyncio.sleep(0.01)

        humming = asyncio.create_task(hum())
        pages = [
            Page(call, session, window) for session, window in zip_longest(sessions, windows, fillvalue="")
        ]
        for page in pages:
            await page.until(lambda page=page: page.people() or page.closed)
        await script(caller, *pages)
        humming.cancel()
        for page in pages:
            await page.leave()
        caller.say({"event": "stop", "stop": {}})
        await caller.until_closed()
        while board.calls:
            await asyncio.sleep(0.01)

    asyncio.run(run())
    return [event.kind for event in CallEvent.objects.filter(call=call)]


order = sync_to_async(lambda verb, *args, **kwargs: verb(*args, **kwargs))


def test_an_operator_hears_both_legs_and_the_call_remembers_who_listened(call: Call) -> None:
    async def script(caller: Socket, page: Page) -> None:
        page.listen(True)
        await page.until(lambda: len(page.heard) > 16_000)

    kinds = attend(call, script, person("bob", "operator"))
    assert kinds.count("operator_listened") == 2, "begun and ended"


def test_what_is_heard_is_the_caller_on_the_left_and_the_agent_on_the_right(call: Call) -> None:
    heard = bytearray()

    async def script(caller: Socket, page: Page) -> None:
        page.listen(True)
        await page.until(lambda: len(page.heard) > 16_000)
        heard.extend(page.heard)

    attend(call, script, person("bob", "operator"))
    left, right = np.frombuffer(heard, "<i2").reshape(-1, 2).T
    assert abs(int(left.max()) - 6000) < 200, "the caller hums"
    assert not np.array_equal(left, right)


def test_a_viewer_sees_how_loud_it_is_and_hears_nothing(call: Call) -> None:
    async def script(caller: Socket, page: Page) -> None:
        page.listen(True)
        await page.until(page.errors)
        await page.until(lambda: [m for m in page.told if m["t"] == "levels" and m["caller"] > 0.1])
        assert page.errors() == ["not_allowed"]
        assert not page.heard

    assert "operator_listened" not in attend(call, script, person("victor", "viewer"))


def test_who_may_not_see_calls_is_turned_away(call: Call) -> None:
    async def script(caller: Socket, page: Page) -> None:
        assert page.closed and page.closed["code"] == 4401

    attend(call, script, person("charlie", ""))


def test_two_operators_see_each_other_and_one_at_a_time_has_the_call(call: Call) -> None:
    async def script(caller: Socket, bob: Page, carol: Page) -> None:
        await bob.until(lambda: bob.people() == {"bob": "watches", "carol": "watches"})
        carol.listen(True)
        await bob.until(lambda: bob.people() == {"bob": "watches", "carol": "listens"})
        await order(orders.take_over, call.pk, by="bob")
        await order(orders.take_over, call.pk, by="carol")
        await carol.until(lambda: carol.people() == {"bob": "holds", "carol": "listens"})
        bob.speak()
        async with asyncio.timeout(5):
            while not await Call.objects.filter(pk=call.pk, card__holder="bob").aexists():
                bob.speak()
                await asyncio.sleep(0.05)
        for verb, words in ((orders.take_over, {}), (orders.say, {"text": "no"})):
            with pytest.raises(orders.NotPossible, match="bob has taken this call over"):
                await order(verb, call.pk, by="carol", **words)
        await order(orders.give_back, call.pk, note="He is fine.", by="bob")
        await carol.until(lambda: carol.people() == {"bob": "watches", "carol": "listens"})

    kinds = attend(call, script, person("bob", "operator"), person("carol", "operator"))
    assert kinds.count("operator_took_over") == kinds.count("operator_gave_back") == 1
    given_back = CallEvent.objects.get(call=call, kind="operator_gave_back")
    assert given_back.payload == {"by": "bob", "note": "He is fine.", "lost": False}


def test_the_caller_hears_the_operator_in_the_agents_place(call: Call) -> None:
    async def script(caller: Socket, page: Page) -> None:
        await order(orders.take_over, call.pk, by="bob")
        await page.until(lambda: page.people() == {"bob": "holds"})
        before = caller.media()
        for _ in range(50):
            page.speak()
        await caller.until(lambda: caller.media() > before + 10)
        texts = [message.get("text") or "{}" for message in caller.sent]
        sound = [message for message in map(json.loads, texts) if message.get("event") == "media"]
        assert sound[-1]["media"]["payload"][:8] == HUM[:8]

    attend(call, script, person("bob", "operator"))


def test_two_windows_of_one_person_are_told_apart(call: Call) -> None:
    """The call is spoken to from the one in which it was taken over last."""

    async def script(caller: Socket, left: Page, right: Page) -> None:
        await order(orders.take_over, call.pk, by="bob", window="l")
        await left.until(lambda: left.people() == {"bob": "holds"})
        before = caller.media()
        for _ in range(20):
            right.speak()
        await asyncio.sleep(0.3)
        assert caller.media() == before
        await order(orders.take_over, call.pk, by="bob", window="r")
        for _ in range(50):
            right.speak()
            await asyncio.sleep(0.02)
        await caller.until(lambda: caller.media() > before + 10)
        found = Call.objects.filter(pk=call.pk, card__holder="bob", card__holder_window="r")
        async with asyncio.timeout(5):
            while not await found.aexists():
                right.speak()
                await asyncio.sleep(0.05)

    session = person("bob", "operator")
    kinds = attend(call, script, session, session, windows="lr")
    assert kinds.count("operator_took_over") == 2


def test_sound_of_who_may_only_look_goes_nowhere(call: Call) -> None:
    async def script(caller: Socket, page: Page) -> None:
        await order(orders.take_over, call.pk, by="dora")
        await page.until(lambda: page.people() == {"dora": "holds"})
        before = caller.media()
        for _ in range(20):
            page.speak()
        await asyncio.sleep(0.3)
        assert caller.media() == before

    attend(call, script, person("dora", "viewer"))


def test_an_operator_whose_sound_stays_away_loses_the_call_to_the_agent(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk, "MICROPHONE_SILENT_SECONDS", 0.2)

    async def script(caller: Socket, page: Page) -> None:
        await order(orders.take_over, call.pk, by="bob")
        await page.until(lambda: page.people() == {"bob": "holds"})
        await page.until(lambda: page.people() == {"bob": "watches"})

    attend(call, script, person("bob", "operator"))
    assert CallEvent.objects.get(call=call, kind="operator_gave_back").payload["lost"] is True


def test_a_page_that_vanished_is_forgotten(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk, "ABSENT_SECONDS", 0.2)
    monkeypatch.setattr(attending, "RECHECK_SECONDS", 3600.0)

    async def script(caller: Socket, bob: Page, carol: Page) -> None:
        monkeypatch.setattr(desk, "ABSENT_SECONDS", 1.5)
        for _ in range(40):
            carol.listen(False)  # carol says that she is there
            await asyncio.sleep(0.05)
        await carol.until(lambda: carol.people() == {"carol": "watches"})

    attend(call, script, person("bob", "operator"), person("carol", "operator"))


def test_a_role_that_is_taken_away_ends_the_page(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attending, "RECHECK_SECONDS", 0.05)
    session = person("bob", "operator")

    async def script(caller: Socket, page: Page) -> None:
        await User.objects.filter(username="bob").aupdate(role="")
        await page.until(lambda: page.closed)

    attend(call, script, session)


@pytest.mark.parametrize("text", ["", "null", "[]", '{"listen": 1}', '{"listen": true', "x" * 5000])
def test_nonsense_is_answered_and_does_no_harm(call: Call, text: str) -> None:
    async def script(caller: Socket, page: Page) -> None:
        page.say_text(text)
        page.speak(b"odd")
        await page.until(page.errors)
        assert page.errors() == ["unreadable"]

    attend(call, script, person("bob", "operator"))


# ---- orders ---------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", "  \n ", "x" * 601])
def test_words_that_are_none_or_too_many_name_the_field(call: Call, text: str) -> None:
    with pytest.raises(ValidationError) as refused:
        orders.say(call.pk, text=text, by="bob")
    assert list(refused.value.message_dict) == ["text"]


@pytest.mark.parametrize("written", ["", "12", "call me", "+1", "911"])
def test_a_number_without_its_country_is_refused(call: Call, written: str) -> None:
    with pytest.raises(ValidationError) as refused:
        orders.transfer(call.pk, number=written, by="bob")
    assert list(refused.value.message_dict) == ["number"]


def test_a_call_that_rings_or_is_over_takes_no_orders(call: Call) -> None:
    with pytest.raises(orders.NotPossible, match="not been answered"):
        orders.take_over(call.pk, by="bob")
    actions.end_call(call.pk, reason="caller_hung_up")
    with pytest.raises(orders.NotPossible, match="over"):
        orders.take_over(call.pk, by="bob")


def test_an_operator_transfers_the_caller(call: Call) -> None:
    async def script(caller: Socket, page: Page) -> None:
        await order(orders.transfer, call.pk, number="+1 (415) 555-0123", by="bob")
        await caller.until(lambda: caller.closed)

    kinds = attend(call, script, person("bob", "operator"))
    call.refresh_from_db()
    assert (call.end_reason, call.transfer_to) == ("transferred", "+14155550123")
    assert "transfer_started" in kinds


def test_an_operator_whispers_and_has_words_said(call: Call) -> None:
    async def script(caller: Socket, page: Page) -> None:
        await order(orders.whisper, call.pk, text="be brief", by="bob")
        await order(orders.say, call.pk, text="One moment.", by="bob")
        async with asyncio.timeout(5):
            said = CallEvent.objects.filter(call=call, payload__by="bob", kind="agent_said")
            while not await said.aexists():
                await asyncio.sleep(0.05)

    kinds = attend(call, script, person("bob", "operator"), sound=SILENCE)
    assert "operator_whispered" in kinds
