"""Flows played without a telephone."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from datetime import date
from typing import Any

import pytest

from agents.conversations import chat_model_for
from agents.flow import extracting
from agents.flow.graph import read
from agents.flow.program import ToolResult
from agents.flows.programs import Member
from agents.flows.rehearsal import Move, Turn, Unplayable, as_version, moves_of, no_tools, rehearse
from agents.models import Agent, FlowVersion
from agents.replayed import Recording, ReplayedModel, ReplayedTools, as_recorded
from mlservices.types import ChatDelta, Tool, ToolCall
from tests.agents.fakes import Calling, ScriptedModel, WordEmbedder
from tests.agents.flow.samples import MENU, edge, flow, node

DESCRIBED = flow(
    node("q", "say", text="What is it about?"),
    node("again", "say", text="And what else?"),
    node("b", "end_call", message="B."),
    edge("q", "again", "the caller is hungry"),
    edge("q", "b", "the caller is thirsty"),
    edge("again", "q", "the caller is cold"),
    edge("again", "b", "the caller is warm"),
    start="q",
)
BOOKING = flow(
    node("when", "gather", prompt="Which day?", variable="day", kind="date", confirm="never"),
    node("book", "tool", toolName="book", parameters={"day": "{{day}}"}),
    node("yes", "say", text="Booked as {{number}}."),
    node("end", "end_call"),
    node("no", "phone_transfer", phoneNumber="+14155550111"),
    edge("when", "book"),
    edge("book", "yes", outcome="success"),
    edge("book", "no", outcome="failure"),
    edge("yes", "end"),
    variables=[{"name": "number"}],
)


async def played(raw: dict[str, Any], *moves: Move, model: Any = None, **more: Any) -> list[Turn]:
    version = FlowVersion(graph=raw, subflows=more.pop("subflows", {}))
    engines = {"embedder": WordEmbedder(), "chat_model": model}
    return await rehearse(version, more.pop("agent", None), moves, **engines, **more)


async def test_a_call_is_played_turn_by_turn_and_each_tells_where_it_came():
    turns = await played(
        MENU, Move(say="sales please"), Move(say="twenty"), Move(say="yes"), variables={"clinic": "the shop"}
    )
    assert turns[0].said == ("Hello from the shop. Sales or support?",)
    assert (turns[0].node, turns[1].node, turns[1].expects) == ("hello", "age", "anything")
    assert [each["data"]["by"] for each in turns[1].events if each["kind"] == "edge"] == ["examples", "next"]
    assert turns[-1].variables["age"] == 20 and turns[-1].ended
    json.dumps([each.as_json() for each in turns])


async def test_keys_and_silence_are_turns_too_and_nobody_listens_after_the_end():
    silences = [Move(silence=True)] * 2
    turns = await played(MENU, *silences, Move(keys="2"), Move(say="are you there"))
    assert len(turns) == 4
    assert turns[2].said[0].startswith("Are you still there?")
    assert turns[3].transferred_to == "+14155550111"


async def test_a_model_is_asked_only_for_the_turns_that_have_no_answer_yet():
    model = ScriptedModel("1", "1")
    turns = await played(DESCRIBED, Move(say="I starve"), Move(say="I freeze"), model=model)
    assert [each.node for each in turns] == ["q", "again", "q"]
    again = moves_of(json.loads(json.dumps([each.as_json() for each in turns])))
    other = ScriptedModel("2")
    turns = await played(DESCRIBED, *again, Move(say="I thirst"), model=other)
    assert turns[-1].ended and len(other.shown) == 1


async def test_agents_who_were_handed_a_call_are_not_asked_again_either(settings):
    settings.AI_INTEGRATIONS_OPENAI_API_KEY = "key"
    settings.AI_INTEGRATIONS_OPENAI_BASE_URL = "http://127.0.0.1:9"  # nobody is there to be asked
    desk = Agent(name="Desk", slug="desk", greeting="Desk.", chat_model="default")
    handed = flow(node("a", "agent_transfer", targetAgentId="desk"))
    crew = {"desk": Member(desk, FlowVersion(graph=DESCRIBED, subflows={}))}
    assert chat_model_for(desk), "it has a model"
    turns = await played(handed, Move(say="I thirst", answers=("2",)), crew=crew)
    assert turns[-1].said == ("B.",) and turns[-1].answers == ("2",)


async def test_a_model_s_tool_call_is_given_again_as_it_was():
    call = ToolCall("1", "book", {"day": "2031-12-03"})

    class Calling:
        async def reply(self, messages: Any, **how: Any) -> AsyncGenerator[ChatDelta, None]:
            yield ChatDelta("One moment. ")
            yield ChatDelta("", tool_call=call)

    first, again = Recording(), Recording()
    told = [delta async for delta in ReplayedModel(Calling(), first).reply([])]
    again.turns = [first.answers]
    assert [delta async for delta in ReplayedModel(ScriptedModel(), again).reply([])] == told
    assert again.answers == first.answers


async def test_tools_are_the_rehearsal_s_own_and_a_date_is_told_as_json():
    asked = []

    async def book(name: str, arguments: Any) -> ToolResult:
        asked.append((name, arguments["day"]))
        return ToolResult(ok=True, values={"number": "12"})

    turns = await played(BOOKING, Move(say="3 December 2031"), call_tool=book)
    assert asked == [("book", "2031-12-03")]
    assert turns[-1].said[0] == "Booked as 12."
    json.dumps(turns[-1].as_json())
    turns = await played(BOOKING, Move(say="3 December 2031"))
    assert turns[-1].transferred_to == "+14155550111", "nothing of the world is called"


async def test_what_a_tool_did_once_is_done_again_only_where_the_caller_asks_for_it():
    asked = []

    async def book(name: str, arguments: Any) -> ToolResult:
        asked.append(arguments["day"])
        return ToolResult(ok=True, values={"number": len(asked)})

    first, other = Move(say="3 December 2031"), Move(say="4 December 2031")
    turns = await played(BOOKING, first, call_tool=book)
    again = moves_of(json.loads(json.dumps([each.as_json() for each in turns])))
    for moves in (again, [Move(), first]):
        told = await played(BOOKING, *moves, call_tool=book, called=turns[-1].tools, again=True)
        assert told[-1].said[0] == "Booked as 1." and asked == ["2031-12-03"]
    changed = await played(BOOKING, other, call_tool=book, called=turns[-1].tools, again=True)
    assert asked == ["2031-12-03", "2031-12-04"], "it was not called with these arguments"

    twice = {**BOOKING, "edges": [*BOOKING["edges"][:-1], edge("yes", "when")], "start": "when"}
    told = await played(twice, first, first, call_tool=book, called=turns[-1].tools, again=True)
    assert [each.variables["number"] for each in told[1:]] == [1, 1] and len(asked) == 2
    told = await played(twice, first, first, call_tool=book, called=turns[-1].tools)
    assert [each.variables["number"] for each in told[1:]] == [1, 3], "the caller has asked for it anew"
    assert changed[-1].variables["number"] == 2


async def test_each_recorded_answer_is_that_of_its_tool_and_arguments_whatever_was_called_between():
    recorded = [
        as_recorded("book", {"day": day, "seats": 2}, ToolResult(ok=True, text=text))
        for day, text in (
            (date(2031, 12, 3), "first"),
            (date(2031, 12, 4), "other"),
            ("2031-12-03", "second"),
        )
    ]
    tools = ReplayedTools(no_tools, recorded)
    tools.asks_anew = True
    given = {"seats": 2, "day": "2031-12-03"}
    told = [await tools(name, given) for name in ("book", "wire_money", "book", "book")]
    assert [each.text for each in told] == ["first", "", "second", ""]
    assert [json.loads(each)["name"] for each in tools.answers] == ["book", "wire_money", "book", "book"]


@pytest.mark.parametrize("recorded", ["[1", "[]", "5", "{}", '{"name": "x", "arguments": {}, "odd": 1}'])
def test_what_is_no_recorded_answer_is_refused(recorded):
    with pytest.raises(ValueError):
        ReplayedTools(no_tools, [recorded])


@pytest.mark.parametrize(
    "raw",
    [
        flow(),
        flow(node("a", "say"), edge("a", "a")),
        flow(node("a", "say"), edge("a", "z")),
        flow(node("a", "subflow", flowId="gone")),
    ],
)
async def test_a_draft_that_leads_nowhere_is_told_and_one_that_is_half_written_is_played(raw):
    with pytest.raises(Unplayable) as refused:
        await played(raw)
    assert refused.value.problems
    assert (await played(flow(node("a", "say", text=""))))[0].ended


async def test_an_agent_s_own_words_are_known():
    agent = Agent(name="Night", greeting="Hi.", constants={"clinic": "Harbour Street"})
    assert "Harbour Street" in (await played(MENU, agent=agent))[0].said[0]


@pytest.mark.parametrize("raw", [{}, ["x"], [{"say": 1}], [{"say": "x", "answers": "y"}], [{}] * 62])
async def test_what_are_no_turns_is_refused(raw):
    with pytest.raises(ValueError, match="turns"):
        moves_of(raw)
    with pytest.raises(ValueError, match="turns"):
        await played(MENU, Move(keys="1"), Move())


@pytest.mark.django_db
def test_a_draft_becomes_a_version_that_is_not_kept():
    version = as_version(BOOKING)
    assert version.pk is None and version.program.main == read(BOOKING)[0]


async def test_a_model_that_talks_is_offered_tools_and_its_calls_are_replayed():
    raw = flow(
        node("desk", "subagent", systemPrompt="You book.", opening="Hello.", tools=["book"]),
        node("bye", "end_call"),
        edge("desk", "bye", examples=["goodbye for now"]),
    )
    asked = []

    async def call_tool(name, arguments):
        asked.append((name, arguments))
        return ToolResult(ok=True, text="B7")

    told = {"offered": {"book": Tool("book", "Books.", {"type": "object"})}, "call_tool": call_tool}
    model = Calling(ToolCall("1", "book", {"day": "Friday"}), "Booked.")
    first = await played(raw, Move(say="a table on Friday"), model=model, **told)
    assert first[-1].said == ("Booked.",) and asked == [("book", {"day": "Friday"})]
    again = moves_of([turn.as_json() for turn in first])
    second = await played(raw, *again, model=Calling(), called=first[-1].tools, **told)
    assert second[-1].said == ("Booked.",) and len(asked) == 1


CALLED = flow(
    node("desk", "subagent", systemPrompt="You answer for a shop.", opening="Hello."),
    node("bye", "end_call", message="Goodbye, {{nickname}}."),
    edge("desk", "bye", when="nickname == 'Bob'"),
    variables=[{"name": "nickname", "description": "what they want to be called"}],
)


class Late(ScriptedModel):
    """Takes its time over all but its first answer, and is then asked in vain or answers."""

    def __init__(self, *answers: Any, seconds: float = 0.05) -> None:
        super().__init__(*answers)
        self.seconds = seconds

    async def reply(self, messages: Any, **how: Any) -> AsyncGenerator[ChatDelta, None]:
        if self.shown:
            await asyncio.sleep(self.seconds)
        async for delta in super().reply(messages, **how):
            yield delta


async def test_what_a_model_finds_late_belongs_to_its_turn_and_is_recorded(monkeypatch):
    monkeypatch.setattr(extracting, "EXTRACTING_SECONDS", 0.001)
    first = await played(CALLED, Move(say="they call me Bob"), model=Late("Fine.", '{"nickname": "Bob"}'))
    assert first[-1].variables["nickname"] == "Bob" and first[-1].answers[1].strip() == '{"nickname": "Bob"}'
    again = moves_of([turn.as_json() for turn in first])
    assert (await played(CALLED, *again, Move(say="so"), model=Late()))[-1].said == ("Goodbye, Bob.",)


async def test_nothing_goes_on_after_a_rehearsal_that_is_given_up(monkeypatch):
    monkeypatch.setattr(extracting, "EXTRACTING_SECONDS", 0.001)
    tasks = asyncio.all_tasks()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await played(CALLED, Move(say="they call me Bob"), model=Late("Fine.", "{}", seconds=5))
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == tasks
