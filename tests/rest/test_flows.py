from __future__ import annotations

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from agents.flows.actions import create_flow, publish
from agents.models import Flow
from tests.agents.flow.samples import MENU, edge, flow, node
from tests.factories import make_agent
from voiceforge_site.audit.models import AuditEntry

FLOWS = "/api/agent-flows"
TWO = flow(node("hello", "say", text="Hello."), node("bye", "end_call"), edge("hello", "bye"))


def make(alices, graph=TWO, **more):
    return alices.send("POST", FLOWS, {**graph, "name": "Shop", **more})


def test_a_flow_is_made_read_changed_listed_and_deleted(alices):
    made = make(alices)
    assert made.status_code == 201, made.text
    told = made.json()
    assert (told["id"], told["revision"], told["live_version"], told["changed_by"]) == (
        "shop",
        1,
        None,
        "alice",
    )
    assert (told["nodes"], told["edges"], told["problems"]) == (TWO["nodes"], TWO["edges"], [])
    address = f"{FLOWS}/shop"
    assert alices.get(address).json() == told
    changed = alices.send("PATCH", address, {"description": "Tells hours.", "tests_required": True}).json()
    assert (changed["revision"], changed["tests_required"], changed["nodes"]) == (2, True, TWO["nodes"])
    [row] = alices.get(FLOWS).json()["results"]
    assert (row["id"], row["description"], row["used_by"], "nodes" in row) == (
        "shop",
        "Tells hours.",
        0,
        False,
    )
    assert alices.send("DELETE", address).status_code == 204
    assert alices.get(address).status_code == 404


def test_one_without_steps_begins_with_two_that_can_be_published(alices):
    told = alices.send("POST", FLOWS, {"name": "New"}).json()
    assert ([each["type"] for each in told["nodes"]], told["problems"]) == (["say", "end_call"], [])


def test_a_draft_may_be_half_written_and_tells_what_is_missing(alices):
    told = make(alices, flow(node("hello", "say"))).json()
    assert {(each["node"], each["path"], each["severity"]) for each in told["problems"]} >= {
        ("hello", "text", "error")
    }
    verdict = alices.send("POST", f"{FLOWS}/shop/validate").json()
    assert (verdict["can_be_published"], verdict["problems"]) == (False, told["problems"])
    assert alices.send("POST", f"{FLOWS}/shop/validate", {"graph": TWO}).json() == {
        "can_be_published": True,
        "problems": [],
    }
    assert alices.get(f"{FLOWS}/shop").json()["revision"] == 1


@pytest.mark.parametrize(
    ("parts", "fields"),
    [
        ({"nodes": [{"id": "a", "type": "dance"}]}, {"nodes.0.type"}),
        ({"nodes": [node("a", "say", text=5)]}, {"nodes.0.data.text"}),
        ({"nodes": [node("a", "say", timeout="5")]}, {"nodes.0.data.timeout"}),
        ({"nodes": [node("a", "gather", options=[{"value": 7}])]}, {"nodes.0.data.options.0.value"}),
        ({"nodes": ["a"]}, {"nodes.0"}),
        ({"nodes": [node("a", "say"), node("a", "say")], "edges": []}, {"nodes.1.id"}),
        ({"edges": [edge("hello", "nowhere")]}, {"edges.0.target"}),
        ({"edges": [{"id": "x", "source": 5, "target": "bye"}]}, {"edges.0.source"}),
        ({"variables": [{"kind": "colour", "name": "x"}]}, {"variables.0.kind"}),
        ({"tests": [{"name": "x", "turns": 5}]}, {"tests.0.turns"}),
        ({"name": ""}, {"name"}),
        ({"colour": "red"}, {"colour"}),
        ({"revision": 7}, {"revision"}),
    ],
    ids=lambda value: ",".join(value) if isinstance(value, set) else "",
)
def test_what_is_wrong_is_refused_by_its_field_and_changes_nothing(alices, parts, fields):
    make(alices)
    refused = alices.send("PATCH", f"{FLOWS}/shop", parts)
    assert (refused.status_code, set(refused.json().get("fields", {}))) == (400, fields), refused.text
    assert Flow.objects.get().revision == 1


