"""Reading a flow and finding what is wrong with it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.flow.graph import FlowError, Known, Problem, Severity, problems_of, read, read_text
from agents.flow.graph.flow import waits
from agents.flows.texts import sentence

from .samples import MENU, edge, flow, node

END = (node("b", "end_call"), edge("a", "b"))
ENOUGH = Known(
    tools=frozenset({"book"}),
    agents=frozenset({"front-desk"}),
    knowledge=frozenset(),
    flows={"hours": frozenset(), "round": frozenset({"this"})},
    flow_id="this",
    constants=frozenset({"clinic"}),
)


def found(raw: dict[str, Any], known: Known = ENOUGH) -> list[Problem]:
    graph, unreadable = read(raw)
    return [*unreadable, *problems_of(graph, known)]


def codes(raw: dict[str, Any]) -> set[str]:
    return {problem.code for problem in found(raw)}


def test_a_flow_that_is_well_has_no_errors():
    assert [each for each in found(MENU) if each.severity is Severity.ERROR] == []


def test_what_a_part_does_not_know_is_kept_and_told():
    raw = flow(node("a", "end_call", colour="red"))
    graph, problems = read(raw)
    assert graph.nodes[0].data.model_extra == {"colour": "red"}
    assert [(each.code, each.node, each.severity) for each in problems] == [
        ("unknown_field", "a", Severity.WARNING)
    ]


@pytest.mark.parametrize(
    ("raw", "code", "place"),
    [
        (flow(), "empty", ""),
        (flow(node("a", "say", text="Hi"), edge("a", "a")), "no_start", ""),
        (flow(node("a", "end_call"), node("b", "end_call")), "two_starts", "a"),
        (flow(node("a", "say", text=""), *END), "missing", "a"),
        (flow(node("a", "dance")), "unknown_type", "a"),
        (flow(node("a", "wait", seconds=900)), "too_big", "a"),
        (flow(node("a", "say", text="Hi")), "dead_end", "a"),
        (flow(node("a", "end_call"), *END), "after_end", "a"),
        (flow(node("a", "tool", toolName="fly"), *END), "unknown_tool", "a"),
        (flow(node("a", "agent_transfer", targetAgentId="nobody")), "unknown_agent", "a"),
        (flow(node("a", "phone_transfer", phoneNumber="555 1234")), "no_e164", "a"),
        (flow(node("a", "subflow", flowId="gone"), *END), "unknown_flow", "a"),
        (flow(node("a", "subflow", flowId="round"), *END), "cyclic_subflow", "a"),
        (flow(node("a", "end_call", message="Bye {{name}}")), "never_set", "a"),
        (flow(node("a", "set", values={"x": "= 1 +"}), *END), "bad_expression", "a"),
        (flow(node("a", "gather", prompt="?", variable="x", kind="choice"), *END), "few_options", "a"),
        (flow(node("a", "send_digits", digits="12x"), *END), "bad_digits", "a"),
        (flow(node("a", "end_call"), node("a", "end_call")), "double_id", "a"),
    ],
)  # fmt: skip
def test_each_fault_is_told_at_its_node(raw, code, place):
    told = [each for each in found(raw) if each.code == code]
    assert told and told[0].node == place


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (flow(node("a", "end_call"), edge("a", "nowhere")), "dangling"),
        (flow(node("a", "say", text="Hi"), node("n", "note"), edge("a", "n")), "note_edge"),
        (flow(node("a", "say", text="Hi"), node("b", "end_call"), edge("a", "b", keys="x")), "bad_keys"),
        (flow(node("a", "branch"), node("b", "end_call"), edge("a", "b", when="age >")), "bad_expression"),
        (flow(node("a", "branch"), node("b", "end_call"), edge("a", "b", when="age > 3")), "never_set"),
        (flow(node("a", "say", text="?"), END[0], edge("a", "b", outcome="won")), "unknown_outcome"),
    ],
)  # fmt: skip
def test_each_fault_of_an_edge_is_told_at_the_edge(raw, code):
    assert [each.edge for each in found(raw) if each.code == code] == [raw["edges"][0]["id"]]


def test_a_circle_that_never_listens_is_an_error_unless_something_leads_out():
    around = [
        node("a", "set", values={"x": "1"}),
        node("b", "set", values={"x": "2"}),
        edge("a", "b"),
        edge("b", "a"),
    ]
    closed = flow(*around, start="a")
    assert [(each.code, each.severity) for each in found(closed) if "loop" in each.code] == [
        ("loop_without_exit", Severity.ERROR)
    ]
    opened = flow(*around, node("c", "end_call"), edge("a", "c", when="x == 1"), start="a")
    assert [each.code for each in found(opened) if "loop" in each.code] == ["silent_loop"]


def test_a_circle_that_listens_is_none():
    asks = node("a", "gather", prompt="?", variable="x")
    assert not {"silent_loop", "loop_without_exit"} & codes(
        flow(asks, edge("a", "a", outcome="done"), start="a")
    )


def test_nodes_that_no_call_comes_to_are_told_but_those_of_intents_are_reached():
    raw = flow(
        node("a", "end_call"),
        node("b", "end_call"),
        node("c", "end_call"),
        intents=[{"id": "i", "name": "operator", "examples": ["a person"], "target": "b"}],
        start="a",
    )
    assert [each.node for each in found(raw) if each.code == "unreachable"] == ["c"]


def test_a_tool_s_on_success_is_an_edge():
    raw = flow(
        node("t", "tool", toolName="book", onSuccess="good", onFailure="bad"),
        node("good", "end_call"),
        node("bad", "end_call"),
    )
    assert found(raw) == []
    assert [each.target for each in read(raw)[0].leaving["t"]] == ["good", "bad"]


def test_labels_alone_describe_when_there_are_several_edges_or_a_talk():
    graph, _ = read(
        flow(
            node("talk", "subagent", systemPrompt="Help."),
            node("menu", "say", text="A or B?"),
            node("a", "end_call"),
            node("b", "end_call"),
            edge("talk", "menu", "wants to choose"),
            edge("menu", "a", "wants A"),
            edge("menu", "b", "wants B"),
        )
    )
    assert [each.target for each in graph.ways["talk"].described] == ["menu"]
    assert [each.target for each in graph.ways["menu"].described] == ["a", "b"]
    assert waits(graph.by_id["menu"], graph.ways["menu"])
    assert not waits(graph.by_id["a"], graph.ways["a"])


def test_broken_json_is_told_by_line_and_column():
    with pytest.raises(FlowError) as refused:
        read_text('{\n  "nodes": [}')
    assert sentence(refused.value.problem).startswith("Line 2, column 13:")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[]", "object"),
        ('{"nodes": 3}', "list"),
        ("[" * 100_000, "no JSON (nested too deeply)"),
        ('{"nodes": [], "x": NaN}', "a number without end"),
        ('{"name": "\\ud800"}', "half a letter"),
        ("x" * 10_000_000, "10,000,000 bytes"),
        (b"\xff\xfe\x00", "no JSON"),
        (" " * 2_000_001, "2,000,001 bytes"),
        (json.dumps({"nodes": [node(str(i), "say") for i in range(10_000)]}), "10,000 entries"),
    ],
)
def test_what_is_no_flow_is_refused_in_words(text, words):
    with pytest.raises(FlowError) as refused:
        read_text(text)
    assert words in sentence(refused.value.problem)


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        ({"nodes": [node("a", "gather", minDigits=99)]}, "“Fewest digits” may be 40 at most."),
        ({"nodes": [node("a", "say", text=3)]}, "“Words” is of the wrong kind."),
        ({"nodes": [7]}, "Step 1: This has to be an object, in braces."),
        ({"nodes": [{"type": "magic"}]}, "Step 1: Kind: There is no step of the type “magic”."),
        ({"edges": [edge("a", "b", when=3)]}, "“Expression” is of the wrong kind."),
        ({"edges": [{"id": "e"}]}, "“From” has to be filled in."),
        (
            {"variables": [{"name": "x", "initial": 3}]},
            "“Variable 1: At the beginning” is of the wrong kind.",
        ),
        ({"start": 5}, "“Calls begin at” is of the wrong kind."),
    ],
)
def test_a_problem_names_its_place_as_the_editor_does(raw, told):
    _, problems = read(raw)
    assert sentence(problems[0]).startswith(told)


NODES = (node("a", "say", text="Hi", label="Hello"), *END)


@pytest.mark.parametrize(
    ("test", "code", "path"),
    [
        ({}, "test_without_name", "tests.0.name"),
        ({"name": "x"}, "test_without_turns", "tests.0.turns"),
        ({"name": "x", "turns": [{}, {"expect": {"node": "a"}}]}, "test_empty_turn", "tests.0.turns.1"),
        ({"name": "x", "turns": [{"say": "yes", "keys": "1"}]}, "test_crowded_turn", "tests.0.turns.0"),
        ({"name": "x", "turns": [{"say": "yes"}] * 61}, "test_too_long", "tests.0.turns"),
        (
            {"name": "x", "turns": [{"expect": {"node": "z"}}]},
            "test_unknown_node",
            "tests.0.turns.0.expect.node",
        ),
        (
            {"name": "x", "turns": [{"expect": {"edge": "z"}}]},
            "test_unknown_edge",
            "tests.0.turns.0.expect.edge",
        ),
        (
            {"name": "x", "turns": [{"expect": {"intent": "z"}}]},
            "test_unknown_intent",
            "tests.0.turns.0.expect.intent",
        ),
        ({"name": "x", "turns": "many"}, "wrong_kind", "tests.0.turns"),
    ],
)
def test_each_fault_of_a_test_is_told_at_its_place(test, code, path):
    told = [each for each in found(flow(*NODES, tests=[test])) if each.path.startswith("tests")]
    assert (code, path) in [(each.code, each.path) for each in told]
    assert all(sentence(each) for each in told)


def test_a_test_may_name_steps_by_id_or_label_and_those_of_sub_flows_are_not_known():
    expected = [{"expect": {"node": each}} for each in ("a", "Hello", "b")]
    test = {"name": "x", "turns": [expected[0], *({"say": "hi", **each} for each in expected)]}
    assert codes(flow(*NODES, tests=[test])) == set()
    inner = flow(node("a", "subflow", flowId="hours"), *END, tests=[{"name": "x", "turns": [
        {"expect": {"node": "somewhere in it"}}
    ]}])  # fmt: skip
    assert codes(inner) == set()


def test_two_tests_of_one_name_are_told():
    twice = [{"name": "x", "turns": [{}]}] * 2
    assert codes(flow(*NODES, tests=twice)) == {"double_test"}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)
PART = st.fixed_dictionaries(
    {},
    optional={
        "id": st.sampled_from(["a", "b", ""]) | JSON,
        "type": st.sampled_from(["say", "gather", "tool", "subflow", "x"]) | JSON,
        "data": JSON,
        "source": st.sampled_from(["a", "b"]) | JSON,
        "target": st.sampled_from(["a", "b"]) | JSON,
        "condition": JSON,
    },
)


@given(
    st.fixed_dictionaries(
        {"nodes": st.lists(PART | JSON, max_size=4), "edges": st.lists(PART | JSON, max_size=4)}
    )
)
def test_whatever_is_in_it_only_makes_problems_that_can_be_told(raw):
    for problem in found(raw):
        assert sentence(problem)
