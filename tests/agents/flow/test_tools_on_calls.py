"""Flows whose steps use tools: what is said meanwhile, who leaves, what an answer may bring in."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from types import SimpleNamespace

import pytest

from agents.flow import runtime
from agents.flow.program import Toolbox, ToolResult
from mlservices.errors import EngineError

from .conftest import Tools
from .samples import edge, flow, node


async def test_a_tool_s_answer_fills_variables_and_chooses_the_way(follow):
    raw = flow(
        node("name", "set", values={"who": "Alice", "twice": "= 2 * 21"}),
        node("t", "tool", toolName="book", parameters={"for": "{{who}}"}),
        node("ok", "end_call", message="At {{time_free}}, number {{twice}}."),
        node("no", "end_call", message="Sorry."),
        edge("name", "t"),
        edge("t", "ok", outcome="success"),
        edge("t", "no", outcome="failure"),
    )  # fmt: skip
    tools = Tools(ToolResult(ok=True, values={"time_free": "nine"}))
    talk = follow(raw, tools=tools)
    assert await talk.greet() == "At nine, number 42."
    assert tools.asked == [("book", {"for": "Alice"})]
    failing = follow(raw, tools=Tools(ToolResult(ok=False, reason="closed")))
    assert await failing.greet() == "Sorry."


@pytest.mark.parametrize(
    "filler, seconds, said",
    [
        ("One moment, {{who}}.", 0.3, "One moment, Alice. Done."),
        ("", 0.3, "I am looking. Done."),  # as the tool has it
        ("One moment, {{who}}.", 0, "Done."),
    ],
)
async def test_a_caller_who_waits_for_a_tool_is_told_so(follow, monkeypatch, filler, seconds, said):
    monkeypatch.setattr(runtime, "UNNOTICED_SECONDS", 0.1)
    raw = flow(
        node("name", "set", values={"who": "Alice"}),
        node("t", "tool", toolName="book", filler=filler),
        node("ok", "end_call", message="Done."),
        edge("name", "t"),
        edge("t", "ok", outcome="success"),
    )
    tools = Tools(ToolResult(ok=True), seconds=seconds, fillers={"book": "I am looking."})
    assert await follow(raw, tools=tools).greet() == said


WAITING = flow(
    node("t", "tool", toolName="book"),
    node("u", "tool", toolName="other"),
    node("person", "phone_transfer", phoneNumber="+14155550111"),
    node("bye", "end_call", message="{{got}}"),
    edge("t", "bye", outcome="success"),
    edge("u", "bye", outcome="success"),
    intents=[
        {"id": "op", "name": "operator", "keys": "0", "examples": ["a human please"], "target": "person"},
        {"id": "u", "name": "other", "keys": "5", "target": "u"},
        {"id": "again", "name": "repeat", "keys": "7", "action": "repeat"},
    ],
)


@pytest.fixture
async def waiting(follow):
    """A call that waits for a tool, interrupted in it; a second tool answers at once."""
    tools = Tools(ToolResult(ok=True, values={"got": "x"}), seconds=0.2)
    talk = follow(WAITING, tools=tools)
    begun = asyncio.ensure_future(talk.greet())
    await asyncio.sleep(0.05)
    begun.cancel()
    with suppress(asyncio.CancelledError):
        await begun
    return talk, tools


@pytest.mark.parametrize("left", ["0", "a human please"])
async def test_who_leaves_while_a_tool_is_at_work_is_not_called_back_by_its_answer(waiting, left):
    talk, _ = waiting
    await (talk.press(left) if left.isdigit() else talk.say(left))
    assert talk.transferred_to == "+14155550111"
    await asyncio.sleep(0.2)
    assert not talk.noted("tool") and not talk.ended


@pytest.mark.parametrize("pressed", ["4", "7"])
async def test_other_keys_leave_the_wait_as_it_is(waiting, pressed):
    talk, tools = waiting
    assert await talk.press(pressed) == "x"
    assert len(tools.asked) == 1


async def test_the_next_tool_is_not_given_the_answer_of_the_one_before(waiting):
    talk, tools = waiting
    tools.results.append(ToolResult(ok=True, values={"got": "y"}))
    assert await talk.press("5") == "y"
    assert [name for name, _ in tools.asked] == ["book", "other"]


async def test_a_tool_that_cannot_be_asked_has_failed(follow):
    async def broken(name, arguments):
        raise EngineError("the line is down")

    raw = flow(
        node("t", "tool", toolName="book"),
        node("no", "end_call", message="Sorry."),
        edge("t", "no", outcome="failure"),
    )
    talk = follow(raw, tools=SimpleNamespace(box=lambda: Toolbox(broken)))
    assert await talk.greet() == "Sorry." and talk.noted("tool")[0].data["reason"] == "the line is down"


async def test_a_tool_s_answer_brings_in_no_placeholder_and_no_formula(follow):
    raw = flow(
        node("t", "tool", toolName="read"),
        node("ok", "end_call", message="It says {{text}}."),
        edge("t", "ok"),
        variables=[{"name": "secret", "initial": "swordfish"}],
    )
    talk = follow(raw, tools=Tools(ToolResult(ok=True, values={"text": "{{secret}} = 1 + 1"})))
    assert await talk.greet() == "It says {{secret}} = 1 + 1."
