"""Who may carry a call's sound, and what happens to everybody else."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from agents.models import Agent
from telephony import actions, consumers
from telephony.admission import issue_token
from telephony.consumers import MediaConsumer
from telephony.models import Call, PhoneNumber
from telephony.providers.base import LONGEST_MESSAGE
from telephony.switchboard import Switchboard
from tests.fakes.exchange import FakeSuppliers
from tests.telephony.conftest import ACCOUNT_SID, kinds_of
from tests.telephony.test_webhooks import sign

pytestmark = pytest.mark.django_db(transaction=True)

TWILIO = "/ws/media/twilio/"


class Socket:
    """An ASGI server's side of one WebSocket."""

    def __init__(self, line: str, switchboard: Switchboard, *, headers: Sequence[tuple[bytes, bytes]] = ()):
        self.sent: list[dict[str, Any]] = []
        self.closed: dict[str, Any] | None = None
        self.fails_with: Exception | None = None  # whatever is sent after the handshake
        self._to_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._happened = asyncio.Event()
        scope = {"type": "websocket", "path": f"/ws/media/{line}/", "headers": list(headers)}
        self._to_app.put_nowait({"type": "websocket.connect"})
        application = MediaConsumer(line, switchboard)
        self.task = asyncio.create_task(application(scope, self._to_app.get, self._send))

    async def _send(self, message: dict[str, Any]) -> None:
        if message["type"] == "websocket.close":
            self.closed = message
            self._to_app.put_nowait({"type": "websocket.disconnect", "code": message.get("code", 1000)})
        elif self.fails_with and message["type"] == "websocket.send":
            raise self.fails_with
        else:
            self.sent.append(message)
        self._happened.set()

    def say(self, content: dict[str, Any] | str | bytes) -> None:
        if isinstance(content, bytes):
            self._to_app.put_nowait({"type": "websocket.receive", "bytes": content})
            return
        text = content if isinstance(content, str) else json.dumps(content)
        self._to_app.put_nowait({"type": "websocket.receive", "text": text})

    def leave(self, code: int = 1006) -> None:
        self._to_app.put_nowait({"type": "websocket.disconnect", "code": code})

    async def until(self, condition: Any) -> None:
        async with asyncio.timeout(10):
            while not condition():
                self._happened.clear()
                await self._happened.wait()

    async def until_closed(self) -> tuple[int, str]:
        await self.until(lambda: self.closed)
        async with asyncio.timeout(10):
            await self.task
        assert self.closed
        return self.closed["code"], self.closed["reason"]

    def media(self) -> int:
        """Messages of sound that came."""
        return sum('"event":"media"' in (message.get("text") or "") for message in self.sent)


def start(call: Call, token: str, **changed: str) -> dict[str, Any]:
    return {
        "event": "start",
        "start": {
            "accountSid": ACCOUNT_SID,
            "streamSid": "MZ1",
            "callSid": call.provider_call_id,
            "tracks": ["inbound"],
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
            "customParameters": {"token": token},
        }
        | changed,
    }


FRAME = {"event": "media", "media": {"track": "inbound", "timestamp": "100", "payload": "//////////8="}}


def ringing(number: PhoneNumber, sid: str = "CA1") -> Call:
    assert number.agent
    return actions.answer_call(
        line="twilio", agent=number.agent, number=number, provider_call_id=sid, caller="+1", callee="+2"
    )


@pytest.fixture
def call(number: PhoneNumber) -> Call:
    return ringing(number)


@pytest.fixture
def refused() -> Any:
    consumers.refused.clear()
    return consumers.refused


def exchange() -> Switchboard:
    return Switchboard(FakeSuppliers())


def test_a_token_admits_one_socket_to_its_call(call: Call) -> None:
    token = issue_token(call)

    async def talk() -> Socket:
        socket = Socket("twilio", exchange())
        socket.say({"event": "connected", "protocol": "Call", "version": "1.0.0"})
        socket.say(start(call, token))
        await socket.until(socket.media)
        socket.say(FRAME)
        socket.say({"event": "stop", "stop": {}})
        await socket.until_closed()
        return socket

    asyncio.run(talk())
    call.refresh_from_db()
    assert (call.status, call.end_reason) == ("completed", "caller_hung_up")
    assert kinds_of(call)[:2] == ["call_ringing", "call_answered"]


