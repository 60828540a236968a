"""A flow that is changed by words keeps all that a model is not shown of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest

from agents.flow.graph import Edge, Flow, Intent, Variable, read
from agents.flow.graph.flow import Condition
from agents.flow.graph.nodes import TYPES
from agents.flows.generation.merging import merged
from agents.flows.generation.schema import as_answered

MANNER = {"interruptible": False, "turnEagerness": 0.9, "timeout": 7.5, "speed": 1.25}
# For each kind of step its data beside label and manner, nothing of it as it is by default.
DATA: dict[str, dict[str, Any]] = {
    "subagent": {"systemPrompt": "Talk.", "opening": "Hi.", "tools": ["book"], "knowledgeBase": "prices"},
    "say": {"text": "Hello."},
    "gather": {
        "variable": "guests",
        "kind": "choice",
        "prompt": "How many?",
        "retryPrompt": "Again: how many?",
        "options": [{"value": "2", "label": "two", "phrases": ["a couple"], "key": "2", "shade": "red"}],
        "minDigits": 2,
        "maxDigits": 4,
        "minimum": 0,
        "maximum": 9.5,
        "mustBeFuture": True,
        "confirm": "always",
        "attempts": 5,
    },
    "branch": {},
    "set": {"values": {"a": "b", "c": "= 1 + 1"}},
    "tool": {
        "toolName": "book",
        "parameters": {"day": "{{day}}", "seats": 2, "quiet": True, "near": [], "none": None},
        "filler": "One moment.",
        "onSuccess": "say",
        "onFailure": "wait",
    },
    "agent_transfer": {"targetAgentId": "desk", "context": "They want a table."},
    "phone_transfer": {"phoneNumber": "+14155550111", "message": "One moment."},
    "end_call": {"message": "Goodbye.", "saveTranscript": False},
    "send_digits": {"digits": "1,2#"},
    "message": {"text": "Call back.", "name": "{{name}}", "phone": "{{caller_number}}"},
    "wait": {"seconds": 3.5},
    "subflow": {"flowId": "survey"},
    "note": {"text": "Why it is so."},
}
WHOLE: dict[str, Any] = {
    "name": "Tables",
    "description": "Books tables.",
    "start": "say",
    "colour": "green",
    "variables": [
        {
            "name": "guests",
            "kind": "number",
            "description": "How many come",
            "initial": "2",
            "filledInPassing": False,
        }
    ],
    "intents": [
        {
            "id": "operator",
            "name": "A person",
            "examples": ["a person", "somebody"],
            "keys": "0",
            "action": "transfer",
            "target": "desk",
        }
    ],
    "nodes": [
        {"id": kind, "type": kind, "position": {"x": 40, "y": 80}, "data": {"label": kind, **MANNER, **own}}
        for kind, own in DATA.items()
    ],
    "edges": [
        {
            "id": "on",
            "source": "say",
            "target": "wait",
            "label": "onward",
            "condition": {
                "outcome": "done",
                "keys": "1",
                "when": "guests > 1",
                "examples": ["go on"],
                "otherwise": True,
            },
            "width": 3,
        }
    ],
    "tests": [{"name": "t", "turns": [{}]}],
}


def shown() -> Any:
    return json.loads(json.dumps(as_answered(read(WHOLE)[0])))


def leaves(part: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """(path, value) of all that holds nothing further."""
    inner = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
    for key, each in inner:
        yield from leaves(each, (*path, key))
    if not inner:
        yield path, part


def changed_at(answer: Any, path: tuple[Any, ...]) -> Any:
    """The answer with another value there."""
    *way, last = path
    part = answer = deepcopy(answer)
    for key in way:
        part = part[key]
    value = part[last]
    part[last] = not value if isinstance(value, bool) else value + 1 if value in (1, 2.5) else "other"
    return answer


def test_no_field_of_a_flow_is_as_it_is_by_default():
    flow, problems = read(WHOLE)
    assert [each.code for each in problems] == [] and set(DATA) == set(TYPES)
    parts = [*flow.nodes, *(each.data for each in flow.nodes), *flow.edges, *flow.variables, *flow.intents]
    for part in (flow, flow.edges[0].condition, *parts):
        assert isinstance(part, Flow) or part.model_fields_set >= set(type(part).model_fields), part
        for name, field in type(part).model_fields.items():
            assert getattr(part, name) != field.get_default() or name == "data", (part, name)
    assert {type(part) for part in parts} >= {Edge, Intent, Variable} and Condition() != parts


def test_what_is_answered_as_it_was_shown_is_the_same_flow():
    assert merged(WHOLE, shown(), shown()) == WHOLE


def names_a_part(path: tuple[Any, ...]) -> bool:
    """With another name it is another part."""
    is_pair = path[-3:-2] in (("parameters",), ("values",))
    named = path[-1] == "name" and (is_pair or "variables" in path)
    return named or path[-1] in ("id", "type") or (path[-1] == "value" and "options" in path)


@pytest.mark.parametrize("path", [path for path, _ in leaves(shown()) if not names_a_part(path)], ids=str)
def test_one_change_changes_one_thing(path):
    made = merged(WHOLE, shown(), changed_at(shown(), path))
    before, after = ({str(way): value for way, value in leaves(sorted_by_id(each))} for each in (WHOLE, made))
    differing = {way for way in before.keys() | after.keys() if before.get(way) != after.get(way)}
    assert len(differing) == 1


def sorted_by_id(flow: dict[str, Any]) -> dict[str, Any]:
    return {**flow, "nodes": sorted(flow["nodes"], key=lambda node: node["id"])}


def test_what_is_cleared_is_as_it_is_by_default():
    answer = shown()
    step = next(each for each in answer["nodes"] if each["id"] == "gather")
    step["data"] |= {"retryPrompt": None, "mustBeFuture": False, "options": []}
    made = merged(WHOLE, shown(), answer)
    data = next(each for each in made["nodes"] if each["id"] == "gather")["data"]
    assert not {"retryPrompt", "mustBeFuture", "options"} & data.keys() and data["attempts"] == 5


def test_what_is_left_out_is_gone_and_what_is_new_is_there():
    answer = shown()
    answer["nodes"] = [each for each in answer["nodes"] if each["id"] != "wait"]
    answer["nodes"].append({"id": "new", "type": "say", "data": {"label": "New", "text": "Hi."}})
    answer["intents"] = []
    made = merged(WHOLE, shown(), answer)
    ids = [each["id"] for each in made["nodes"]]
    assert "wait" not in ids and ids[-2:] == ["new", "note"] and "intents" not in made
    assert made["nodes"][-2] == answer["nodes"][-1]


def test_a_step_of_another_type_stays_where_it_was_and_keeps_nothing_else():
    answer = shown()
    place = next(at for at, each in enumerate(answer["nodes"]) if each["id"] == "end_call")
    answer["nodes"][place] = {"id": "end_call", "type": "say", "data": {"label": "Bye", "text": "Bye."}}
    made = next(each for each in merged(WHOLE, shown(), answer)["nodes"] if each["id"] == "end_call")
    assert made == {**answer["nodes"][place], "position": {"x": 40, "y": 80}}


def test_what_is_no_step_to_a_model_is_kept():
    before = {**WHOLE, "nodes": [*WHOLE["nodes"], {"id": "x", "type": "later"}, "a"]}
    answer = shown()
    answer["name"] = "Chairs"
    answer["nodes"][0]["data"]["label"] = "Other"
    made = merged(before, as_answered(read(before)[0]), answer)
    assert made["nodes"][-2:] == [{"id": "x", "type": "later"}, "a"] and made["name"] == "Chairs"


@pytest.mark.parametrize("junk", [[], None, 5, "x", {"nodes": 5}, {"nodes": [5]}, {"edges": {"a": 1}}])
def test_an_answer_of_another_form_is_left_for_its_reader(junk):
    made = merged(WHOLE, shown(), junk)
    assert made == junk or all(made[name] == each or each == [5] for name, each in junk.items())
