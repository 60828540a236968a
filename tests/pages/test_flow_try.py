"""Trying a draft by text."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from agents.flows.actions import create_flow, save_draft
from agents.models import Tool, ToolServer
from mlservices import registry
from mlservices.errors import EngineError
from telephony.models import Call
from tests.agents.fakes import WordEmbedder
from tests.agents.flow.samples import MENU, edge, flow, node
from tests.factories import make_agent

ORDER = flow(
    node("t", "tool", toolName="order"),
    node("ok", "end_call", message="It is on its way, {{guest}}."),
    node("no", "end_call", message="Not found."),
    edge("t", "ok", outcome="success"),
    edge("t", "no", outcome="failure"),
)


@pytest.fixture
def tried(alices_browser: Client, monkeypatch: pytest.MonkeyPatch) -> Any:
    """`tried(graph, *turns, agent="", tools=False)`: the answer as (status, JSON)."""
    monkeypatch.setattr(registry, "embedder", WordEmbedder)
    create_flow(graph=MENU, name="Shop", by="alice")

    def send(graph: Any, *turns: Any, **more: Any) -> tuple[int, dict[str, Any]]:
        body = json.dumps({"graph": graph, "turns": turns, **more})
        answer = alices_browser.post("/flows/shop/try/", body, content_type="application/json")
        return answer.status_code, answer.json()

    return send


def test_what_stands_in_the_editor_is_played_and_nothing_is_stored(tried):
    changed = json.loads(json.dumps(MENU).replace("Sales or support?", "Buy or mend?"))
    status, told = tried(changed, {"say": "sales please"})
    assert status == 200 and len(told["turns"]) == 2
    greeting, sales = told["turns"]
    assert greeting["said"] == ["Hello from . Buy or mend?"]
    assert sales["node"] == "age" and sales["events"][0]["data"]["by"] == "examples"


def test_an_earlier_turn_is_changed_and_the_rest_is_played_again(tried):
    _, told = tried(MENU, {"keys": "1"}, {"say": "twenty"})
    assert told["turns"][2]["variables"] == {"age": 20} and told["turns"][2]["ended"]
    _, told = tried(MENU, told["turns"][0], told["turns"][1], {"say": "twelve"})
    assert told["turns"][2]["said"] == ["Come back later."]


def test_it_speaks_as_the_chosen_agent(tried):
    make_agent("Desk", slug="desk", constants={"clinic": "Harbour Street"})
    assert tried(MENU, agent="desk")[1]["turns"][0]["said"] == [
        "Hello from Harbour Street. Sales or support?"
    ]
    status, told = tried(MENU, agent="gone")
    assert status == 400 and "There is no agent “gone” any more" in told["error"]


def test_tools_are_asked_in_earnest_only_where_that_is_wanted_and_once(tried, other):
    other.answer("/order", {"guest": "Anna"})
    Tool.objects.create(name="order", url=f"{other.url}/order", results={"guest": "guest"})
    _, told = tried(ORDER)
    assert told["turns"][0]["said"] == ["Not found."] and not other.asked
    _, told = tried(ORDER, tools=True)
    assert told["turns"][0]["said"] == ["It is on its way, Anna."] and len(told["called"]) == 1
    _, again = tried(ORDER, {}, tools=True, called=told["called"], again=True)
    assert again["turns"][0]["said"] == ["It is on its way, Anna."]
    assert again["called"] == [] and len(other.asked) == 1


def test_tools_are_called_in_earnest_by_those_alone_who_may_change_agents(tried, other, bobs_browser):
    Tool.objects.create(name="order", url=f"{other.url}/order")
    body = json.dumps({"graph": ORDER, "turns": [], "tools": True})
    answer = bobs_browser.post("/flows/shop/try/", body, content_type="application/json")
    assert answer.status_code == 403 and "may change agents" in answer.json()["error"] and not other.asked
    body = json.dumps({"graph": ORDER, "turns": []})
    assert bobs_browser.post("/flows/shop/try/", body, content_type="application/json").status_code == 200
    assert '"mayCallTools": false' in bobs_browser.get("/flows/shop/").content.decode()


def test_what_was_called_before_an_engine_failed_is_told_so_that_it_is_not_called_again(
    tried, other, monkeypatch
):
    class Gone:
        async def embed(self, texts: Any, **_: Any) -> Any:
            raise EngineError("nobody there", service="embed")

    other.answer("/order", {"guest": "Anna"})
    Tool.objects.create(name="order", url=f"{other.url}/order", results={"guest": "guest"})
    monkeypatch.setattr(registry, "embedder", Gone)
    asking = flow(
        node("t", "tool", toolName="order"),
        node("ask", "say", text="Well?"),
        node("ok", "end_call"),
        edge("t", "ask"),
        edge("ask", "ok", examples=["fine"]),
    )
    status, told = tried(asking, {"say": "hello"}, tools=True)
    assert status == 503 and len(told["called"]) == 1
    tried(asking, {"say": "hello"}, tools=True, called=told["called"])
    assert len(other.asked) == 1


def test_so_are_those_of_an_mcp_server(tried, other):
    server = ToolServer.objects.create(name="Shop", slug="shop", url=f"{other.url}/mcp")
    Tool.objects.create(name="order", server=server, server_tool="find", results={"guest": "guest"})
    other.answer("/mcp", {"id": 1, "result": {"protocolVersion": "2025-11-25"}})
    other.answer("/mcp", b"", status=202)
    other.answer("/mcp", {"id": 2, "result": {"structuredContent": {"guest": "Anna"}}})
    _, told = tried(ORDER, tools=True)
    assert told["turns"][0]["said"] == ["It is on its way, Anna."]
    _, told = tried(ORDER, {}, tools=True, called=told["called"], again=True)
    assert told["turns"][0]["said"] == ["It is on its way, Anna."] and len(other.asked) == 3


@pytest.mark.parametrize(
    "graph, turns, status, reason",
    [
        ([], [], 422, "an object, in braces"),
        ({}, [], 422, "There is no step yet"),
        (flow(node("a", "say", text="Hi."), edge("a", "gone")), [], 422, "which is not there"),
        (MENU, {}, 400, "a list of objects"),
        (MENU, [{"say": "x" * 2_000}], 400, "at most 1000 characters"),
        (MENU, [{}] * 80, 400, "at most 60"),
    ],
)
def test_what_cannot_be_played_says_why(alices_browser, tried, graph, turns, status, reason):
    body = json.dumps({"graph": graph, "turns": turns})
    answer = alices_browser.post("/flows/shop/try/", body, content_type="application/json")
    assert answer.status_code == status and reason in answer.json()["error"]


@pytest.mark.parametrize("called", ["x", [5], ["{}"], ["[1"]])
def test_what_are_no_answers_of_tools_is_refused(tried, called):
    status, told = tried(ORDER, called=called)
    assert status == 400 and told["error"]


def test_engines_that_do_not_answer_are_told(tried, monkeypatch):
    class Gone:
        async def embed(self, texts: Any, **_: Any) -> Any:
            raise EngineError("nobody there", service="embed")

    monkeypatch.setattr(registry, "embedder", Gone)
    status, told = tried(MENU, {"say": "hello"})
    assert status == 503 and "nobody there" in told["error"] and "is kept" in told["error"]


def test_a_draft_is_spoken_with_and_is_no_version(alices_browser):
    made = create_flow(graph=MENU, name="Shop", by="alice")
    make_agent("Desk", slug="desk")
    page = alices_browser.get("/agents/desk/talk/?draft=shop").content.decode()
    assert "follows the draft of Shop" in page and "talk/start/?draft=shop" in page
    assert alices_browser.get("/agents/desk/talk/?draft=none").status_code == 404
    told = alices_browser.post("/agents/desk/talk/start/?draft=shop").json()
    call = Call.objects.get(pk=told["call"])
    assert call.flow_version.graph == made.draft and call.flow_version.number is None
    assert "Shop, a draft" in alices_browser.get(told["page"]).content.decode()
    assert not made.versions.exists()
    assert "Not published yet" in alices_browser.get("/flows/shop/versions/").content.decode()
    made.refresh_from_db()
    save_draft(flow=made, graph={"nodes": [], "edges": []}, by="alice", expected=made.revision)
    refused = alices_browser.post("/agents/desk/talk/start/?draft=shop")
    assert refused.status_code == 409 and "There is no step yet" in refused.json()["error"]
