"""What stands outside a session: its watchdog, its orders, its one end."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from channels.db import database_sync_to_async
from django.core.exceptions import ValidationError
from django.db import OperationalError

from agents.models import Agent
from mlservices.errors import EngineError
from telephony import actions, switchboard
from telephony.admission import issue_token
from telephony.desk import Desk
from telephony.line import Line
from telephony.models import Call, PhoneNumber
from telephony.providers.twilio.codec import TwilioCodec
from telephony.recorder import path_of
from telephony.session.events import EndReason
from telephony.session.parts import Ending, Engines
from telephony.switchboard import LiveCall, Switchboard
from tests.fakes.exchange import FakeSuppliers, Parrot
from tests.telephony.conftest import kinds_of
from tests.telephony.test_orphans import die
from tests.telephony.test_sockets import Socket, ringing, start

pytestmark = pytest.mark.django_db(transaction=True)


class DeadLayer:
    """A channel layer whose Redis is away."""

    async def new_channel(self) -> str:
        raise ConnectionError("refused")

    async def group_send(self, group: str, message: Any) -> None:
        raise ConnectionError("refused")


@pytest.fixture
def call(number: PhoneNumber) -> Call:
    return ringing(number)


def converse(call: Call, board: Switchboard, script: Callable[[Socket], Any]) -> Call:
    """Open the call's socket, play the script, and wait until the call is over."""
    token = issue_token(call)

    async def talk() -> None:
        socket = Socket("twilio", board)
        socket.say(start(call, token))
        await socket.until(socket.media)
        await script(socket)
        await socket.until_closed()
        while board.calls:
            await asyncio.sleep(0.01)

    asyncio.run(talk())
    call.refresh_from_db()
    return call


def test_the_conversation_is_told_who_calls(call: Call) -> None:
    told = []

    class Asking(FakeSuppliers):
        def conversation(
            self, agent: Agent, caller: str = "", version: object = None, values: object = None
        ) -> Any:
            told.append(caller)
            return super().conversation(agent, caller)

    async def script(socket: Socket) -> None:
        assert await database_sync_to_async(actions.hang_up)(call.pk)

    converse(call, Switchboard(Asking()), script)
    assert told == [call.caller] and call.caller


def test_an_operator_hangs_up_by_way_of_the_channel_layer(call: Call) -> None:
    async def script(socket: Socket) -> None:
        assert await database_sync_to_async(actions.hang_up)(call.pk)

    ended = converse(call, Switchboard(FakeSuppliers()), script)
    assert (ended.status, ended.end_reason) == ("completed", "operator_hung_up")
    assert not actions.hang_up(call.pk)


