"""A program follows a call: each event once and in order, from the number it names, until the end."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from uuid import uuid4

import pytest
from channels.db import database_sync_to_async
from channels.layers import get_channel_layer

from agents.models import Agent
from telephony import actions, live
from telephony.eventlog import record_now
from telephony.models import Call
from telephony.realtime import following
from telephony.session.events import DigitsPressed
from tests.telephony.realtime.conftest import Program, Script, exchange, talking
from voiceforge_site.access import key_actions
from voiceforge_site.access.gate import INACTIVE_KEY, NOT_ALLOWED, UNKNOWN_KEY
from voiceforge_site.models import AuditEntry, User

pytestmark = pytest.mark.django_db(transaction=True)

record = database_sync_to_async(record_now)
end = database_sync_to_async(actions.end_call)


@pytest.fixture
def call(agent: Agent) -> Call:
    call = actions.start_browser_call(agent=agent, caller="alice")
    record_now(call.pk, *[DigitsPressed(digits=str(number)) for number in range(4)])
    return call


def following_it(call: Call, script: Script) -> Program:
    return talking(script, path=f"/ws/calls/{call.pk}")


def follow(program: Program, key: str, after: int = 0, **more: Any) -> None:
    program.say_text(json.dumps({"type": "follow", "apiKey": key, "after": after, **more}))


def numbers(program: Program) -> list[int]:
    return [told["event"]["seq"] for told in program.of("event")]


def test_the_events_after_a_number_and_then_those_that_happen(key: str, call: Call) -> None:
    async def script(program: Program) -> None:
        follow(program, key, after=3)
        await program.told_of("event", 2)
        await record(call.pk, DigitsPressed(digits="#"))
        await program.told_of("event", 3)

    program = following_it(call, script)
    assert program.told[0]["type"] == "snapshot"
    assert (program.told[0]["call"]["id"], program.told[0]["last"]) == (str(call.pk), 5)
    assert numbers(program) == [4, 5, 6]
    assert program.of("event")[-1]["event"]["payload"] == {"digits": "#"}


def test_it_ends_with_the_call(key: str, call: Call) -> None:
    async def script(program: Program) -> None:
        follow(program, key)
        await program.told_of("event", 5)
        await end(call.pk, reason="silence")
        assert await program.until_closed() == 1000

    program = following_it(call, script)
    assert program.told[-2]["event"]["kind"] == "call_ended"
    assert program.told[-1] == {"type": "ended", "last": 6}
    assert numbers(program) == [1, 2, 3, 4, 5, 6]


def test_of_a_call_that_is_over_all_is_told_at_once(key: str, call: Call) -> None:
    actions.end_call(call.pk, reason="silence")

    async def script(program: Program) -> None:
        follow(program, key, after=4)
        assert await program.until_closed() == 1000

    assert [told["type"] for told in following_it(call, script).told] == [
        "snapshot",
        "event",
        "event",
        "ended",
    ]


def test_who_was_cut_off_goes_on_without_gap_or_double(key: str, call: Call) -> None:
    """Eight times, while things go on happening."""

    async def run() -> list[int]:
        seen: list[int] = []
        board = exchange()
        happening = asyncio.create_task(happen())
        while not happening.done() or seen[-1:] != [5 + 60]:
            program = Program(board, f"/ws/calls/{call.pk}")
            follow(program, key, after=seen[-1] if seen else 0)
            await program.told_of("snapshot")
            await asyncio.sleep(0.1)
            program.leave(1006)
            await program.task
            seen += numbers(program)
        return seen

    async def happen() -> None:
        for number in range(60):
            await record(call.pk, DigitsPressed(digits=str(number)))

    assert asyncio.run(run()) == list(range(1, 66))


def test_news_that_are_lost_are_made_up_for(key: str, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "LOOK_SECONDS", 0.2)

    async def script(program: Program) -> None:
        follow(program, key)
        await program.told_of("event", 5)
        layer = get_channel_layer()
        for channel in list(layer.groups.get(live.LIVE_GROUP, ())):
            await layer.group_discard(live.LIVE_GROUP, channel)
        await record(call.pk, DigitsPressed(digits="#"))
        await program.told_of("event", 6)

    assert numbers(following_it(call, script)) == [1, 2, 3, 4, 5, 6]


def test_who_follows_is_told_to_the_trail_once(key: str, call: Call) -> None:
    async def script(program: Program) -> None:
        follow(program, key, after=3)
        await program.told_of("event", 2)

    for _ in range(2):
        following_it(call, script)
    (entry,) = AuditEntry.objects.filter(verb="events.downloaded")
    assert (entry.name, entry.key, entry.address) == ("bob", key[:14], "127.0.0.1")
    assert entry.thing == str(call.pk)


def test_it_opens_for_whom_the_door_says(key: str, bob: User, call: Call) -> None:
    scoped = key_actions.create("scoped", bob, scopes=["mlservices.use_models"])[1]
    revoked = key_actions.create("revoked", bob)[1]
    key_actions.revoke(revoked[:14])
    for sent, code in (("", UNKNOWN_KEY), (revoked, INACTIVE_KEY), (scoped, NOT_ALLOWED)):

        async def script(program: Program, sent: str = sent, code: int = code) -> None:
            follow(program, sent)
            assert await program.until_closed() == code

        assert [told["code"] for told in following_it(call, script).told] == ["not_admitted"]


def test_a_key_that_is_revoked_is_cut_off_within_seconds(
    key: str, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "RECHECK_SECONDS", 0.1)

    async def script(program: Program) -> None:
        follow(program, key)
        await program.told_of("event", 5)
        await asyncio.to_thread(key_actions.revoke, key[:14])
        assert await program.until_closed() == INACTIVE_KEY

    assert following_it(call, script).told[-1]["message"] == "This API key was revoked."


def test_what_is_no_beginning_is_refused(key: str, call: Call) -> None:
    for text, code, closes in (
        ("nonsense", "unreadable", 1008),
        ('{"type": "listen"}', "invalid", 1008),
        (json.dumps({"type": "follow", "apiKey": key, "after": -1}), "invalid", 1008),
        (json.dumps({"type": "follow", "apiKey": key, "after": 2**31}), "invalid", 1008),
        ("x" * 5000, "too_large", 1009),
    ):

        async def script(program: Program, text: str = text, closes: int = closes) -> None:
            program.say_text(text)
            assert await program.until_closed() == closes

        assert following_it(call, script).told[0]["code"] == code


def test_a_call_that_is_none_is_told(key: str, db: None) -> None:
    async def script(program: Program) -> None:
        follow(program, key)
        assert await program.until_closed() == following.UNKNOWN_CALL

    assert talking(script, path=f"/ws/calls/{uuid4()}").told[0]["code"] == "unknown_call"


def test_a_second_message_ends_it(key: str, call: Call) -> None:
    async def script(program: Program) -> None:
        follow(program, key)
        await program.told_of("event", 5)
        follow(program, key)
        assert await program.until_closed() == 1008

    following_it(call, script)
