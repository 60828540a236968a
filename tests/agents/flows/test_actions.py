"""What can be done with flows."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from agents.flows.actions import (
    ChangedMeanwhile,
    Unpublishable,
    Untested,
    create_flow,
    delete_flow,
    duplicate_flow,
    publish,
    require_tests,
    roll_back,
    save_draft,
)
from agents.flows.programs import crew_of
from agents.flows.results import keep
from agents.flows.testing import Failure, Result
from agents.models import Flow
from tests.agents.flow.samples import edge, flow, node
from tests.factories import make_agent

pytestmark = pytest.mark.django_db

GOOD = flow(node("a", "say", text="Hello."), node("b", "end_call"), edge("a", "b"))
BETTER = flow(node("a", "say", text="Hello again."), node("b", "end_call"), edge("a", "b"))


def made(graph=GOOD, name="Clinic") -> Flow:
    return create_flow(graph=graph, name=name, by="alice")


def test_flows_of_one_name_have_addresses_of_their_own():
    assert [made().slug, made().slug, made(name="New").slug] == ["clinic", "clinic-2", "new-2"]


def test_what_is_no_flow_is_not_created():
    with pytest.raises(ValidationError, match="list"):
        made({"nodes": "many"})
    assert not Flow.objects.exists()


def test_a_draft_may_be_half_written_and_can_be_saved_but_not_published():
    made_of = made(flow(node("a", "say", text="")))
    with pytest.raises(Unpublishable) as refused:
        publish(flow=made_of, by="alice")
    assert {each.code for each in refused.value.problems} == {"missing", "dead_end"}
    assert not made_of.versions.exists()


def test_two_people_who_change_the_same_draft_are_told():
    mine = made()
    save_draft(flow=mine, graph=BETTER, by="bob", expected=1)
    with pytest.raises(ChangedMeanwhile) as refused:
        save_draft(flow=mine, graph={**GOOD, "description": "x"}, by="alice", expected=1)
    assert refused.value.flow.changed_by == "bob" and refused.value.flow.revision == 2
    assert Flow.objects.get().draft == BETTER


def test_a_draft_that_is_saved_unchanged_stays_at_its_revision():
    mine = made()
    assert save_draft(flow=mine, graph=mine.draft, by="bob", expected=1).revision == 1


def test_a_published_version_stays_as_it_is_when_the_draft_goes_on():
    mine = made()
    first = publish(flow=mine, by="alice", note="First")
    save_draft(flow=mine, graph=BETTER, by="alice", expected=1)
    assert first.program.main.nodes[0].data.text == "Hello."
    second = publish(flow=mine, by="bob")
    mine.refresh_from_db()
    assert (mine.live, second.number, first.note) == (second, 2, "First")


def test_a_flow_that_requires_its_tests_is_published_only_when_all_of_this_draft_have_passed():
    first, second = ({"name": name, "turns": [{}]} for name in ("First", "Second"))
    flow = require_tests(flow=made({**GOOD, "tests": [first, second]}), required=True)
    for test in (first, second):
        with pytest.raises(Untested) as refused:
            publish(flow=flow, by="alice")
        assert refused.value.rows[-1].plan.name == "Second"
        keep(flow=flow, result=Result(test["name"], 0.1, ()))
    assert publish(flow=flow, by="alice").number == 1
    keep(flow=flow, result=Result("Second", 0.1, (Failure("too_slow"),)))
    with pytest.raises(Untested):
        publish(flow=flow, by="alice")
    keep(flow=flow, result=Result("Second", 0.1, ()))
    save_draft(flow=flow, graph={**flow.draft, "description": "x"}, by="bob", expected=1)
    with pytest.raises(Untested):
        publish(flow=flow, by="alice")
    assert publish(flow=require_tests(flow=flow, required=False), by="alice").number == 2


def test_an_earlier_version_is_brought_back_as_a_new_one():
    mine = made()
    first = publish(flow=mine, by="alice")
    save_draft(flow=mine, graph=BETTER, by="alice", expected=1)
    publish(flow=mine, by="alice")
    third = roll_back(version=first, by="bob")
    mine.refresh_from_db()
    assert (mine.live, third.number, third.graph) == (third, 3, first.graph)
    assert mine.draft == BETTER


def test_sub_flows_are_published_with_what_enters_them():
    inner = made(flow(node("x", "say", text="Inside."), node("y", "end_call"), edge("x", "y")), "Inner")
    enters = flow(node("a", "subflow", flowId="inner"), node("b", "end_call"), edge("a", "b"))
    outer = made(enters, "Outer")
    with pytest.raises(Unpublishable):
        publish(flow=outer, by="alice")  # the inner one is a draft yet
    publish(flow=inner, by="alice")
    version = publish(flow=outer, by="alice")
    save_draft(flow=inner, graph=BETTER, by="alice", expected=1)
    publish(flow=inner, by="alice")
    assert version.program.flows["inner"].nodes[0].data.text == "Inside."


def test_flows_that_enter_each_other_cannot_be_published():
    one = made(GOOD, "One")
    publish(flow=one, by="alice")
    two = made(flow(node("a", "subflow", flowId="one"), node("b", "end_call"), edge("a", "b")), "Two")
    publish(flow=two, by="alice")
    round_ = flow(node("a", "subflow", flowId="two"), node("b", "end_call"), edge("a", "b"))
    save_draft(flow=one, graph=round_, by="alice", expected=1)
    with pytest.raises(Unpublishable) as refused:
        publish(flow=one, by="alice")
    assert [each.code for each in refused.value.problems] == ["cyclic_subflow"]


def test_the_agents_that_a_call_may_come_to_are_known_before_it_begins():
    first, second = make_agent("First"), make_agent("Second")
    second.flow = made(flow(node("a", "agent_transfer", targetAgentId=first.slug)), "Back")
    publish(flow=second.flow, by="alice")
    second.save()
    there = made(flow(node("a", "agent_transfer", targetAgentId=second.slug)), "There")
    crew = crew_of(publish(flow=there, by="alice"))
    assert set(crew) == {first.slug, second.slug}
    assert crew[first.slug].version is None and crew[second.slug].version.number == 1


def test_only_a_flow_that_no_call_can_name_is_deleted():
    mine = made()
    copy = duplicate_flow(flow=mine, by="bob")
    assert copy.name == "Clinic (copy)"
    delete_flow(flow=copy)
    publish(flow=mine, by="alice")
    with pytest.raises(ValidationError, match="kept"):
        delete_flow(flow=mine)
