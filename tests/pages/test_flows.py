"""The pages of flows: what the editor is given, and what it sends."""

from __future__ import annotations

import json

import pytest

from agents.flow.graph import nodes
from agents.flows.actions import create_flow, publish, save_draft
from agents.flows.kinds import BY_TYPE, KINDS, LABEL, MANNER, OUTCOMES, SLOT_KINDS, VARIABLE_KINDS
from agents.models import Flow
from tests.agents.flow.samples import edge, flow, node
from tests.factories import make_agent

GOOD = flow(
    node("a", "say", label="Greeting", text="Hello."), node("b", "end_call"), edge("a", "b"), name="Clinic"
)


@pytest.fixture
def drawn(db) -> Flow:
    return create_flow(graph=GOOD, name="Clinic", by="alice")


def send(browser, drawn, graph, revision=1):
    body = json.dumps({"graph": graph, "revision": revision})
    return browser.post(f"/flows/{drawn.slug}/draft/", body, content_type="application/json")


@pytest.mark.parametrize("type", nodes.TYPES)
def test_the_editor_has_a_field_for_all_that_a_step_may_hold(type):
    held = nodes.TYPES[type].model_fields["data"].annotation.model_fields.values()
    offered = {field.name for field in (LABEL, *BY_TYPE[type].fields, *MANNER)}
    drawn_as_connections = {"onSuccess", "onFailure"}
    assert {each.alias for each in held} - drawn_as_connections <= offered


def test_the_editor_offers_nothing_that_a_flow_cannot_hold():
    for kind in KINDS:
        held = {
            each.alias
            for each in nodes.TYPES[kind.type].model_fields["data"].annotation.model_fields.values()
        }
        assert {field.name for field in kind.fields} | set(kind.shows) <= held
    assert {value for value, _ in SLOT_KINDS} == set(nodes.SlotKind.__args__)
    assert {value for value, _ in VARIABLE_KINDS} == set(nodes.VariableKind.__args__)
    assert {type: tuple(value for value, _ in each) for type, each in OUTCOMES.items()} == nodes.OUTCOMES


def test_the_editor_knows_the_agents_and_the_flows_that_a_step_can_name(alices_browser, drawn):
    desk = make_agent("Front desk")
    make_agent("Old desk", status="archived")
    data = alices_browser.get(drawn.get_absolute_url()).context["data"]
    assert (data["agents"], data["flows"]) == ([(desk.slug, "Front desk")], [])
    publish(flow=drawn, by="alice")
    assert alices_browser.get(drawn.get_absolute_url()).context["data"]["flows"] == [("clinic", "Clinic")]


def test_a_draft_is_stored_and_answered_with_its_problems(alices_browser, drawn):
    told = send(alices_browser, drawn, flow(node("a", "say"), node("b", "end_call"), edge("a", "b"))).json()
    assert told["revision"] == 2
    assert [(each["node"], each["path"], each["severity"]) for each in told["problems"]] == [
        ("a", "text", "error")
    ]


def test_a_draft_that_somebody_else_has_changed_is_given_back_with_their_name(alices_browser, drawn):
    theirs = {**GOOD, "description": "Theirs"}
    save_draft(flow=drawn, graph=theirs, by="bob", expected=1)
    answer = send(alices_browser, drawn, {**GOOD, "description": "Mine"})
    assert answer.status_code == 409
    assert (answer.json()["by"], answer.json()["graph"], answer.json()["revision"]) == ("bob", theirs, 2)


@pytest.mark.parametrize(
    ("body", "status"),
    [("{", 400), ("[]", 400), ('{"graph": {}}', 400), ('{"graph": {"nodes": 1}, "revision": 1}', 422)],
)
def test_what_is_no_draft_is_refused(alices_browser, drawn, body, status):
    answer = alices_browser.post(f"/flows/{drawn.slug}/draft/", body, content_type="application/json")
    assert answer.status_code == status and answer.json()["error"]
    drawn.refresh_from_db()
    assert drawn.revision == 1


def test_before_publishing_the_errors_are_told_with_their_place(alices_browser, drawn):
    send(alices_browser, drawn, flow(node("a", "say"), node("b", "end_call"), edge("a", "b")))
    page = alices_browser.get(f"/flows/{drawn.slug}/review/")
    assert "1 error has to be mended first" in page.text and 'data-show-node="a"' in page.text
    assert "data-publish-now" not in page.text


def test_before_publishing_what_differs_from_the_live_version_is_told_in_words(alices_browser, drawn):
    assert "This is its first version" in alices_browser.get("/flows/clinic/review/").text
    publish(flow=drawn, by="alice")
    assert "Nothing that a call would notice differs" in alices_browser.get("/flows/clinic/review/").text
    send(
        alices_browser,
        drawn,
        flow(
            node("a", "say", label="Greeting", text="Good day.", interruptible=False),
            node("c", "phone_transfer", phoneNumber="+14155550111"),
            edge("a", "c", keys="1"),
            edge("a", "c", otherwise=True) | {"id": "else"},
            name="Clinic",
        ),
    )
    changes = alices_browser.get("/flows/clinic/review/").context["changes"]
    assert changes == [
        "Changed: the step “Greeting” (Words: “Hello.” → “Good day.”, The caller may interrupt)",
        "Added: the step “c” (Put through)",
        "Removed: the step “b” (Hang up)",
        "Added: the connection Greeting – c",
        "Added: the connection Greeting – c",
        "Removed: the connection Greeting – b",
    ]


def test_of_many_changes_the_first_are_told_and_the_others_counted(alices_browser, drawn):
    publish(flow=drawn, by="alice")
    more = [node(f"n{number}", "note") for number in range(45)]
    send(alices_browser, drawn, {**GOOD, "nodes": [*GOOD["nodes"], *more]})
    page = alices_browser.get("/flows/clinic/review/")
    assert (len(page.context["changes"]), page.context["further"]) == (40, 5)


def test_only_a_flow_that_no_call_has_followed_can_be_deleted_from_its_page(alices_browser, drawn):
    assert "/flows/clinic/delete/" in alices_browser.get(drawn.get_absolute_url()).text
    publish(flow=drawn, by="alice")
    assert "/flows/clinic/delete/" not in alices_browser.get(drawn.get_absolute_url()).text


def test_who_may_not_change_flows_sees_them_and_is_refused_the_rest(bobs_browser, drawn):
    page = bobs_browser.get(drawn.get_absolute_url())
    assert page.context["told"]["mayChange"] is False
    assert "/publish/" not in page.text and "/duplicate/" not in page.text
    assert bobs_browser.get("/flows/clinic/review/").status_code == 403
    assert send(bobs_browser, drawn, GOOD).status_code == 403


def test_a_version_is_shown_to_look_at_even_to_who_may_change_flows(alices_browser, drawn):
    version = publish(flow=drawn, by="alice")
    page = alices_browser.get(version.get_absolute_url())
    told = page.context["told"]
    assert (told["graph"], told["mayChange"]) == (drawn.draft, False)
    assert "JavaScript" in page.text and "data-publish" not in page.text
    assert alices_browser.get(f"/flows/{drawn.slug}/versions/2/").status_code == 404


def test_a_flow_begins_as_one_of_those_that_are_offered(alices_browser):
    page = alices_browser.get("/flows/templates/").content.decode()
    assert "Restaurant booking" in page and page.count("<svg viewBox") == 7
    answer = alices_browser.post("/flows/templates/restaurant/")
    assert answer.url == "/flows/restaurant-booking/"
    assert Flow.objects.get().draft["tests"]
    assert alices_browser.post("/flows/templates/none/").status_code == 404