def refusal(*messages: Any, headers: Sequence[tuple[bytes, bytes]] = ()) -> tuple[int, str]:
    async def talk() -> tuple[int, str]:
        socket = Socket("twilio", exchange(), headers=headers)
        for message in messages:
            socket.say(message)
        return await socket.until_closed()

    return asyncio.run(talk())


def test_a_strangers_socket_is_closed(call: Call, refused: Any) -> None:
    assert refusal(start(call, "made up")) == (1008, "unknown_token")
    assert refusal(start(call, "")) == (1008, "unknown_token")
    assert refused["unknown_token"] == 2
    call.refresh_from_db()
    assert call.status == "ringing"


def test_a_token_of_another_call_is_refused_and_not_used_up(call: Call, number: PhoneNumber) -> None:
    token = issue_token(ringing(number, "CA2"))
    assert refusal(start(call, token)) == (1008, "token_of_another_call")
    other = Call.objects.get(provider_call_id="CA2")

    async def talk() -> None:
        socket = Socket("twilio", exchange())
        socket.say(start(other, token))
        await socket.until(socket.media)
        socket.leave()
        await socket.task

    asyncio.run(talk())


def test_a_token_used_twice_harms_the_second_alone(call: Call, refused: Any) -> None:
    token = issue_token(call)

    async def talk() -> tuple[int, str]:
        board = exchange()
        first, second = Socket("twilio", board), Socket("twilio", board)
        first.say(start(call, token))
        await first.until(first.media)
        second.say(start(call, token))
        answer = await second.until_closed()
        assert not first.closed
        assert call.pk in board.calls
        first.say({"event": "stop"})
        await first.until_closed()
        return answer

    assert asyncio.run(talk()) == (1008, "used_token")
    assert refused["used_token"] == 1


def test_a_token_lasts_five_minutes(call: Call) -> None:
    token = issue_token(call)
    call_tokens = type(call)._meta.apps.get_model("telephony", "MediaToken").objects
    call_tokens.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert refusal(start(call, token)) == (1008, "expired_token")


def test_a_call_that_is_over_takes_no_socket(call: Call) -> None:
    token = issue_token(call)
    actions.end_call(call.pk, reason="operator_hung_up")
    assert refusal(start(call, token)) == (1008, "call_is_over")


def test_a_forged_handshake_is_refused_and_a_signed_one_is_not(call: Call, settings: Any) -> None:
    settings.PUBLIC_URL = "https://voice.example.org"
    token = issue_token(call)
    forged = [(b"x-twilio-signature", b"forged")]
    assert refusal(start(call, token), headers=forged) == (1008, "forged_signature")
    signature = sign("wss://voice.example.org" + TWILIO, {}).encode()

    async def talk() -> None:
        socket = Socket("twilio", exchange(), headers=[(b"x-twilio-signature", signature)])
        socket.say(start(call, token))
        await socket.until(socket.media)
        socket.leave()
        await socket.task

    asyncio.run(talk())


@pytest.mark.parametrize("message", ["garbage", b"\x00\x01", FRAME, {"event": "stop"}])
def test_whoever_does_not_start_is_closed(call: Call, message: Any) -> None:
    assert refusal(message) == (1008, "no_start")


def test_whoever_says_nothing_is_closed(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumers, "START_SECONDS", 0.01)
    assert refusal() == (1008, "no_start_in_time")


def test_an_oversized_message_is_not_read(call: Call) -> None:
    assert refusal("x" * (LONGEST_MESSAGE + 1)) == (1009, "oversized_message")
    token = issue_token(call)
    assert refusal(start(call, token), "x" * (LONGEST_MESSAGE + 1)) == (1009, "oversized_message")


def test_some_garbage_on_a_call_is_borne_and_counted(call: Call, refused: Any) -> None:
    token = issue_token(call)

    async def talk() -> None:
        board = exchange()
        socket = Socket("twilio", board)
        socket.say(start(call, token))
        await socket.until(socket.media)
        for _ in range(10):
            socket.say("garbage")
            socket.say(FRAME)
        while board.calls[call.pk].line.frames < 10:
            await asyncio.sleep(0.01)
        assert not socket.closed
        socket.say({"event": "stop"})
        await socket.until_closed()

    asyncio.run(talk())
    assert refused["unreadable_message"] == 10