def test_an_operators_order_that_is_lost_on_the_way_is_obeyed_all_the_same(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Redis was restarted: nobody is in the group, and sending to it is no error."""
    monkeypatch.setattr(actions, "HOLD_SECONDS", 0.05)
    monkeypatch.setattr(actions, "control_group", lambda call_id: "another")

    async def script(socket: Socket) -> None:
        monkeypatch.setattr(actions, "control_group", lambda call_id: "nobody's")
        assert await database_sync_to_async(actions.hang_up)(call.pk)

    ended = converse(call, Switchboard(FakeSuppliers()), script)
    assert ended.end_reason == "operator_hung_up"
    assert kinds_of(ended).count("call_ended") == 1


def test_the_providers_end_ends_the_session(call: Call) -> None:
    async def script(socket: Socket) -> None:
        await database_sync_to_async(actions.apply_provider_status)(
            line="twilio",
            credential=call.phone_number.credential,
            provider_call_id=call.provider_call_id,
            status="completed",
            sequence=3,
        )

    ended = converse(call, Switchboard(FakeSuppliers()), script)
    assert ended.end_reason == "caller_hung_up"
    assert kinds_of(ended).count("call_ended") == 1


class NoOperators:
    """Nobody does anything to the call."""

    holder = ""


class BrokenSession:
    """A session that fails at once."""

    operators = NoOperators()

    def __init__(self, **parts: Any) -> None:
        parts["line"].send(bytes(320))

    async def run(self) -> Ending:
        raise RuntimeError("a fault of ours")

    def end(self, reason: EndReason) -> None: ...
    def line_closed(self, reason: str) -> None: ...
    def feed(self, pcm: bytes) -> None: ...
    def mark_played(self, name: str) -> None: ...


async def wait(socket: Socket) -> None:
    """Nothing more happens from outside."""


@pytest.mark.parametrize(("fallback", "reason"), [("", "engine_failure"), ("+14155550177", "transferred")])
def test_a_session_that_fails_hands_the_caller_over(
    call: Call, monkeypatch: pytest.MonkeyPatch, fallback: str, reason: str
) -> None:
    Agent.objects.update(on_failure="transfer", fallback_number=fallback)
    monkeypatch.setattr(switchboard, "CallSession", BrokenSession)
    ended = converse(call, Switchboard(FakeSuppliers()), wait)
    assert (ended.end_reason, ended.transfer_to) == (reason, fallback)


class Unable(FakeSuppliers):
    """The agent's model has lost its key, or its facts cannot be read."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self._error = error

    def conversation(
        self, agent: Agent, caller: str = "", version: object = None, values: object = None
    ) -> Parrot:
        raise self._error


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (EngineError("'openai' is not configured: set X", permanent=True), "set X"),
        (ValidationError({"facts": ["Fact 3 has no answer."]}), "Fact 3 has no answer."),
        (KeyError("a fault of ours"), "a fault of ours"),
    ],
)
def test_a_call_that_cannot_be_served_hands_the_caller_over_at_once(
    number: PhoneNumber, error: Exception, told: str
) -> None:
    Agent.objects.update(on_failure="transfer", fallback_number="+14155550177")
    number.refresh_from_db()
    call = ringing(number)
    token = issue_token(call)

    async def talk() -> tuple[int, str]:
        socket = Socket("twilio", Switchboard(Unable(error)))
        socket.say(start(call, token))
        return await socket.until_closed()

    assert asyncio.run(talk())[0] == 1000
    call.refresh_from_db()
    assert (call.status, call.end_reason, call.transfer_to) == ("failed", "engine_failure", "+14155550177")
    assert call.card["status"] == "failed"
    assert told in call.events.get(kind="engine_failed").payload["error"]


def test_a_page_hears_that_its_call_cannot_be_served(agent: Agent) -> None:
    call = actions.start_browser_call(agent=agent, caller="alice")
    token = issue_token(call)

    async def talk() -> list[dict[str, Any]]:
        socket = Socket("browser", Switchboard(Unable(EngineError("no key", permanent=True))))
        socket.say({"type": "start", "token": token})
        await socket.until_closed()
        return [json.loads(message["text"]) for message in socket.sent if message.get("text")]

    assert asyncio.run(talk())[-1] == {"type": "ended", "reason": "engine_failure", "transfer_to": ""}


def test_the_engines_are_loaded_before_the_first_call_and_off_the_loop() -> None:
    asked: list[threading.Thread] = []

    class Loading(FakeSuppliers):
        def engines(self) -> Engines:
            asked.append(threading.current_thread())
            return super().engines()

    async def begin() -> None:
        Switchboard(Loading()).start()
        while not asked:
            await asyncio.sleep(0.01)

    asyncio.run(begin())
    assert asked[0] is not threading.main_thread()


# ---- the watchdog ---------------------------------------------------------------------------


class Wedged:
    """A session that does not end when told to."""

    operators = NoOperators()

    def __init__(self) -> None:
        self.told: list[str] = []

    def end(self, reason: EndReason) -> None:
        self.told.append(reason)


def a_live_call(session: Wedged, *, longest: int = 900) -> LiveCall:
    call = Call(agent=Agent(max_call_seconds=longest))
    line = Line(TwilioCodec())
    desk = Desk(line=line, session=session, recorder=None, record=lambda event: None)  # type: ignore[arg-type]
    return LiveCall(call, line, session, None, desk, started_at=0.0)  # type: ignore[arg-type]


