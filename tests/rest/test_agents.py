from __future__ import annotations

import pytest

from agents.models import Agent, Flow
from tests.agents.fakes import WordEmbedder
from tests.factories import make_agent

AGENTS = "/api/agents"
FACT = {"topic": "Parking", "answer": "Behind the house."}


def make(alices, **more):
    return alices.send("POST", AGENTS, {"name": "Front desk", "greeting": "Good day.", **more})


def test_an_agent_is_made_read_changed_and_listed(alices):
    made = make(alices, facts=[FACT])
    assert made.status_code == 201, made.text
    told = made.json()
    assert (told["id"], told["version"], told["facts"][0]["topic"]) == ("front-desk", 1, "Parking")
    address = f"{AGENTS}/front-desk"
    assert alices.get(address).json() == told
    changed = alices.send("PATCH", address, {"greeting": "Hello."})
    assert (changed.json()["greeting"], changed.json()["version"]) == ("Hello.", 2)
    assert changed.json()["facts"] == told["facts"]
    assert [each["id"] for each in alices.get(AGENTS).json()["results"]] == ["front-desk"]
    versions = alices.get(f"{address}/versions").json()["results"]
    assert [(each["number"], each["by"]) for each in versions] == [(2, "alice"), (1, "alice")]
    restored = alices.send("POST", f"{address}/versions/1/restore")
    assert (restored.json()["greeting"], restored.json()["version"]) == ("Good day.", 3)


def test_no_more_is_loaded_than_is_told(alices, django_assert_num_queries):
    flow = Flow.objects.create(name="Hours", slug="opening-hours", draft={"nodes": [], "edges": []})
    make_agent("Front desk", slug="front-desk", flow=flow)
    for address in (AGENTS, f"{AGENTS}/front-desk"):
        with django_assert_num_queries(2):  # who asks, and the agent
            assert "opening-hours" in alices.get(address).text


def test_what_is_wrong_is_told_by_field_in_the_words_of_the_page(alices, alices_browser):
    refused = make(alices, voice="nobody", silence_seconds=1, transfer_number="12")
    assert (refused.status_code, refused["Content-Type"]) == (400, "application/problem+json")
    fields = refused.json()["fields"]
    assert set(fields) == {"voice", "silence_seconds", "transfer_number"}
    page = alices_browser.post("/agents/new/", {"name": "x", "greeting": "y", "transfer_number": "12"})
    assert page.context["form"].errors["transfer_number"][0] == fields["transfer_number"]
    nested = make(alices, facts=[{"topic": "Parking"}]).json()["fields"]
    assert list(nested) == ["facts.0.answer"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("silence_seconds", "8"),
        ("record", 1),
        ("name", 7),
        ("speaking_rate", "1"),
        ("secret", "x"),
        ("id", "x"),
    ],
)
def test_json_of_another_kind_and_unknown_fields_are_refused(alices, field, value):
    refused = make(alices, **{field: value})
    assert (refused.status_code, set(refused.json()["fields"])) == (400, {field})
    assert not Agent.objects.exists()


def test_a_change_of_what_somebody_else_changed_is_refused_with_who(alices, bobs, alice):
    read = make(alices)
    alices.send("PATCH", f"{AGENTS}/front-desk", {"greeting": "Hello."})
    late = alices.send("PATCH", f"{AGENTS}/front-desk", {"name": "Desk"}, If_Match=read["ETag"])
    assert (late.status_code, late.json()["detail"][:16]) == (412, "alice has change")
    newest = alices.get(f"{AGENTS}/front-desk")
    again = alices.send("PATCH", f"{AGENTS}/front-desk", {"name": "Desk"}, If_Match=newest["ETag"])
    assert (again.status_code, again.json()["name"]) == (200, "Desk")
    unchanged = alices.send("GET", f"{AGENTS}/front-desk", If_None_Match=again["ETag"])
    assert (unchanged.status_code, unchanged.content) == (304, b"")


