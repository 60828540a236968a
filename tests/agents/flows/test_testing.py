"""The tests that flows keep: run, compared, told."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from django.core.management import CommandError, call_command

from agents.flows.actions import create_flow, publish, save_draft
from agents.flows.failure_texts import sentence_of
from agents.flows.testing import Stage, planned, run, stage_of
from agents.models import Flow, FlowVersion
from mlservices.errors import EngineError
from tests.agents.fakes import ScriptedModel, WordEmbedder
from tests.agents.flow.samples import MENU, flow, node
from tests.factories import make_agent

SHOP = flow(
    *MENU["nodes"],
    *MENU["edges"],
    node("order", "tool", toolName="order", onSuccess="age", onFailure="person"),
    variables=[{"name": "clinic", "initial": "the shop"}],
    intents=[
        {"id": "buy", "name": "Order now", "examples": ["order this now"], "target": "order"},
        {"id": "stop", "name": "Stop", "examples": ["stop it"], "action": "end"},
    ],
)
GOOD = {
    "name": "Grown up",
    "turns": [
        {"expect": {"node": "hello", "said": "from THE shop", "ended": False, "transferredTo": ""}},
        {"say": "sales please", "expect": {"node": "age", "edge": "hello>sales:1", "by": "examples"}},
        {"say": "twenty", "expect": {"variables": {"age": "20"}, "node": "bye", "ended": True}},
    ],
}
BAD = {"name": "Sold", "turns": [{"keys": "2", "expect": {"node": "sales"}}]}


async def failures_of(test: dict[str, Any], **more: Any) -> list[str]:
    """Of one test of the shop's flow, in words."""
    graph = {**SHOP, "tests": [test]}
    (plan,) = planned(graph)
    stage = Stage(FlowVersion(graph=graph, subflows={}), None, {}, more.get("model"), (plan,))
    result = await run(plan, stage, embedder=more.get("embedder") or WordEmbedder())
    return [sentence_of(each) for each in result.failures]


async def test_a_test_whose_expectations_hold_passes():
    assert await failures_of(GOOD) == []


@pytest.mark.parametrize(
    ("expect", "told"),
    [
        ({"node": "sales"}, "expected the call to be at “sales”; it was at “person”."),
        ({"edge": "old>bye"}, "expected the connection “old>bye”; taken was: “hello>person:2”."),
        ({"intent": "stop"}, "expected the meaning “stop”; it was taken for none."),
        ({"by": "examples"}, "expected “examples” to decide; it was decided by “keys”."),
        ({"variables": {"age": 3}}, "expected “age” to be “3”; it had no value."),
        ({"variables": {"clinic": "us"}}, "expected “clinic” to be “us”; it was “the shop”."),
        ({"tool": "order"}, "expected the tool “order” to be called; none was."),
        ({"said": "Goodbye"}, "expected the words “Goodbye”; the agent said: “"),
        ({"ended": True}, "expected the agent to hang up; the call went on."),
        ({"transferredTo": ""}, "expected no transfer; the call went to +14155550111."),
        (
            {"transferredTo": "+14155550112"},
            "expected a transfer to +14155550112; it went to +14155550111.",
        ),
    ],
)
async def test_each_failure_says_what_was_expected_and_what_happened(expect, told):
    (failure,) = await failures_of({"name": "x", "turns": [{"keys": "2", "expect": expect}]})
    assert failure.startswith(f"Turn 1, “2”: {told}")


async def test_a_turn_after_the_end_says_when_it_was_over():
    turns = [{}, {"keys": "2"}, {"say": "hello"}, {"say": "hello?"}]
    assert await failures_of({"name": "x", "turns": turns}) == [
        "Turn 3, “hello”: the call was over by then: it ended at turn 2."
    ]


async def test_a_meaning_is_expected_by_id_or_name_and_an_end_by_it_is_one():
    for name in ("stop", "Stop"):
        expect = {"intent": name, "by": "examples", "ended": True}
        assert await failures_of({"name": "x", "turns": [{"say": "stop it", "expect": expect}]}) == []


async def test_a_tool_that_is_called_several_times_answers_in_turn_and_then_as_the_last_time():
    numbers = [{"say": "order this now", "expect": {"variables": {"number": each}}} for each in (7, 8, 8)]
    answers = [{"values": {"number": 7}}, {"values": {"number": 8}}]
    assert await failures_of({"name": "x", "turns": numbers, "tools": {"order": answers}}) == []


async def test_tools_answer_what_the_test_says_or_the_test_fails():
    turns = [{"say": "order this now", "expect": {"tool": "order", "variables": {"number": 7}}}]
    answer = {"ok": True, "values": {"number": 7}}
    assert await failures_of({"name": "x", "turns": turns, "tools": {"order": answer}}) == []
    told = await failures_of({"name": "x", "turns": turns})
    assert told[0] == "The tool “order” was called. Say in the test what it answers."
    refused = [{"say": "order this now", "expect": {"transferredTo": "+14155550111"}}]
    assert await failures_of({"name": "x", "turns": refused, "tools": {"order": {"ok": False}}}) == []