def test_a_socket_that_sends_nothing_but_garbage_is_cut_off(call: Call, refused: Any) -> None:
    token = issue_token(call)

    async def talk() -> tuple[int, str]:
        board = exchange()
        socket = Socket("twilio", board)
        for message in (start(call, token), *["garbage"] * 60):
            socket.say(message)
        closed = await socket.until_closed()
        while board.calls:
            await asyncio.sleep(0.01)
        return closed

    assert asyncio.run(talk()) == (1008, "garbage")
    assert refused["garbage"] == 1
    call.refresh_from_db()
    assert call.end_reason == "line_lost"


@pytest.mark.parametrize("error", [OSError("gone"), RuntimeError("a fault of the server")])
def test_a_socket_that_cannot_be_written_to_ends_its_call(call: Call, error: Exception) -> None:
    token = issue_token(call)

    async def talk() -> None:
        board = exchange()
        socket = Socket("twilio", board)
        socket.fails_with = error
        socket.say(start(call, token))
        while call.pk not in board.calls:
            await asyncio.sleep(0.01)
        async with asyncio.timeout(5):
            while board.calls:
                await asyncio.sleep(0.01)
        await socket.until_closed()

    asyncio.run(talk())
    call.refresh_from_db()
    assert call.end_reason == "line_lost"


def test_no_refusal_tells_a_secret(call: Call, caplog: pytest.LogCaptureFixture) -> None:
    token = issue_token(call)
    refusal(start(call, token), *["garbage"] * 60)
    refusal(start(call, token))
    assert "used_token" in caplog.text
    assert token not in caplog.text


def test_a_socket_that_vanishes_is_a_lost_line(call: Call) -> None:
    token = issue_token(call)

    async def talk() -> None:
        board = exchange()
        socket = Socket("twilio", board)
        socket.say(start(call, token))
        await socket.until(socket.media)
        socket.leave()
        await socket.task
        while board.calls:
            await asyncio.sleep(0.01)

    asyncio.run(talk())
    call.refresh_from_db()
    assert call.end_reason == "line_lost"


@pytest.mark.parametrize("seen", ["reading", "writing"])
def test_a_server_that_cuts_its_sockets_before_it_says_that_it_stops_loses_no_line(
    call: Call, seen: str
) -> None:
    token = issue_token(call)

    async def talk() -> None:
        board = exchange()
        socket = Socket("twilio", board)
        socket.fails_with = OSError("gone") if seen == "writing" else None
        socket.say(start(call, token))
        while call.pk not in board.calls:
            await asyncio.sleep(0.01)
        if seen == "reading":
            socket.leave(1005)
        await asyncio.sleep(0.1)
        await board.close()
        await socket.task

    asyncio.run(talk())
    call.refresh_from_db()
    assert call.end_reason == "server_restarted"


def test_a_browser_talks_in_its_own_way(agent: Agent) -> None:
    call = actions.start_browser_call(agent=agent, caller="alice")
    token = issue_token(call)

    async def talk() -> list[dict[str, Any]]:
        board = exchange()
        socket = Socket("browser", board)
        socket.say({"type": "start", "token": token})
        await socket.until(lambda: any(message.get("bytes") for message in socket.sent))
        socket.say(bytes(640))
        socket.say({"type": "stop"})
        await socket.until_closed()
        return socket.sent

    sent = asyncio.run(talk())
    assert json.loads(sent[1]["text"]) == {"type": "ready", "call": str(call.pk), "rate": 16000}
    assert json.loads(sent[-1]["text"]) == {"type": "ended", "reason": "caller_hung_up", "transfer_to": ""}


def test_a_page_that_is_left_hangs_up(agent: Agent) -> None:
    call = actions.start_browser_call(agent=agent, caller="alice")
    token = issue_token(call)

    async def talk() -> None:
        board = exchange()
        socket = Socket("browser", board)
        socket.say({"type": "start", "token": token})
        await socket.until(lambda: len(socket.sent) > 2)
        socket.leave(1001)
        await socket.task
        while board.calls:
            await asyncio.sleep(0.01)

    asyncio.run(talk())
    call.refresh_from_db()
    assert call.end_reason == "caller_hung_up"
