"""Trying an agent by text: the page keeps the conversation, and what was typed until it is answered."""

from __future__ import annotations

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from tests.factories import make_agent

FACTS = [
    {"topic": "Parking", "answer": "Park behind the shop.", "questions": ["any free parking spaces"]},
]


@pytest.fixture
def page(page, server):
    page.goto(reverse("agents:try", args=[make_agent("Front desk", facts=FACTS).slug]))
    return page


def say(page, words):
    expect(page.get_by_role("button", name="Send")).to_be_enabled()
    page.get_by_label("Your words").fill(words)
    page.keyboard.press("Enter")


def test_a_question_is_answered_and_the_next_one_can_be_typed(page):
    log, words = page.get_by_role("log"), page.get_by_label("Your words")
    expect(words).to_be_focused()
    say(page, "any free parking spaces")
    expect(log).to_contain_text("Park behind the shop.")
    expect(log).to_contain_text("Parking")  # what matched
    expect(words).to_have_value("")
    expect(words).to_be_focused()


def test_the_conversation_goes_on_to_its_end(page):
    log = page.get_by_role("log")
    say(page, "can I leave a message")
    expect(log.locator(".vf-try-turn")).to_have_count(3)
    say(page, "Bob")
    expect(log).to_contain_text("number")
    page.get_by_role("link", name="Start again").first.click()
    say(page, "goodbye")
    expect(log).to_contain_text("The agent ended the conversation.")
    expect(page.get_by_label("Your words")).to_be_disabled()
    expect(page.get_by_role("button", name="Send")).to_be_disabled()


@pytest.mark.parametrize("status", [401, 500])
def test_words_that_were_not_answered_stay_where_they_were_typed(page, guard, status):
    guard.expect(str(status))
    page.route("**/try/", lambda route: route.fulfill(status=status, body="<h1>no</h1>"))
    say(page, "any free parking spaces")
    expect(page.locator("[data-failure]")).to_be_visible()
    expect(page.get_by_label("Your words")).to_have_value("any free parking spaces")
    expect(page.get_by_role("log").locator(".vf-try-turn")).to_have_count(1)
    page.unroute("**/try/")
    page.keyboard.press("Enter")
    expect(page.get_by_role("log")).to_contain_text("Park behind the shop.")
    expect(page.locator("[data-failure]")).to_be_hidden()
