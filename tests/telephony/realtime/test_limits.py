"""What a program sends too much of, too fast, or does not read."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import random
import string
from typing import Any

import pytest

from telephony.models import Call
from telephony.realtime import limits, line, socket
from tests.telephony.realtime.conftest import (
    ECHO,
    FRAME,
    VOICE,
    Program,
    all_ended,
    exchange,
    talking,
)

pytestmark = pytest.mark.django_db(transaction=True)

FUZZED = int(os.environ.get("FUZZED_MESSAGES", "300"))


def in_a_session(script: Any, key: str, **config: Any) -> Program:
    async def begun(program: Program) -> None:
        program.init(key, **{**ECHO, **config})
        await program.told_of("ready")
        await script(program)

    return talking(begun)


def test_sound_that_comes_faster_than_it_is_spoken_is_left_out_and_then_ends_it(
    key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MOST_DROPPED", 20)

    async def script(program: Program) -> None:
        for _ in range(10 + 10):  # ten seconds; five may come at once
            program.chunk(VOICE * 25)
        await program.told_of("error")
        for _ in range(20):
            program.chunk(VOICE * 25)
        assert await program.until_closed() == 1008

    program = in_a_session(script, key)
    first, last = program.of("error")[0], program.of("error")[-1]
    assert (first["code"], first["recoverable"]) == ("too_fast", True)
    assert first["about"].startswith("mine-")
    assert (last["code"], last["recoverable"]) == ("too_fast", False)
    assert last["about"].startswith("mine-")
    assert program.told[-1]["type"] == "ended"
    assert 5000 <= program.told[-1]["stats"]["audioReceived"] <= 7500
    assert len(program.of("error")) <= 4  # told once a second


def test_messages_are_counted(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MESSAGES_AT_ONCE", 20.0)

    async def script(program: Program) -> None:
        for _ in range(60):
            program.say("resume")
        await program.told_of("error")

    program = in_a_session(script, key)
    assert program.of("error")[0]["code"] == "too_many_messages"
    assert program.of("error")[0]["about"].startswith("mine-")
    assert len(program.of("error")) == 1


def test_a_message_that_is_too_large_closes_the_socket(key: str) -> None:
    async def script(program: Program) -> None:
        program.say("text_input", text="x" * 70_000)
        assert await program.until_closed() == 1009

    (told,) = in_a_session(script, key).of("error")
    assert (told["code"], told["about"]) == ("too_large", "mine-2")


def test_a_chunk_that_is_too_long_is_only_refused(key: str) -> None:
    async def script(program: Program) -> None:
        name = program.chunk(VOICE * 26)
        assert (await program.told_of("error"))["about"] == name
        program.chunk(b"odd")
        assert "whole samples" in (await program.told_of("error", 2))["message"]
        program.say("audio_chunk", chunk="!!!!")
        await program.told_of("error", 3)

    assert in_a_session(script, key).code is None


def test_what_is_not_wanted_in_a_mode_is_told(key: str) -> None:
    async def voice(program: Program) -> None:
        program.say("text_input", text="hello")
        program.say("init", config=ECHO)
        await program.told_of("error", 2)

    async def text(program: Program) -> None:
        program.chunk(VOICE)
        await program.told_of("error")

    codes = [told["code"] for told in in_a_session(voice, key).of("error")]
    assert codes == ["not_in_this_mode", "already_begun"]
    assert in_a_session(text, key, mode="text").of("error")[0]["code"] == "not_in_this_mode"
    assert in_a_session(text, key, sttEnabled=False).of("error")[0]["code"] == "not_in_this_mode"


def test_a_program_that_sends_nothing_is_let_go(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def script(program: Program) -> None:
        monkeypatch.setattr(limits, "IDLE_SECONDS", 0.3)
        assert await program.until_closed() == 1008

    assert in_a_session(script, key).of("error")[0]["code"] == "idle"


def test_a_program_that_does_not_read_is_cut_off(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line, "MOST_WAITING", 50_000)
    monkeypatch.setattr(socket, "CLOSE_SECONDS", 0.2)

    async def script(program: Program) -> None:
        program.reads.clear()
        for _ in range(10):
            program.say("text_input", text="This is one sentence. And this is another one, to be spoken.")
            await asyncio.sleep(0.3)
            if not board.calls:
                break
        await all_ended(board)
        program.reads.set()
        assert await program.until_closed() == 1008

    async def begun(program: Program) -> None:
        program.init(key, **ECHO, mode="hybrid")
        await program.told_of("ready")
        await script(program)

    board = exchange()
    talking(begun, board)
    assert Call.objects.get().end_reason == "line_lost"


def any_value(dice: random.Random, depth: int = 0) -> Any:
    kinds = ["none", "bool", "int", "float", "text", "odd"] + (["list", "dict"] if depth < 3 else [])
    match dice.choice(kinds):
        case "bool":
            return dice.random() < 0.5
        case "int":
            return dice.choice([0, -1, 1, 2**31, 2**63, 10**30])
        case "float":
            return dice.choice([0.0, -0.5, 1e300, 1.5])
        case "text":
            return "".join(dice.choices(string.printable, k=dice.randrange(30)))
        case "odd":
            return dice.choice(
                ["\0", "ü" * 50, "\u202e", "🦜", "", " ", "' or 1=1 --", "{{caller}}", "=" * 99]
            )
        case "list":
            return [any_value(dice, depth + 1) for _ in range(dice.randrange(4))]
        case "dict":
            return {str(any_value(dice, 3)): any_value(dice, depth + 1) for _ in range(dice.randrange(4))}
    return None


TYPES = ["init", "audio_chunk", "text_input", "pause", "resume", "quality_feedback", "ready", ""]
FIELDS = [
    "eventId",
    "chunk",
    "text",
    "timestamp",
    "category",
    "score",
    "comment",
    "config",
    "apiKey",
    "extra",
]


def fuzzed(dice: random.Random) -> str:
    """Something near a message: of each kind some that are whole, and some that are not even JSON."""
    whole = {
        "type": dice.choice(TYPES),
        "eventId": "e",
        "chunk": base64.b64encode(dice.randbytes(dice.choice([0, 1, 2, FRAME, 4 * FRAME]))).decode(),
        "text": "hello",
        "timestamp": dice.random() * 1e6,
        "category": "overall",
        "score": 3,
    }
    for _ in range(dice.randrange(3)):
        whole[dice.choice(FIELDS)] = any_value(dice)
    text = json.dumps(whole)
    match dice.randrange(6):
        case 0:
            return text[: dice.randrange(len(text))]
        case 1:
            at = dice.randrange(len(text))
            return text[:at] + dice.choice(string.printable) + text[at + 1 :]
    return text


def test_nothing_that_is_sent_breaks_it_or_leaves_a_call(key: str, caplog: pytest.LogCaptureFixture) -> None:
    """FUZZED_MESSAGES=10000 sends as many."""
    board = exchange("hello")
    seed = random.randrange(10**6)
    dice = random.Random(seed)

    async def run() -> None:
        sent = 0
        while sent < FUZZED:
            program = Program(board)
            program.init(key, **ECHO, mode=dice.choice(["voice", "text", "hybrid"]))
            await program.told_of("ready")
            while sent < FUZZED and program.code is None:
                for _ in range(dice.randrange(1, 20)):
                    program.say_text(fuzzed(dice))
                    sent += 1
                await asyncio.sleep(0.01)
            if program.code is None:
                program.leave(dice.choice([1000, 1006]))
            async with asyncio.timeout(15):
                await program.task
            assert program.code in (None, 1000, 1008)
        await all_ended(board)

    asyncio.run(run())
    failures = [record for record in caplog.records if record.levelname == "ERROR"]
    assert not failures, f"seed {seed}: {failures[0].getMessage()}"
    assert not Call.objects.filter(ended_at=None).exists()