async def test_an_engine_that_does_not_answer_is_a_failure_and_no_fault_of_the_runner():
    embedder = WordEmbedder()
    embedder.failures = 9
    turns = [{"say": "a fine morning to you", "expect": {"node": "sales"}}]
    (told,) = await failures_of({"name": "x", "turns": turns}, embedder=embedder)
    assert told == "It could not be played: The worker died."
    model = ScriptedModel(EngineError("No key.", service="llm"))
    assert await failures_of({"name": "x", "turns": turns}, model=model) == [
        "It could not be played: No key."
    ]


async def test_a_test_that_is_not_well_written_fails_and_the_others_are_run():
    graph = {**SHOP, "tests": ["x", GOOD, {"name": "Named", "turns": 7}, {"name": "Empty", "turns": []}]}
    plans = list(planned(graph))
    assert [(each.name, bool(each.test)) for each in plans] == [
        ("", False), ("Grown up", True), ("Named", False), ("Empty", True)
    ]  # fmt: skip
    stage = Stage(FlowVersion(graph=graph, subflows={}), None, {}, None, tuple(plans))
    results = [await run(each, stage, embedder=WordEmbedder()) for each in plans]
    assert [each.passed for each in results] == [False, True, False, False]
    told = sentence_of(results[3].failures[0])
    assert told == "The test “Empty” has no turns. Add what the caller says first."


# ---- the command --------------------------------------------------------------------------------------


@pytest.fixture
def shop(db: None) -> Flow:
    """Its live version passes its test, its draft fails one more."""
    made = create_flow(graph={**SHOP, "tests": [GOOD]}, name="Shop", by="alice")
    FlowVersion.objects.create(flow=made, number=1, graph=made.draft)
    Flow.objects.update(live=FlowVersion.objects.get())
    return save_draft(flow=made, graph={**made.draft, "tests": [GOOD, BAD]}, by="alice", expected=1)


def test_the_command_passes_where_the_live_tests_hold_and_needs_no_server(shop):
    said = StringIO()
    call_command("test_flows", stdout=said)
    assert not shop.test_results.exists(), "they are those of the draft"
    assert "shop (version 1)" in said.getvalue() and "1 passed" in said.getvalue()


def test_the_command_fails_with_a_sentence_and_writes_junit(shop, tmp_path: Path):
    said = StringIO()
    with pytest.raises(CommandError, match="1 of 2 tests failed") as failed:
        call_command("test_flows", "shop", "--draft", junit=tmp_path / "found.xml", stdout=said)
    assert failed.value.returncode == 1
    assert "Turn 1, “2”: expected the call to be at “sales”; it was at “person”." in said.getvalue()
    kept = {each.name: (each.revision, bool(each.failures)) for each in shop.test_results.all()}
    assert kept == {"Grown up": (2, False), "Sold": (2, True)}
    root = ET.parse(tmp_path / "found.xml").getroot()
    assert [(each.tag, each.get("tests"), each.get("failures")) for each in (root, root[0])] == [
        ("testsuites", "2", "1"), ("testsuite", "2", "1")
    ]  # fmt: skip
    good, bad = root.iter("testcase")
    assert (good.get("classname"), good.get("name"), list(good)) == ("shop", "Grown up", [])
    assert float(good.get("time", "")) >= 0
    assert "it was at “person”" in bad[0].get("message", "") and bad[0].text


def test_the_command_tells_machines_the_same(shop):
    said = StringIO()
    with pytest.raises(CommandError):
        call_command("test_flows", draft=True, json=True, stdout=said)
    told = json.loads(said.getvalue())
    assert (told["passed"], told["failed"]) == (1, 1)
    assert told["flows"][0]["tests"][1]["failures"][0]["turn"] == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(["nowhere"], "no flow nowhere"), (["bar"], "Add --draft"), (["--junit", "/nowhere/x.xml"], "folder")],
)
def test_the_command_says_what_it_cannot_do(shop, arguments, words):
    create_flow(graph=SHOP, name="Bar", by="alice")
    with pytest.raises(CommandError, match=words):
        call_command("test_flows", *arguments, stdout=StringIO())


def test_words_that_xml_cannot_hold_are_replaced(db, tmp_path: Path):
    test = {"name": "a\x1eb", "turns": [{"keys": "2", "expect": {"said": "\x01"}}]}
    create_flow(graph={**SHOP, "tests": [test]}, name="Odd", by="alice")
    with pytest.raises(CommandError):
        call_command("test_flows", draft=True, junit=tmp_path / "found.xml", stdout=StringIO())
    assert next(ET.parse(tmp_path / "found.xml").getroot().iter("testcase")).get("name") == "a\ufffdb"


@pytest.mark.django_db
def test_the_first_agent_that_follows_a_flow_plays_it():
    good = create_flow(graph=flow(node("a", "say", text="Hi"), node("b", "end_call"), {
        "id": "e", "source": "a", "target": "b"
    }), name="Clinic", by="alice")  # fmt: skip
    publish(flow=good, by="alice")
    assert stage_of(good, draft=True).agent is None
    make_agent(flow=good, status="archived")
    night = make_agent(flow=good)
    assert stage_of(good, draft=True).agent == night