async def test_a_line_without_sound_is_lost() -> None:
    session = Wedged()
    live = a_live_call(session)
    live.watch(14.0)
    live.line.hear(bytes(320))
    live.watch(16.0)
    live.watch(30.0)
    assert session.told == []
    live.watch(32.0)
    assert session.told == ["line_lost"]


async def test_a_call_that_outlasts_its_goodbye_is_ended_from_outside() -> None:
    session = Wedged()
    live = a_live_call(session, longest=60)
    for second in range(0, 120):
        live.line.hear(bytes(320))
        live.watch(float(second))
    assert session.told == ["max_duration"]
    assert live.abandoned.result() == Ending("max_duration")


def test_a_wedged_session_cannot_hold_a_line(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    class WedgedSession(BrokenSession):
        async def run(self) -> Ending:
            while True:
                try:
                    await asyncio.sleep(3600)
                except asyncio.CancelledError:
                    if not finished.is_set():
                        continue
                    raise

    finished = asyncio.Event()
    monkeypatch.setattr(switchboard, "CallSession", WedgedSession)
    monkeypatch.setattr(switchboard, "FRAMES_MISSING_SECONDS", 0.05)
    monkeypatch.setattr(switchboard, "STOP_SECONDS", 0.05)
    monkeypatch.setattr(switchboard, "WATCH_SECONDS", 0.02)

    async def let_go_at_the_end(socket: Socket) -> None:
        await socket.until(lambda: socket.closed)
        finished.set()

    assert converse(call, Switchboard(FakeSuppliers()), let_go_at_the_end).end_reason == "line_lost"


# ---- looking after calls --------------------------------------------------------------------


def test_a_call_that_was_ended_in_the_database_alone_is_let_go(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The order to end it was lost with the channel layer."""
    monkeypatch.setattr(actions, "HOLD_SECONDS", 0.05)

    async def script(socket: Socket) -> None:
        await database_sync_to_async(actions.end_call)(call.pk, reason="caller_hung_up")

    ended = converse(call, Switchboard(FakeSuppliers()), script)
    assert ended.end_reason == "caller_hung_up"
    assert kinds_of(ended).count("call_ended") == 1


def test_after_the_database_was_away_other_processes_may_renew_their_holds_first(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    die(call)
    Path(path_of(call)).unlink()
    done: list[str] = []

    def away(ids: Any) -> dict[Any, Any]:
        done.append("renewed")
        if len(done) == 1:
            raise OperationalError("gone")
        return {}

    monkeypatch.setattr(actions, "hold_calls", away)
    monkeypatch.setattr(actions, "end_orphans", lambda: done.append("swept"))
    monkeypatch.setattr(actions, "HOLD_SECONDS", 0.01)
    monkeypatch.setattr(actions, "ORPHANED_SECONDS", 0.2)

    async def look_after() -> None:
        board = Switchboard(FakeSuppliers())
        board.calls[call.pk] = a_live_call(Wedged())
        board.start()
        while "swept" not in done:
            await asyncio.sleep(0.01)

    asyncio.run(look_after())
    assert done.count("renewed") > 2


# ---- without the channel layer --------------------------------------------------------------


def test_without_the_channel_layer_a_call_is_ended_in_the_database(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    actions.connect_call(call.pk, line="twilio")
    monkeypatch.setattr(actions, "get_channel_layer", DeadLayer)
    assert actions.hang_up(call.pk)
    call.refresh_from_db()
    assert call.end_reason == "operator_hung_up"


def test_without_the_channel_layer_the_providers_word_is_taken_all_the_same(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    actions.connect_call(call.pk, line="twilio")
    monkeypatch.setattr(actions, "get_channel_layer", DeadLayer)
    actions.apply_provider_status(
        line="twilio",
        credential=call.phone_number.credential,
        provider_call_id=call.provider_call_id,
        status="completed",
        sequence=1,
    )
    call.refresh_from_db()
    assert (call.status, call.end_reason) == ("completed", "caller_hung_up")
