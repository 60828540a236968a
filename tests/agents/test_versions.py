"""Every change of an agent is kept: who, when, what; and can be taken back."""

from __future__ import annotations

from copy import deepcopy

import pytest
from django.core.exceptions import ValidationError

from agents.actions import (
    ChangedMeanwhile,
    create_demo_agent,
    duplicate_agent,
    restore_version,
    save_agent,
    set_statuses,
)
from agents.forms import AgentForm
from agents.models import Agent, AgentVersion
from agents.versions import VALUES, Change, Line, differences, values_of
from tests.factories import make_agent

pytestmark = pytest.mark.django_db


def told(agent: Agent) -> list[tuple[int, str, str, str]]:
    return list(agent.versions.order_by("number").values_list("number", "kind", "by", "source"))


def test_each_kind_of_change_is_a_version_with_who_made_it() -> None:
    agent = save_agent(agent=Agent(name="Shop", greeting="Hello."), by="alice")
    agent.greeting = "Welcome."
    save_agent(agent=agent, by="dana")
    set_statuses(statuses={"shop": "archived"}, by="alice")
    set_statuses(statuses={"shop": "paused"}, by="alice")
    agent = restore_version(agent=Agent.objects.get(), number=1, by="dana")
    copy = duplicate_agent(agent=agent, by="alice")
    assert told(agent) == [
        (1, "created", "alice", ""),
        (2, "saved", "dana", ""),
        (3, "archived", "alice", ""),
        (4, "paused", "alice", ""),
        (5, "restored", "dana", "1"),
    ]
    assert told(copy) == [(1, "duplicated", "alice", "Shop")]


def test_what_changes_nothing_makes_no_version() -> None:
    agent = save_agent(agent=make_agent("Shop"), by="alice")
    assert (agent.version, AgentVersion.objects.count()) == (0, 0)
    assert set_statuses(statuses={agent.slug: "active", "nobody": "paused"}, by="alice") == {}
    agent.name = "Bike shop"
    save_agent(agent=agent, by="alice")
    save_agent(agent=agent, by="alice")
    assert told(agent) == [(1, "found", "", ""), (2, "saved", "alice", "")]


def test_the_agent_of_a_new_installation_begins_with_a_version_of_its_own() -> None:
    agent = create_demo_agent()
    create_demo_agent()
    assert told(agent) == [(1, "created", "", "")]


def test_a_save_on_top_of_a_newer_version_is_refused_and_names_it() -> None:
    agent = make_agent("Shop")
    mine = Agent.objects.get()
    agent.greeting = "Theirs."
    save_agent(agent=agent, by="dana", expected=0)
    mine.greeting = "Mine."
    with pytest.raises(ChangedMeanwhile) as refused:
        save_agent(agent=mine, by="alice", expected=0)
    assert (refused.value.newest.number, refused.value.newest.by) == (2, "dana")
    assert Agent.objects.get().greeting == "Theirs."


def test_a_restored_version_can_be_taken_back_by_another() -> None:
    agent = make_agent("Shop", constants={"town": "Halifax"})
    agent.greeting, agent.facts = "Welcome.", []
    save_agent(agent=agent, by="alice")
    restore_version(agent=agent, number=1, by="alice")
    assert (agent.greeting, len(agent.facts)) == ("Hello, how can I help you?", 2)
    restore_version(agent=agent, number=2, by="alice")
    assert Agent.objects.get().greeting == "Welcome."
    assert [number for number, *_ in told(agent)] == [1, 2, 3, 4]


def test_a_version_is_restored_without_its_status() -> None:
    read_before = make_agent("Shop")
    set_statuses(statuses={read_before.slug: "archived"}, by="alice")
    agent = restore_version(agent=read_before, number=1, by="alice")
    assert (agent.status, agent.version) == ("archived", 2), "nothing but the status differed"


