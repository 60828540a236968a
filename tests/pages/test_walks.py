"""The way of a call through its flow, as its page draws it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from agents.flows.actions import create_flow, publish, save_draft
from agents.models import Agent, Flow, FlowVersion
from telephony.models import Call
from telephony.traffic import count
from tests.agents.flow.samples import edge, flow, node
from tests.factories import make_agent, make_call, make_walked_call, noted

SHORT = flow(node("a", "say", text="Hello."), node("b", "end_call"), edge("a", "b"), name="Short")


@pytest.fixture
def version(db) -> FlowVersion:
    make_agent("Night desk", slug="night")
    publish(flow=create_flow(graph=SHORT, name="Inner", by="alice"), by="alice")
    outer = flow(
        node("in", "subflow", flowId="inner"),
        node("pass", "agent_transfer", targetAgentId="night"),
        edge("in", "pass"),
        name="Outer",
    )
    return publish(flow=create_flow(graph=outer, name="Outer", by="alice"), by="alice")


def stages(browser, call: Call) -> list[tuple[str, str, str, bool]]:
    told = browser.get(f"/calls/{call.pk}/walk/").context["told"]
    return [(each["agent"], each["flow"], each["title"], bool(each["graph"])) for each in told["stages"]]


def test_the_canvas_of_a_call_has_its_flow_and_the_flows_inside_it(bobs_browser, version):
    call = make_walked_call(make_agent("Desk"), version)
    assert stages(bobs_browser, call) == [("", "", "Outer", True), ("", "inner", "Outer / Inner", True)]
    told = bobs_browser.get(f"/calls/{call.pk}/walk/").context["told"]
    assert [each["payload"]["data"]["id"] for each in told["events"][:3]] == ["a", "a>b", "b"]
    assert version.get_absolute_url() in bobs_browser.get(call.get_absolute_url()).text


def test_an_agent_who_took_the_call_over_follows_what_was_live_as_it_began(bobs_browser, version):
    night = Agent.objects.get(slug="night")
    call = make_walked_call(make_agent("Desk"), version, [noted("agent", "night")])
    assert stages(bobs_browser, call)[-1] == ("night", "", "Night desk", False)
    night.flow = create_flow(graph=SHORT, name="Night line", by="alice")
    night.save()
    first = publish(flow=night.flow, by="alice")
    first.__class__.objects.update(at=timezone.now() - timedelta(days=1))
    save_draft(flow=night.flow, graph={**SHORT, "description": "Newer"}, by="alice", expected=1)
    publish(flow=night.flow, by="alice")
    told = bobs_browser.get(f"/calls/{call.pk}/walk/").context["told"]
    stage = told["stages"][-1]
    assert (stage["title"], stage["graph"]) == ("Night desk: Short", first.graph)


def test_a_call_without_a_flow_has_no_canvas(bobs_browser, db):
    call = make_call(make_agent("Desk"))
    assert "data-walk" not in bobs_browser.get(call.get_absolute_url()).text
    assert stages(bobs_browser, call) == []


@pytest.fixture
def busy(db) -> Flow:
    """Ten calls have followed it: three hung up in its first step."""
    short = create_flow(graph=SHORT, name="Short", by="alice")
    version, desk = publish(flow=short, by="alice"), make_agent("Desk")
    for n in range(10):
        first = [noted("node", "a", id="a", type="say")] if n < 3 else []
        count(make_walked_call(desk, version, first, "caller_hung_up" if n < 3 else "agent_hung_up").pk)
    return short


def test_traffic_is_told_on_the_canvas_and_in_a_table(bobs_browser, busy):
    page = bobs_browser.get(f"/flows/{busy.slug}/traffic/?period=today")
    assert page.context["told"]["traffic"] == {
        "a": {"badge": "10 calls, 3 dropped out", "tone": "out"},
        "b": {"badge": "7 calls"},
        "a>b": {"badge": "7 (70 %)", "weight": 0.7},
    }
    first, last = page.context["rows"]
    assert (first["name"], first["calls"], first["dropped"]) == ("Say", 10, 3)
    assert first["ways"] == [{"to": "Hang up", "calls": 7, "share": 70}]
    assert [(str(each["how"]), each["calls"]) for each in first["ends"]] == [("The caller hung up", 3)]
    assert (last["dropped"], last["ways"]) == (0, [])


@pytest.mark.parametrize(("query", "calls"), [("version=1", 10), ("version=2", None), ("version=9", 10)])
def test_traffic_is_of_one_version_or_of_all(bobs_browser, busy, query, calls):
    publish(flow=busy, by="alice")
    rows = bobs_browser.get(f"/flows/{busy.slug}/traffic/?period=7-days&{query}").context["rows"]
    assert [row["calls"] for row in rows[:1]] == ([calls] if calls else [])


def test_a_flow_that_was_never_published_has_no_traffic(bobs_browser, db):
    drawn = create_flow(graph=SHORT, name="Short", by="alice")
    assert "No call has followed it" in bobs_browser.get(f"/flows/{drawn.slug}/traffic/").text
