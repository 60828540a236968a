"""Flows from a description, by servers that answer well, cut, wrongly, with malice, slowly or not at all."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest

from agents.flow.graph import Known, problems_of, read
from agents.flow.graph.layout import placed
from agents.flow.graph.nodes import TYPES
from agents.flows.generation.schema import FIELDS, SCHEMA, as_answered, as_exchanged
from agents.flows.generation.writing import NotWritten, Progress, written
from mlservices.clients.openai import OpenAIChat
from mlservices.errors import EngineError
from tests.agents.flow.samples import MENU, node
from tests.fakes.openai import OpenAI, event

KNOWN = Known(tools=frozenset({"book"}), agents=frozenset(), knowledge=frozenset(), flows={})


def step(id: str, type: str, **data: Any) -> dict[str, Any]:
    """As a model writes it: every field is there."""
    empty: dict[str, Any] = {"array": [], "boolean": False, "number": 1}
    fields = {
        name: None if "null" in spec["type"] else spec.get("enum", [None])[0] or empty.get(spec["type"], "")
        for name, spec in FIELDS[type].items()
    }
    return {"id": id, "type": type, "data": {"label": id, **fields, **data}}


def way(source: str, target: str, **condition: Any) -> dict[str, Any]:
    nothing = {"outcome": None, "keys": None, "when": None, "examples": [], "otherwise": False}
    id = f"{source}-{target}"
    return {"id": id, "source": source, "target": target, "label": None, "condition": nothing | condition}


def answer(*parts: dict[str, Any], **more: Any) -> dict[str, Any]:
    nodes = [each for each in parts if "type" in each]
    edges = [each for each in parts if "source" in each]
    made = {"name": "Tables", "description": "Books tables.", "variables": [], "intents": []}
    return {**made, "nodes": nodes, "edges": edges, **more}


GOOD = answer(
    step("hello", "gather", prompt="How many?", variable="guests", kind="number", minimum=0),
    step("book", "tool", toolName="book", parameters=[{"name": "seats", "value": "{{guests}}"}]),
    step("bye", "end_call", message="Goodbye.", saveTranscript=True),
    way("hello", "book", outcome="done"),
    way("hello", "bye", outcome="failed"),
    way("book", "bye"),
)
WRONG = answer(step("hello", "say", text="Hello."), step("bye", "end_call"), way("hello", "gone"))


class Writer(OpenAI):
    """Each answer in turn, the last of them for ever: a text in pieces, or (text, why it ends)."""

    def __init__(self, *answers: Any) -> None:
        super().__init__(usage={"prompt_tokens": 900, "completion_tokens": 100})
        self.answers = [each if isinstance(each, tuple) else (each, "stop") for each in answers]

    async def _complete(self, request: Any) -> Any:
        content, reason = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        text = content if isinstance(content, str) else json.dumps(content)
        pieces = [text[place : place + 400] for place in range(0, len(text), 400)]
        self.events = (*(event(content=piece) for piece in pieces), event(finish_reason=reason))
        return await super()._complete(request)

    @property
    def asked(self) -> list[dict[str, Any]]:
        return [body for _, body in self.requests]


async def told(server: OpenAI, graph: Any = None, description: str = "Book tables.") -> list[Progress]:
    with server.served() as url:
        model = OpenAIChat(name="OpenAI", base_url=url, api_key="key", model="gpt-4o-mini", schema=SCHEMA)
        try:
            steps = written(description, model=model, known=KNOWN, graph=graph)
            return [each async for each in steps]
        finally:
            await model.close()


def test_the_schema_is_strict_and_knows_every_kind_of_step():
    assert set(FIELDS) == set(TYPES) - {"note"}

    def look(schema: Any) -> Iterator[Any]:
        if isinstance(schema, dict):
            if schema.get("type") == "object":
                yield schema
            for each in schema.values():
                yield from look(each)
        elif isinstance(schema, list):
            for each in schema:
                yield from look(each)

    for each in look(SCHEMA):
        assert each["additionalProperties"] is False and each["required"] == list(each["properties"])


@pytest.mark.parametrize("kind", FIELDS)
def test_what_the_schema_asks_of_a_step_is_what_a_flow_has(kind):
    node = as_exchanged(step("a", kind))
    flow, problems = read({"nodes": [node], "edges": []})
    assert len(flow.nodes) == 1 and [each.code for each in problems if each.code == "unknown_field"] == []


async def test_a_good_answer_is_a_flow_that_is_laid_out():
    server = Writer(GOOD)
    *steps, last = await told(server)
    assert last.stage == "done" and last.problems == () and last.tokens == 1000 and last.attempt == 0
    assert {each.stage for each in steps} == {"asking", "checking"}
    hello, book, bye = last.graph["nodes"]
    assert [each["position"]["x"] for each in (hello, book, bye)] == [0, 250, 500]
    assert hello["data"]["minimum"] == 0 and book["data"]["parameters"] == {"seats": "{{guests}}"}
    assert problems_of(read(last.graph)[0], KNOWN) == []
    asked = server.asked[0]
    assert (asked["model"], asked["temperature"], asked["max_tokens"]) == ("gpt-4o-mini", 0.7, 2000)
    assert asked["response_format"]["json_schema"]["strict"] is True
    assert "The tools: book." in asked["messages"][0]["content"]


async def test_a_transcript_that_is_not_to_be_kept_is_not():
    bye = step("bye", "end_call", message="Goodbye.", saveTranscript=False)
    last = (await told(Writer(answer(bye))))[-1]
    assert last.graph["nodes"][0]["data"]["saveTranscript"] is False


async def test_a_cut_answer_is_asked_for_with_more_room():
    text = json.dumps(GOOD)
    server = Writer((text[:600], "length"), (text[:900], "length"), GOOD)
    last = (await told(server))[-1]
    assert last.stage == "done" and last.tokens == 3000
    assert [each["max_tokens"] for each in server.asked] == [2000, 4000, 8000]


async def test_the_room_that_was_needed_is_given_to_repairs_from_the_beginning():
    server = Writer((json.dumps(GOOD)[:600], "length"), WRONG, WRONG, GOOD)
    assert (await told(server))[-1].problems == ()
    assert [each["max_tokens"] for each in server.asked] == [2000, 4000, 4000, 4000]


async def test_one_that_never_ends_is_given_up():
    server = Writer(('{"name": "', "length"))
    with pytest.raises(NotWritten, match="no JSON"):
        await told(server)
    assert max(each["max_tokens"] for each in server.asked) == 16_000
    assert len(server.asked) == 4 + 1 + 1


async def test_what_is_wrong_is_sent_back_and_mended():
    server = Writer(WRONG, GOOD)
    steps = await told(server)
    assert steps[-1].stage == "done" and steps[-1].attempt == 1 and steps[-1].problems == ()
    assert "mending" in {each.stage for each in steps}
    *_, wrong, mend = server.asked[1]["messages"]
    assert json.loads(wrong["content"]) == WRONG
    assert "hello-gone: It leads from or to “gone”, which is not there." in mend["content"]


async def test_after_two_repairs_it_is_shown_with_what_is_still_wrong():
    server = Writer(WRONG)
    last = (await told(server))[-1]
    assert len(server.asked) == 3 and last.stage == "done"
    assert "dangling" in [each.code for each in last.problems]


@pytest.mark.parametrize(
    "text",
    ["I cannot help with that.", "[]", '{"nodes": 5}', '{"name": "x", "nodes": [], "edges": []}', "", "null"],
)
async def test_what_is_no_flow_is_given_up_after_two_repairs(text):
    server = Writer(text)
    with pytest.raises(NotWritten):
        await told(server)
    assert len(server.asked) == 3


async def test_malice_is_data():
    """Names that are not there are problems, unknown kinds do not come in, and depth breaks nothing."""
    evil = answer(
        step("hello", "say", text="{{secret_key}} <script>alert(1)</script>"),
        step("run", "tool", toolName="delete_everything"),
        {"id": "x", "type": "shell", "data": {"command": "rm -rf /"}},
        step("bye", "end_call"),
        way("hello", "run", when="__import__('os').system('ls')"),
        way("run", "bye"),
    )
    last = (await told(Writer(evil)))[-1]
    codes = {each.code for each in last.problems}
    assert {"unknown_tool", "unknown_type", "never_set"} <= codes
    with pytest.raises(NotWritten):
        await told(Writer("[" * 100_000))


@pytest.mark.parametrize("status, reason", [(401, "AI_"), (429, "limit"), (500, "")])
async def test_a_server_that_refuses_is_told(status, reason):
    with pytest.raises(EngineError):
        await told(OpenAI(status=status, body={"error": {"message": "No."}}))


async def test_it_can_be_given_up_while_it_is_written():
    server = Writer(GOOD)
    with server.served() as url:
        model = OpenAIChat(name="OpenAI", base_url=url, api_key="key", model="m", schema=SCHEMA)
        steps = written("Book tables.", model=model, known=KNOWN)
        await anext(steps)
        await asyncio.wait_for(steps.aclose(), 2)
        await model.close()


async def test_a_change_leaves_what_was_not_spoken_of():
    before = {**MENU, "tests": [{"name": "t", "turns": [{}]}]}
    before["nodes"] = [*MENU["nodes"], node("n", "note", text="Why")]
    before["nodes"][0] = {**before["nodes"][0], "position": {"x": 40, "y": 80}}
    before["nodes"][5] = {**before["nodes"][5], "data": {"message": "Come back.", "saveTranscript": False}}
    changed = as_answered(read(before)[0])
    changed["nodes"][0]["data"]["text"] = "Good day from {{clinic}}. Sales or support?"
    server = Writer(changed)
    last = (await told(server, graph=before, description="Be more formal."))[-1]
    assert last.graph["nodes"][0]["position"] == {"x": 40, "y": 80}
    assert last.graph["nodes"][0]["data"]["text"].startswith("Good day")
    assert last.graph["nodes"][1:] == before["nodes"][1:] and last.graph["tests"] == before["tests"]
    asked = server.asked[0]["messages"][1]["content"]
    assert "Be more formal." in asked and '"id": "hello"' in asked and '"position"' not in asked


def test_steps_stand_behind_those_that_lead_to_them():
    names = ["a", "b", "c", "d"]
    places = placed(
        names, [("a", "b"), ("b", "c"), ("a", "c"), ("c", "b"), ("c", "d"), ("d", "a"), ("x", "y")]
    )
    assert [places[name][0] for name in names] == [0, 250, 500, 750]
    assert len(set(placed(names, []).values())) == 4
    assert placed([], []) == {}
    long = [str(number) for number in range(3_000)]
    assert placed(long, list(pairwise(long)))["2999"] == (2999 * 250, 0)