def test_a_change_of_what_somebody_else_changed_is_refused_with_who(alices):
    read = make(alices)
    alices.send("PATCH", f"{FLOWS}/shop", {"start": "hello"})
    late = alices.send("PATCH", f"{FLOWS}/shop", {"start": "bye"}, If_Match=read["ETag"])
    assert (late.status_code, late.json()["detail"][:16]) == (412, "alice has change")
    assert alices.send("DELETE", f"{FLOWS}/shop", If_Match=read["ETag"]).status_code == 412
    assert alices.send("PATCH", f"{FLOWS}/shop", {"start": "bye"}, If_Match="x").status_code == 400


def test_what_others_do_to_a_flow_s_surroundings_is_no_change_of_it(alices):
    read = make(alices, flow(node("t", "tool", toolName="book"), node("bye", "end_call"), edge("t", "bye")))
    alices.send("POST", "/api/tools", {"name": "book", "url": "https://booking.test/"})
    changed = alices.send("PATCH", f"{FLOWS}/shop", {"start": "t"}, If_Match=read["ETag"])
    assert changed.status_code == 200


def test_it_is_published_rolled_back_and_then_kept(alices):
    make(alices)
    first = alices.send("POST", f"{FLOWS}/shop/publish", {"note": "The first"})
    assert (first.status_code, first.json()["number"], first.json()["is_live"]) == (201, 1, True)
    alices.send("PATCH", f"{FLOWS}/shop", {"description": "Other words"})
    assert alices.send("POST", f"{FLOWS}/shop/publish").json()["number"] == 2
    back = alices.send("POST", f"{FLOWS}/shop/versions/1/roll-back")
    assert (back.status_code, back.json()["number"], back.json()["graph"]["nodes"]) == (201, 3, TWO["nodes"])
    rows = alices.get(f"{FLOWS}/shop/versions").json()["results"]
    told = [(each["number"], each["note"], each["is_live"]) for each in rows]
    assert told == [(3, "Back to version 1", True), (2, "", False), (1, "The first", False)]
    assert alices.get(f"{FLOWS}/shop/versions/2").json()["graph"]["description"] == "Other words"
    assert alices.get(f"{FLOWS}/shop").json()["live_version"] == 3
    assert alices.get(f"{FLOWS}?published=true").json()["results"][0]["live_version"] == 3
    assert alices.get(f"{FLOWS}?published=false").json()["results"] == []
    refused = alices.send("DELETE", f"{FLOWS}/shop")
    assert (refused.status_code, refused.json()["detail"][:10]) == (409, "Calls have")
    assert alices.get(f"{FLOWS}/shop/versions/9").status_code == 404


def test_what_keeps_it_from_being_published_is_told_by_field(alices):
    make(alices, flow(node("bye", "end_call"), node("ask", "gather", variable="x"), edge("ask", "bye")))
    refused = alices.send("POST", f"{FLOWS}/shop/publish")
    assert (refused.status_code, refused.json()["fields"]) == (
        409,
        {"nodes.1.data.prompt": "“Question” has to be filled in."},
    )


def test_a_flow_that_requires_its_tests_is_published_when_they_pass(alices, monkeypatch):
    from tests.agents.fakes import WordEmbedder

    monkeypatch.setattr("mlservices.registry.embedder", WordEmbedder)
    good = {"name": "Greets", "turns": [{"expect": {"said": "Hello."}}]}
    bad = {"name": "Sings", "turns": [{"expect": {"said": "La la la"}}]}
    make(alices, tests=[good, bad], tests_required=True)
    refused = alices.send("POST", f"{FLOWS}/shop/publish")
    assert (refused.status_code, list(refused.json()["fields"])) == (409, ["tests.1"])
    alices.send("PATCH", f"{FLOWS}/shop", {"tests": [good]})
    assert alices.send("POST", f"{FLOWS}/shop/publish").status_code == 201


def test_one_that_is_used_is_not_deleted(alices):
    make(alices)
    make_agent("Desk", flow=Flow.objects.get())
    refused = alices.send("DELETE", f"{FLOWS}/shop")
    assert (refused.status_code, refused.json()["detail"]) == (409, "Take it from its agents first: Desk.")
    assert alices.get(FLOWS).json()["results"][0]["used_by"] == 1


