from __future__ import annotations

import pytest

from agents.flows.actions import create_flow
from agents.models import Flow
from tests.agents.flow.samples import MENU, edge, flow, node

SHOP = "/api/agent-flows/shop"


@pytest.fixture
def shop(db):
    create_flow(graph=MENU, name="Shop", by="carol")


def draft():
    return Flow.objects.get().draft


def test_steps_are_listed_read_added_changed_and_removed(alices, shop):
    assert [each["id"] for each in alices.get(f"{SHOP}/nodes").json()["results"]][:2] == ["hello", "sales"]
    assert alices.get(f"{SHOP}/nodes/sales").json() == MENU["nodes"][1]
    data = {"label": "Name", "prompt": "Your name?", "variable": "name"}
    made = alices.send("POST", f"{SHOP}/nodes", {"type": "gather", "data": data})
    assert made.status_code == 201, made.text
    assert made.json() == {"id": "gather-1", "type": "gather", "position": {"x": 250, "y": 0}, "data": data}
    changed = alices.send("PATCH", f"{SHOP}/nodes/gather-1", {"data": {"prompt": "Who?", "label": None}})
    assert changed.json()["data"] == {"prompt": "Who?", "variable": "name"}
    assert draft()["nodes"][-1] == changed.json()
    assert alices.send("DELETE", f"{SHOP}/nodes/gather-1").json() == {"removed_edges": []}
    assert draft()["nodes"] == MENU["nodes"]
    assert alices.get(SHOP).json()["revision"] == 4


@pytest.mark.parametrize("value", [5, [5], True], ids=repr)
def test_what_a_step_does_not_use_may_be_anything(alices, shop, value):
    """Flows that were made elsewhere hold fields of their own."""
    for name in ("prompt", "text"):
        sent = {"data": {name: value}}
        assert alices.send("PATCH", f"{SHOP}/nodes/sales", sent).status_code in (200, 400), name


def test_a_step_that_is_removed_takes_its_connections_with_it_and_says_so(alices, shop):
    removed = alices.send("DELETE", f"{SHOP}/nodes/sales").json()["removed_edges"]
    assert removed == ["hello>sales:1", "sales>age"]
    assert not {"sales"} & {end for each in draft()["edges"] for end in (each["source"], each["target"])}


def test_so_it_does_with_the_ways_of_a_tool(alices, db):
    tool = node("t", "tool", toolName="x", onSuccess="ok", onFailure="no")
    create_flow(graph=flow(tool, node("ok", "end_call"), node("no", "end_call")), name="Shop", by="carol")
    assert alices.send("DELETE", f"{SHOP}/nodes/no").json() == {"removed_edges": ["t:failure"]}
    assert draft()["nodes"][0]["data"] == {"toolName": "x", "onSuccess": "ok"}


def test_connections_are_listed_read_added_changed_and_removed(alices, shop):
    assert alices.get(f"{SHOP}/edges").json()["results"] == MENU["edges"]
    assert alices.get(f"{SHOP}/edges/sales>age").json() == edge("sales", "age")
    made = alices.send(
        "POST", f"{SHOP}/edges", {"source": "hello", "target": "bye", "condition": {"keys": "3"}}
    )
    assert (made.status_code, made.json()["id"]) == (201, "hello-bye-1")
    changed = alices.send("PATCH", f"{SHOP}/edges/hello-bye-1", {"target": "young", "label": "Later"})
    assert changed.json() == {
        "id": "hello-bye-1",
        "source": "hello",
        "target": "young",
        "condition": {"keys": "3"},
        "label": "Later",
    }
    assert alices.send("DELETE", f"{SHOP}/edges/hello-bye-1").status_code == 204
    assert draft()["edges"] == MENU["edges"]
    assert alices.get(f"{SHOP}/edges/hello-bye-1").status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "sent", "fields"),
    [
        ("POST", "nodes", {"type": "dance"}, {"type"}),
        ("POST", "nodes", {"type": "say", "id": "hello"}, {"id"}),
        ("POST", "nodes", {"type": "say", "data": {"text": 5}}, {"data.text"}),
        ("POST", "nodes", {"type": "say", "position": {"x": "1"}}, {"position.x"}),
        ("POST", "nodes", {"type": "tool", "data": {"onSuccess": "gone"}}, {"data.onSuccess"}),
        ("PATCH", "nodes/hello", {"data": {"timeout": 0}}, {"data.timeout"}),
        ("PATCH", "nodes/hello", {"type": "branch"}, {"type"}),
        ("PATCH", "nodes/hello", {"id": "hi"}, {"id"}),
        ("POST", "edges", {"source": "hello", "target": "gone"}, {"target"}),
        ("POST", "edges", {"source": "bye", "target": "hello"}, {""}),
        ("POST", "edges", {"source": "hello"}, {"target"}),
        ("PATCH", "edges/sales>age", {"source": "gone"}, {"source"}),
        ("PATCH", "edges/sales>age", {"condition": {"keys": 5}}, {"condition.keys"}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_wrong_or_would_break_a_connection_is_refused_by_field(
    alices, shop, method, path, sent, fields
):
    refused = alices.send(method, f"{SHOP}/{path}", sent)
    told = refused.json()
    assert (refused.status_code, set(told.get("fields", {""}))) == (400, fields), told
    assert draft() == {**MENU, "name": "Shop"}


def test_a_part_is_changed_as_it_was_read_whatever_became_of_the_rest(alices, shop):
    hello, sales = (alices.get(f"{SHOP}/nodes/{id}") for id in ("hello", "sales"))
    alices.send("PATCH", f"{SHOP}/nodes/hello", {"data": {"text": "Hi."}}, If_Match=hello["ETag"])
    late = alices.send("PATCH", f"{SHOP}/nodes/hello", {"data": {"text": "Ho."}}, If_Match=hello["ETag"])
    assert (late.status_code, late.json()["detail"][:9]) == (412, "alice has")
    other = alices.send("PATCH", f"{SHOP}/nodes/sales", {"data": {"text": "Sales."}}, If_Match=sales["ETag"])
    assert other.status_code == 200
    assert alices.send("DELETE", f"{SHOP}/nodes/sales", If_Match=sales["ETag"]).status_code == 412


def test_what_was_wrong_elsewhere_hinders_nobody(alices, db):
    broken = flow(node("a", "say"), node("b", "end_call"), edge("a", "gone"), {"id": "x", "type": "of_2030"})
    create_flow(graph=broken, name="Shop", by="carol")
    assert alices.send("PATCH", f"{SHOP}/nodes/a", {"data": {"text": "Hello."}}).status_code == 200
    assert alices.send("POST", f"{SHOP}/edges", {"source": "a", "target": "b"}).status_code == 201
    assert alices.get(f"{SHOP}/nodes/x").json()["type"] == "of_2030"


def test_of_a_flow_that_is_not_there_nothing_is(alices):
    for path in ("nodes", "edges", "nodes/a"):
        assert alices.get(f"{SHOP}/{path}").status_code == 404