def test_lists_go_on_by_a_cursor_and_are_searched_and_ordered(alices):
    for number in range(5):
        make_agent(f"Desk {number}")
    page = alices.get(f"{AGENTS}?limit=2&ordering=-name").json()
    assert [each["name"] for each in page["results"]] == ["Desk 4", "Desk 3"]
    following = alices.get(page["next"]).json()
    assert [each["name"] for each in following["results"]] == ["Desk 2", "Desk 1"]
    assert following["previous"]
    assert [each["name"] for each in alices.get(f"{AGENTS}?search=3").json()["results"]] == ["Desk 3"]
    assert alices.get(f"{AGENTS}?status=paused").json()["results"] == []
    assert alices.get(f"{AGENTS}?status=asleep").status_code == 400


def test_who_may_only_look_changes_nothing(bobs):
    agent = make_agent()
    assert bobs.get(f"{AGENTS}/{agent.slug}").status_code == 200
    refused = bobs.send("PATCH", f"{AGENTS}/{agent.slug}", {"name": "x"})
    assert (refused.status_code, "It takes the ability" in refused.json()["detail"]) == (403, True)


def test_several_get_one_status(alices, bobs):
    for number in range(3):
        make_agent(f"Desk {number}", slug=f"desk-{number}")
    sent = {"status": "paused", "agents": ["desk-0", "desk-1"]}
    told = alices.send("POST", f"{AGENTS}/bulk", sent).json()
    assert told == {"before": {"desk-0": "active", "desk-1": "active"}}
    assert alices.send("POST", f"{AGENTS}/bulk", sent).json() == {"before": {}}
    assert len(alices.get(f"{AGENTS}?status=active").json()["results"]) == 1
    for wrong, field in (({"status": "asleep"}, "status"), ({"agents": ["desk-2", "gone"]}, "agents")):
        refused = alices.send("POST", f"{AGENTS}/bulk", {**sent, **wrong})
        assert (refused.status_code, list(refused.json()["fields"])) == (400, [field])
    assert bobs.send("POST", f"{AGENTS}/bulk", sent).status_code == 403


@pytest.mark.django_db(transaction=True)
def test_an_agent_is_tried_by_text(bobs, monkeypatch, program, charlie):
    monkeypatch.setattr("mlservices.registry.embedder", WordEmbedder)
    agent = make_agent(greeting="Good day.", facts=[{**FACT, "questions": ["where can I park"]}])
    address = f"{AGENTS}/{agent.slug}/try"
    greeting = bobs.send("POST", address)
    assert (greeting.status_code, greeting.json()["texts"]) == (200, ["Good day."])
    told = bobs.send("POST", address, {"words": "Where can I park?", "transcript": []}).json()
    assert (told["texts"], told["ended"]) == (["Behind the house."], False)
    again = bobs.send("POST", address, {"words": "Thank you, goodbye.", "transcript": told["transcript"]})
    assert again.json()["ended"]
    for wrong in ({"transcript": ["x"]}, {"transcript": "x"}, {"transcript": [5]}, {"words": "x" * 1001}):
        refused = bobs.send("POST", address, wrong)
        assert (refused.status_code, len(refused.json()["fields"])) == (400, 1)
    assert program(charlie).send("POST", address).status_code == 403


def test_own_variables_do_not_come_apart(alices):
    refused = make(alices, constants={"clinic": "A\nother = B"})
    assert list(refused.json()["fields"]) == ["constants.clinic"]
    assert make(alices, constants={"clinic": "A"}).json()["constants"] == {"clinic": "A"}


@pytest.mark.parametrize(
    "body",
    [
        "{",
        '"text"',
        "[]",
        '{"name": 1e999}',
        '{"name": "a\\u0000b"}',
        '{"name": "\\ud800"}',
        "[" * 9999,
        "\xff",
    ],
    ids=range(8),
)
def test_what_no_database_takes_is_refused(alices, body):
    refused = alices.generic("POST", AGENTS, body.encode("latin-1"), content_type="application/json")
    assert (refused.status_code, refused["Content-Type"]) == (400, "application/problem+json")


@pytest.mark.parametrize("limit", ["0", "201", "x", "-1", "٣"])
def test_a_page_has_a_size_that_it_can_have(alices, limit):
    refused = alices.get(AGENTS, {"limit": limit})
    assert (refused.status_code, list(refused.json()["fields"])) == (400, ["limit"])
    assert alices.get(f"{AGENTS}?cursor=x").status_code in (400, 404)
