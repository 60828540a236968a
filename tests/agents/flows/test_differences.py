"""What is told of a draft before it is published."""

from __future__ import annotations

from agents.flows.differences import Difference, differences, on_canvas
from tests.agents.flow.samples import edge, flow, node

OLD = flow(node("a", "say", label="Greeting", text="Hello."), node("b", "end_call"), edge("a", "b"))


def test_a_flow_does_not_differ_from_itself():
    assert differences(OLD, OLD) == []


def test_where_a_step_stands_makes_no_difference():
    moved = {**OLD, "nodes": [{**each, "position": {"x": 5, "y": 9}} for each in OLD["nodes"]]}
    assert differences(OLD, moved) == []


def test_what_is_empty_is_the_same_as_what_is_left_out():
    data = node("a", "say", label="Greeting", text="Hello.", speed=None, tools=[], note="")
    assert differences(OLD, flow(data, *OLD["nodes"][1:], *OLD["edges"])) == []


def test_no_is_not_the_same_as_nothing_said():
    new = flow(
        node("a", "say", label="Greeting", text="Hello.", interruptible=False),
        *OLD["nodes"][1:],
        *OLD["edges"],
    )
    assert [each.fields for each in differences(OLD, new)] == [("interruptible",)]


def test_steps_that_came_went_and_changed_are_told_with_what_changed_in_them():
    new = flow(
        node("a", "say", label="Greeting", text="Good day."),
        node("c", "phone_transfer"),
        edge("a", "c"),
    )
    assert differences(OLD, new) == [
        Difference("changed", "step", "Greeting", "a", "say", ("text",)),
        Difference("added", "step", "c", "c", "phone_transfer"),
        Difference("removed", "step", "b", "b", "end_call"),
        Difference("added", "connection", "Greeting – c", "a>c"),
        Difference("removed", "connection", "Greeting – b", "a>b"),
    ]


def test_a_condition_that_changed_is_told():
    new = {**OLD, "edges": [{**OLD["edges"][0], "condition": {"keys": "1"}}]}
    assert differences(OLD, new) == [
        Difference("changed", "connection", "Greeting – b", "a>b", fields=("keys",)),
    ]


def test_the_flow_itself_its_variables_and_intents_are_compared_too():
    new = {**OLD, "start": "a", "variables": [{"name": "age"}], "intents": [{"id": "i", "name": "Operator"}]}
    assert differences(OLD, new) == [
        Difference("changed", "flow", "", fields=("start",)),
        Difference("added", "variable", "age", "age"),
        Difference("added", "intent", "Operator", "i"),
    ]


def test_its_tests_are_told_by_their_names():
    new = {**OLD, "tests": [{"name": "Sales", "turns": [{"say": "sales"}]}]}
    assert differences(OLD, new) == [Difference("added", "test", "Sales", "Sales")]
    later = {**OLD, "tests": [{"name": "Sales", "turns": [{"keys": "1"}]}]}
    assert differences(new, later) == [Difference("changed", "test", "Sales", "Sales", fields=("turns",))]


def test_drafts_with_parts_that_cannot_be_read_are_compared_without_them():
    assert differences({"nodes": "none", "edges": [7]}, {"nodes": None}) == []


def test_what_was_removed_stays_on_the_canvas_beside_what_is_new():
    new = {**OLD, "nodes": [OLD["nodes"][0], node("c", "wait")], "edges": [edge("a", "c")]}
    drawn = on_canvas(OLD, new)
    assert drawn["lit"] == {"c": "added", "b": "removed", "a>c": "added", "a>b": "removed"}
    assert [each["id"] for each in drawn["graph"]["nodes"]] == ["a", "c", "b"]
    places = {(each["position"]["x"], each["position"]["y"]) for each in drawn["graph"]["nodes"]}
    assert (0, 102) in places  # where it stood stands another step now
    assert [each["id"] for each in drawn["graph"]["edges"]] == ["a>c", "a>b"]


def test_a_canvas_is_not_drawn_for_what_it_would_not_show():
    assert on_canvas(OLD, {**OLD, "description": "Newer", "variables": [{"name": "age"}]}) == {}
