"""The order of the agents' list, and one action on several of its rows."""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.db.models import ProtectedError

from agents.models import Agent
from tests.factories import ended, make_agent, make_call, spoken


def names(browser, query=""):
    return [agent.name for agent in browser.get(f"/agents/{query}").context["page"]]


def status_of(slug):
    return Agent.objects.get(slug=slug).status


@pytest.fixture
def three(db):
    """Busy has 2 slow calls, Quick has a fast one, Idle none."""
    busy, quick, _idle = (make_agent(name, slug=name.lower()) for name in ("Busy", "Quick", "Idle"))
    for _ in range(2):
        make_call(busy, ended(spoken([("Hi", "Hello")], milliseconds=(1900,))))
    make_call(quick, ended(spoken([("Hi", "Hello")], milliseconds=(400,))))


@pytest.mark.parametrize(
    ("query", "order"),
    [
        ("", ["Busy", "Idle", "Quick"]),
        ("?sort=-name", ["Quick", "Idle", "Busy"]),
        ("?sort=-calls", ["Busy", "Quick", "Idle"]),
        ("?sort=calls", ["Quick", "Busy", "Idle"]),
        ("?sort=response", ["Quick", "Busy", "Idle"]),
        ("?sort=-response", ["Busy", "Quick", "Idle"]),
        ("?sort=password", ["Busy", "Idle", "Quick"]),
    ],
)
def test_the_list_is_ordered_by_its_columns_with_the_unknown_last(alices_browser, three, query, order):
    assert names(alices_browser, query) == order


def test_the_head_of_a_column_asks_for_the_other_way_round(alices_browser, three):
    page = alices_browser.get("/agents/?sort=-calls&q=u").text
    [head] = re.findall(r'<th class="vf-sort vf-right" aria-sort="descending">(.*?)</th>', page, re.S)
    assert 'href="?sort=calls&amp;q=u"' in head
    assert 'aria-sort="ascending"' not in page


def test_archived_agents_are_out_of_the_list_unless_asked_for(alices_browser, three):
    Agent.objects.filter(slug="idle").update(status="archived")
    assert names(alices_browser) == ["Busy", "Quick"]
    assert names(alices_browser, "?status=archived") == ["Idle"]
    page = alices_browser.get("/agents/")
    assert (
        page.context["counts"][0] == ("", "All", 2) and ("archived", "Archived", 1) in page.context["counts"]
    )
    Agent.objects.update(status="archived")
    assert "Every agent is archived" in alices_browser.get("/agents/").text


def test_several_are_archived_at_once_and_brought_back_as_they_were(alices_browser, three):
    Agent.objects.filter(slug="quick").update(status="paused")
    sent = {"do": "archived", "agent": ["busy", "quick"], "next": "/agents/?sort=-calls"}
    answer = alices_browser.post("/agents/bulk/", sent)
    assert answer["Location"] == "/agents/?sort=-calls"
    toast = unescape(alices_browser.get("/agents/").text)
    assert "2 agents are archived" in toast
    assert {status_of("busy"), status_of("quick")} == {"archived"}
    undo = re.findall(r'name="undo" value="([^"]+)"', toast)
    assert sorted(undo) == ["busy:active", "quick:paused"]
    assert "Undone" in alices_browser.post("/agents/bulk/", {"undo": undo}, follow=True).text
    assert (status_of("busy"), status_of("quick")) == ("active", "paused")


def test_a_name_in_a_toast_is_no_markup(alices_browser, db):
    make_agent("<b>Bold</b>", slug="bold")
    page = alices_browser.post("/agents/bulk/", {"do": "paused", "agent": "bold"}, follow=True).text
    assert "&lt;b&gt;Bold&lt;/b&gt; is paused" in page and "<b>Bold</b>" not in page


@pytest.mark.parametrize(
    "sent", [{"do": "deleted", "agent": "busy"}, {"undo": "busy"}, {"undo": "busy:gone"}]
)
def test_what_is_no_status_is_refused(alices_browser, three, sent):
    assert alices_browser.post("/agents/bulk/", sent).status_code == 400
    assert status_of("busy") == "active"


def test_the_way_back_leads_to_no_other_site(alices_browser, three):
    sent = {"do": "paused", "agent": "busy", "next": "https://evil.example/"}
    assert alices_browser.post("/agents/bulk/", sent)["Location"] == "/agents/"


def test_who_may_not_change_agents_is_offered_no_choice_of_rows(bobs_browser, three):
    page = bobs_browser.get("/agents/").text
    assert 'name="agent"' not in page and "Archive" not in page.split("<main")[1].split('id="results"')[1]
    assert bobs_browser.post("/agents/bulk/", {"do": "paused", "agent": "busy"}).status_code == 403


def test_an_agent_with_calls_cannot_be_deleted(three):
    with pytest.raises(ProtectedError):
        Agent.objects.get(slug="busy").delete()
