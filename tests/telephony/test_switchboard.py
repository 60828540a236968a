"""What stands outside a session: its watchdog, its orders, its one end."""

from __future__ import annotations

import asyncio
import json
import os
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from channels.db import database_sync_to_async
from channels.layers import get_channel_layer
from django.core.exceptions import ValidationError
from django.db import OperationalError
from django.utils import timezone

from agents.models import Agent
from mlservices.errors import EngineError
from telephony import actions, switchboard
from telephony.admission import issue_token
from telephony.line import Line
from telephony.models import Call, MediaToken, PhoneNumber, Recording
from telephony.providers.twilio.codec import TwilioCodec
from telephony.recorder import Saved, StereoFile, path_of
from telephony.session.events import EndReason
from telephony.session.parts import Ending, Engines
from telephony.switchboard import LiveCall, Switchboard
from tests.fakes.exchange import FakeSuppliers, Parrot
from tests.telephony.conftest import kinds_of
from tests.telephony.test_sockets import Socket, ringing, start

pytestmark = pytest.mark.django_db(transaction=True)


class DeadLayer:
    """A channel layer whose Redis is away."""

    async def new_channel(self) -> str:
        raise ConnectionError("refused")

    async def group_send(self, group: str, message: Any) -> None:
        raise ConnectionError("refused")


class LeavingLayer:
    """One whose Redis goes away during the call."""

    async def new_channel(self) -> str:
        return "channel"

    async def group_add(self, group: str, channel: str) -> None: ...

    async def receive(self, channel: str) -> Any:
        await asyncio.Event().wait()

    async def group_discard(self, group: str, channel: str) -> None:
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


def test_an_operator_hangs_up_by_way_of_the_channel_layer(call: Call) -> None:
    async def script(socket: Socket) -> None:
        assert await database_sync_to_async(actions.hang_up)(call.pk)

    ended = converse(call, Switchboard(FakeSuppliers()), script)
    assert (ended.status, ended.end_reason) == ("completed", "operator_hung_up")
    assert not actions.hang_up(call.pk)


def test_the_providers_end_ends_the_session(call: Call) -> None:
    async def script(socket: Socket) -> None:
        await database_sync_to_async(actions.apply_provider_status)(
            line="twilio", provider_call_id=call.provider_call_id, status="completed", sequence=3
        )

    ended = converse(call, Switchboard(FakeSuppliers()), script)
    assert ended.end_reason == "caller_hung_up"
    assert kinds_of(ended).count("call_ended") == 1


class BrokenSession:
    """A session that fails at once."""

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
    Agent.objects.update(fallback_number=fallback)
    monkeypatch.setattr(switchboard, "CallSession", BrokenSession)
    ended = converse(call, Switchboard(FakeSuppliers()), wait)
    assert (ended.end_reason, ended.transfer_to) == (reason, fallback)


class Unable(FakeSuppliers):
    """The agent's model has lost its key, or its facts cannot be read."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self._error = error

    def conversation(self, agent: Agent) -> Parrot:
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
    Agent.objects.update(fallback_number="+14155550177")
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


# ---- the end of a call ----------------------------------------------------------------------


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


# ---- the watchdog ---------------------------------------------------------------------------


class Wedged:
    """A session that does not end when told to."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def end(self, reason: EndReason) -> None:
        self.told.append(reason)


def a_live_call(session: Wedged, *, longest: int = 900) -> LiveCall:
    call = Call(agent=Agent(max_call_seconds=longest))
    return LiveCall(call, Line(TwilioCodec()), session, None, started_at=0.0)  # type: ignore[arg-type]


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


# ---- calls that nobody holds ----------------------------------------------------------------


def die(call: Call) -> None:
    """As a process leaves a call that it held when it was killed a minute ago."""
    actions.connect_call(call.pk, line="twilio")
    StereoFile(path_of(call), 8000).write(0, bytes(16000), bytes(16000))
    minute_ago = timezone.now() - timedelta(seconds=60)
    os.utime(path_of(call), times=(minute_ago.timestamp(), minute_ago.timestamp()))
    Call.objects.update(held_at=minute_ago)


def test_calls_of_a_process_that_died_are_ended_and_their_recordings_kept(call: Call) -> None:
    die(call)
    held_at = Call.objects.get().held_at
    assert actions.end_orphans() == 1
    assert actions.end_orphans() == 0

    call.refresh_from_db()
    assert (call.status, call.end_reason) == ("completed", "server_restarted")
    assert call.ended_at == held_at, "the time that nobody was there is no part of the call"
    assert kinds_of(call)[-2:] == ["call_ended", "recording_saved"]
    recording = Recording.objects.get()
    assert recording.duration_seconds == 1.0
    assert Path(recording.file.path).exists()


def test_the_recording_of_a_call_that_others_ended_after_the_crash_is_kept_too(call: Call) -> None:
    die(call)
    actions.end_call(call.pk, reason="line_lost")
    assert actions.end_orphans() == 0
    call.refresh_from_db()
    assert (call.end_reason, call.held_at) == ("line_lost", None)
    assert Recording.objects.get().duration_seconds == 1.0


def test_a_recording_that_is_still_written_has_a_process_that_lives(call: Call) -> None:
    die(call)
    StereoFile(path_of(call), 8000).write(0, bytes(16000), bytes(16000))
    assert actions.end_orphans() == 0
    call.refresh_from_db()
    assert call.ended_at is None
    assert not Recording.objects.exists()


def test_a_recording_that_cannot_be_read_keeps_no_other_from_being_saved(
    call: Call, number: PhoneNumber
) -> None:
    other = ringing(number, "CA2")
    die(other)
    die(call)
    path_of(call).write_bytes(b"")
    os.utime(path_of(call), times=(0, 0))
    assert actions.end_orphans() == 2
    assert Recording.objects.get().call == other
    assert not Call.objects.filter(held_at__isnull=False).exists()


def test_a_recording_that_another_process_salvaged_is_replaced_by_the_whole(call: Call) -> None:
    die(call)
    actions.end_orphans()
    switchboard.save_recording(call, Saved(duration_seconds=9.0, bytes=288044, peaks={}), rate=8000)
    assert Recording.objects.get().duration_seconds == 9.0


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


def test_tokens_long_past_their_time_are_forgotten(call: Call) -> None:
    issue_token(call)
    actions.forget_old_tokens()
    assert MediaToken.objects.count() == 1
    MediaToken.objects.update(expires_at=timezone.now() - timedelta(hours=2))
    actions.forget_old_tokens()
    assert not MediaToken.objects.exists()


def test_calls_of_another_process_that_lives_are_left_alone(call: Call) -> None:
    actions.connect_call(call.pk, line="twilio")
    assert actions.end_orphans() == 0


def test_a_call_that_never_got_its_socket_is_ended(call: Call) -> None:
    assert actions.end_orphans() == 0
    Call.objects.update(created_at=timezone.now() - timedelta(minutes=6))
    assert actions.end_orphans() == 1
    call.refresh_from_db()
    assert (call.status, call.end_reason) == ("no-answer", "never_connected")


def test_hanging_up_a_call_that_nobody_holds_ends_it_here(call: Call) -> None:
    assert actions.hang_up(call.pk)
    call.refresh_from_db()
    assert call.end_reason == "operator_hung_up"


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
        line="twilio", provider_call_id=call.provider_call_id, status="completed", sequence=1
    )
    call.refresh_from_db()
    assert (call.status, call.end_reason) == ("completed", "caller_hung_up")