def test_it_is_copied_exported_and_imported_again(alices):
    make(alices, MENU)
    copy = alices.send("POST", f"{FLOWS}/shop/duplicate").json()
    assert (copy["name"], copy["nodes"]) == ("Shop (copy)", MENU["nodes"])
    file = alices.get(f"{FLOWS}/shop/export")
    assert file["Content-Disposition"] == 'attachment; filename="shop.json"'
    assert AuditEntry.objects.filter(verb="flow.downloaded", name="alice").count() == 1
    assert alices.get(f"{FLOWS}/shop/export?version=1").status_code == 404
    assert alices.get(f"{FLOWS}/shop/export?version=x").status_code == 400
    as_json = alices.send("POST", f"{FLOWS}/import", file.json())
    sent = SimpleUploadedFile("Mine.json", json.dumps({**file.json(), "name": ""}).encode())
    as_file = alices.post(f"{FLOWS}/import", {"file": sent})
    assert (as_json.status_code, as_json.json()["id"]) == (201, "shop-2")
    assert (as_file.status_code, as_file.json()["name"]) == (201, "Mine")
    assert as_file.json()["edges"] == MENU["edges"]


def test_one_with_the_longest_name_is_copied_too(alices):
    make(alices, name="x" * 120)
    copy = alices.send("POST", f"{FLOWS}/{'x' * 100}/duplicate")
    assert (copy.status_code, copy.json()["name"][-9:]) == (201, "xx (copy)")


def test_what_can_be_kept_of_a_file_is_and_the_rest_is_told(alices):
    made = alices.send(
        "POST", f"{FLOWS}/import", {"name": "Later", "nodes": [{"id": "x", "type": "of_2030"}]}
    )
    assert (made.status_code, made.json()["nodes"][0]["type"]) == (201, "of_2030")
    assert "no step of the type" in made.json()["problems"][0]["text"]
    renamed = alices.send("PATCH", f"{FLOWS}/later", {"name": "Sooner"})
    assert (renamed.status_code, renamed.json()["nodes"]) == (200, made.json()["nodes"])
    for wrong in ([], {"nodes": 5, "name": "x"}, "text"):
        assert alices.send("POST", f"{FLOWS}/import", wrong).status_code == 400
    broken = alices.post(f"{FLOWS}/import", {"file": SimpleUploadedFile("a.json", b"{")})
    assert (broken.status_code, "this is no JSON" in broken.json()["fields"]["file"]) == (400, True)


def test_templates_are_listed_and_made_flows_of(alices):
    ids = [each["id"] for each in alices.get(f"{FLOWS}/templates").json()]
    made = alices.send("POST", f"{FLOWS}/templates/{ids[0]}", {"name": "My clinic"})
    assert (made.status_code, made.json()["id"], bool(made.json()["tests"])) == (201, "my-clinic", True)
    assert alices.send("POST", f"{FLOWS}/templates/nothing").status_code == 404


def test_a_list_of_many_asks_the_database_as_often_as_one_of_few(alices, django_assert_num_queries):
    for number in range(30):
        publish(flow=create_flow(graph=TWO, name=f"Flow {number}", by="alice"), by="alice")
    alices.get(FLOWS)
    with django_assert_num_queries(2):  # who asks, and the page
        assert len(alices.get(FLOWS).json()["results"]) == 30


def test_who_may_only_look_or_try_changes_nothing(alices, bobs, program, alice, charlie):
    make(alices)
    assert bobs.get(f"{FLOWS}/shop").status_code == 200
    assert bobs.send("POST", f"{FLOWS}/shop/validate").status_code == 200
    for method, path in (
        ("PATCH", "shop"),
        ("DELETE", "shop"),
        ("POST", "shop/publish"),
        ("POST", "shop/nodes"),
        ("DELETE", "shop/edges/x"),
        ("POST", "generate"),
        ("POST", "import"),
    ):
        assert bobs.send(method, f"{FLOWS}/{path}", {}).status_code == 403, path
    assert program(charlie).get(FLOWS).status_code == 403
    looking = program(alice, scopes=["agents.view_agents"])
    assert looking.get(FLOWS).status_code == 200
    assert looking.send("POST", FLOWS, {"name": "x"}).status_code == 403
