"""Where calls go in a flow: counted once each, however they end."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from agents.flows.actions import create_flow, publish
from agents.models import FlowVersion
from telephony.actions import end_call, let_go
from telephony.figures import Period
from telephony.models import Call
from telephony.session.events import CallAnswered
from telephony.traffic import LOST, TO_AGENT, Part, count, traffic_of, went
from tests.agents.flow.samples import edge, flow, node
from tests.factories import make_agent, make_call, make_walked_call, noted

SHORT = flow(node("a", "say", text="Hello."), node("b", "end_call"), edge("a", "b"), name="Short")
AT_A = noted("node", "a", id="a", type="say")
ON, AT_B = noted("edge", "On", id="a>b", to="b", by="next"), noted("node", "b", id="b", type="end_call")


def payloads(*events):
    return [{"note": each.note, "name": each.name, "data": each.data} for each in events]


def test_a_call_that_goes_in_circles_counts_once_for_each_place():
    found = went(payloads(AT_A, ON, AT_B, ON, AT_B), "caller_hung_up")
    assert (found.places, found.last) == ({("", "a"), ("", "a>b"), ("", "b")}, ("", "b"))


def test_a_connection_belongs_to_the_flow_of_the_step_that_it_leads_to():
    inside = noted("node", "x", id="x", type="say", flow="inner")
    found = went(payloads(AT_A, inside, ON, AT_B), "caller_hung_up")
    assert found.places == {("", "a"), ("inner", "x"), ("", "a>b"), ("", "b")}


@pytest.mark.parametrize(
    ("last", "end"), [(noted("node", "lost", at_node="a"), LOST), (noted("agent", "night"), TO_AGENT)]
)
def test_it_ends_where_the_flow_could_not_go_on_and_where_another_agent_took_over(last, end):
    found = went(payloads(AT_A, last), "transferred")
    assert (found.last, found.end) == (("", "a"), end)


@pytest.fixture
def version(db) -> FlowVersion:
    return publish(flow=create_flow(graph=SHORT, by="alice"), by="alice")


def today(version: FlowVersion) -> dict[str, Part]:
    return traffic_of([version], flow="", period=Period.of("today"))


def test_calls_are_summed_with_where_they_dropped_out(version):
    agent = make_agent("Desk")
    for _ in range(2):
        count(make_walked_call(agent, version).pk)
    count(make_walked_call(agent, version, [AT_A], reason="caller_hung_up").pk)
    count(make_call(agent).pk)  # follows none
    count(make_walked_call(agent, version, started=timezone.now() - timedelta(days=3)).pk)
    assert today(version) == {
        "a": Part(3, {"caller_hung_up": 1}),
        "a>b": Part(2),
        "b": Part(2, {"agent_hung_up": 2}),
    }
    assert traffic_of([version], flow="", period=Period.of("7-days"))["a"].calls == 4


@pytest.mark.parametrize("held", [True, False])
def test_a_call_is_counted_once_whoever_ends_it_and_lets_it_go(version, held):
    call = make_call(make_agent("Desk"), [CallAnswered(line="twilio"), AT_A])
    Call.objects.filter(pk=call.pk).update(flow_version=version, held_at=timezone.now() if held else None)
    end_call(call.pk, reason="caller_hung_up")
    assert bool(today(version)) is not held  # what is still to be stored of it may be missing
    let_go(call.pk)
    end_call(call.pk, reason="caller_hung_up")
    let_go(call.pk)
    assert today(version) == {"a": Part(1, {"caller_hung_up": 1})}