def test_a_version_that_is_wrong_by_now_is_not_restored() -> None:
    agent = make_agent("Shop", greeting="{{town}} bikes.", constants={"town": "Halifax"})
    agent.greeting = "Hello."
    save_agent(agent=agent, by="alice")
    AgentVersion.objects.filter(number=1).update(values={"greeting": "{{gone}}", "constants": {}})
    with pytest.raises(ValidationError, match="There is no variable"):
        restore_version(agent=agent, number=1, by="alice")
    assert Agent.objects.get().greeting == "Hello."


def test_several_agents_change_at_once_and_tell_what_they_were() -> None:
    one, two = make_agent(status="active"), make_agent(status="paused")
    before = set_statuses(statuses={one.slug: "archived", two.slug: "archived"}, by="alice")
    assert before == {one.slug: "active", two.slug: "paused"}
    set_statuses(statuses=before, by="alice")
    assert set(Agent.objects.values_list("slug", "status")) == {(one.slug, "active"), (two.slug, "paused")}


def test_an_agent_whose_facts_are_wrong_by_now_can_still_be_archived() -> None:
    agent = make_agent(facts=[{"topic": "Parking"}])
    assert set_statuses(statuses={agent.slug: "archived"}, by="alice")


# ---- differences in words -------------------------------------------------------------------


def changed(**values: object) -> list[Change]:
    old = values_of(Agent(name="Shop", greeting="Hello.", instructions="One.\nTwo.\nThree.\nFour."))
    return differences(old, deepcopy(old) | values)


def test_short_values_are_told_as_the_form_names_them() -> None:
    assert changed(record=False, speaking_rate=1.2, on_failure="transfer", description="Bikes") == [
        Change("Description", "nothing", "Bikes"),
        Change("Speaking rate", "1", "1.2"),
        Change("Record calls", "on", "off"),
        Change("When engines fail", "Say sorry and goodbye", "Put the caller through to a person"),
    ]


def test_a_long_text_is_told_by_the_lines_that_differ() -> None:
    [change] = changed(instructions="One.\nTwo.\n--- new\nFour.")
    assert change.label == "Instructions"
    assert change.lines == (
        Line("", "Two."),
        Line("removed", "Three."),
        Line("added", "--- new"),
        Line("", "Four."),
    )


def test_facts_are_told_one_by_one() -> None:
    old = {"facts": [{"topic": "Parking", "answer": "Behind.", "questions": ["where"]}, {"topic": "Fax"}]}
    hours = {"timezone": "Europe/London", "week": {"monday": [["09:00", "17:00"]]}}
    new = {
        "facts": [
            {"topic": "Parking", "answer": "In front.", "questions": ["where"], "urgent": True},
            {"topic": "Hours", "answer": "", "questions": [], "hours": hours},
        ]
    }
    labels = [change.label for change in differences(old, new)]
    assert labels == ["Fact “Parking”", "New fact “Hours”"], "a fact without a word was no fact"
    parking, opening = differences(old, new)
    assert Line("removed", "Behind.") in parking.lines and Line("added", "An emergency") in parking.lines
    assert opening.lines == (Line("added", "Monday: 09:00-17:00"), Line("added", "Europe/London"))
    assert [change.label for change in differences(new, {"facts": new["facts"][::-1]})] == [
        "Order of the facts"
    ]


def test_a_version_of_before_a_setting_was_known_had_its_default() -> None:
    assert differences({"name": "Shop"}, {"name": "Shop", "eagerness": 0.5, "record": False}) == [
        Change("Record calls", "on", "off")
    ]


def test_numbers_differ_as_they_are_shown_elsewhere() -> None:
    old = values_of(Agent(name="Shop", transfer_number="+14155550112"))
    assert differences(old, old | {"transfer_number": ""}) == [
        Change("Transfer callers to", "+1 415-555-0112", "nothing")
    ]


def test_the_form_asks_for_all_that_a_version_holds_in_its_order() -> None:
    asked = list(AgentForm.base_fields)
    assert asked == [name for name in VALUES if name != "facts"]
    assert {field.name for field in Agent._meta.fields} - set(VALUES) == {
        "id",
        "slug",
        "version",
        "created_at",
        "updated_at",
    }
