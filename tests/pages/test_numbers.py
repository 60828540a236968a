"""The numbers that lead to an agent, on the agent's page."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from agents.models import Agent
from telephony.models import PhoneNumber
from tests.factories import make_agent, make_number
from voiceforge_site.models import User


@pytest.fixture
def agent(db: None) -> Agent:
    return make_agent("Front desk", slug="front-desk")


def choose(browser: Client, number: PhoneNumber, do: str, *, slug: str = "front-desk"):
    return browser.post(f"/agents/{slug}/numbers/", {"number": number.number, "do": do})


def test_an_agents_page_asks_for_its_numbers(alices_browser, agent):
    assert 'hx-get="/agents/front-desk/numbers/"' in alices_browser.get("/agents/front-desk/").text
    assert "/agents/front-desk/numbers/" not in alices_browser.get("/agents/new/").text


def test_without_any_number_it_says_how_to_add_one(alices_browser, agent):
    page = alices_browser.get("/agents/front-desk/numbers/").text
    assert "No number leads to this agent yet" in page
    assert reverse("lines:numbers") in page


def test_a_number_is_assigned_and_released(alices_browser, agent):
    number = make_number("+14155550123")
    page = choose(alices_browser, number, "assign")
    assert [one.number for one in page.context["own"]] == ["+14155550123"]
    number.refresh_from_db()
    assert number.agent == agent
    page = choose(alices_browser, number, "release")
    assert [one.number for one in page.context["others"]] == ["+14155550123"]
    number.refresh_from_db()
    assert number.agent is None


def test_a_number_says_who_answers_it_before_it_is_taken_over(alices_browser, agent):
    number = make_number("+14155550123", agent=make_agent("Night desk"))
    assert "now answered by Night desk" in alices_browser.get("/agents/front-desk/numbers/").text
    choose(alices_browser, number, "assign")
    number.refresh_from_db()
    assert number.agent == agent


def test_a_page_that_is_old_releases_no_number_of_another_agents(alices_browser, agent):
    night = make_agent("Night desk")
    number = make_number("+14155550123", agent=night)
    choose(alices_browser, number, "release")
    number.refresh_from_db()
    assert number.agent == night


def test_what_cannot_be_done_to_a_number_is_refused(alices_browser, agent):
    number = make_number("+14155550123")
    assert choose(alices_browser, number, "sell").status_code == 400
    assert choose(alices_browser, number, "assign", slug="nobody").status_code == 404
    assert alices_browser.post("/agents/front-desk/numbers/", {"number": "+1900"}).status_code == 404


def test_a_foreign_page_cannot_move_a_number(alice: User, agent):
    number = make_number("+14155550123")
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(alice)
    assert choose(browser, number, "assign").status_code == 403
    assert choose(Client(), number, "assign").status_code == 302
    number.refresh_from_db()
    assert number.agent is None
