"""The page of an agent's changes."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from agents.actions import save_agent
from agents.models import Agent
from tests.factories import make_agent


@pytest.fixture
def agent(db):
    """Changed twice."""
    agent = make_agent("Front desk", slug="desk")
    for who, greeting in (("dana", "Welcome."), ("alice", "Good day <b>.")):
        agent.greeting = greeting
        save_agent(agent=agent, by=who)
    return agent


def test_it_tells_who_changed_what_newest_first(alices_browser, agent):
    page = alices_browser.get("/agents/desk/history/").text
    assert re.findall(r"<h2>(Version \d)</h2>", page) == ["Version 3", "Version 2", "Version 1"]
    assert "by dana" in page and "just now" in page and "Welcome." in page
    assert "Good day &lt;b&gt;." in page


def test_any_two_are_compared_whichever_is_named_first(alices_browser, agent):
    for address in ("?old=1&new=3", "?old=3&new=1"):
        page = alices_browser.get(f"/agents/desk/history/{address}")
        [change] = page.context["compared"]
        assert [line.sign for line in change.lines] == ["removed", "added"]
        assert "From version 1 to version 3" in page.text


def test_a_version_does_not_differ_from_itself(alices_browser, agent):
    assert "They do not differ." in alices_browser.get("/agents/desk/history/?old=2&new=2").text


@pytest.mark.parametrize("query", ["?old=1", "?old=1&new=99", "?old=x&new=2", "?old=9999999999999&new=1"])
def test_what_cannot_be_compared_shows_the_list_alone(alices_browser, agent, query):
    page = alices_browser.get(f"/agents/desk/history/{query}")
    assert page.status_code == 200 and "From version" not in page.text


def test_a_version_is_restored_and_that_is_told_as_a_change(alices_browser, agent):
    answer = alices_browser.post("/agents/desk/history/1/restore/", follow=True)
    assert "Version 1 is restored" in answer.text and "An earlier version restored" in answer.text
    assert Agent.objects.get().greeting == "Hello, how can I help you?"
    assert "Nothing differs" in alices_browser.post("/agents/desk/history/1/restore/", follow=True).text
    assert alices_browser.post("/agents/desk/history/77/restore/").status_code == 404


def test_who_may_not_change_agents_reads_the_history_and_restores_nothing(bobs_browser, agent):
    page = bobs_browser.get("/agents/desk/history/")
    assert page.status_code == 200 and "Restore version" not in page.text
    assert bobs_browser.post("/agents/desk/history/1/restore/").status_code == 403


def test_an_agent_that_never_changed_says_so(alices_browser, db):
    make_agent(slug="quiet")
    assert "No changes yet" in alices_browser.get("/agents/quiet/history/").text


def test_the_history_asks_the_same_of_the_database_for_three_versions_and_for_thirty(
    alices_browser: Client, agent, django_assert_num_queries
):
    def ask():  # session, user, agent, count, versions, the one before them, live calls
        with django_assert_num_queries(7):
            return alices_browser.get("/agents/desk/history/")

    ask()
    for number in range(27):
        agent.greeting = f"Hello {number}."
        save_agent(agent=agent, by="alice")
    assert "Page 1 of 2" in ask().text
    last = alices_browser.get("/agents/desk/history/?page=2").text
    assert "Version 1</h2>" in last and "The first version that is kept." in last
