"""Requests that fail are said to have failed, where the person is, and change nothing on the page."""

from __future__ import annotations

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from tests.factories import make_agent, make_call, spoken

TURNS = [("When are you open?", "From eight to six.")]


def failure(page):
    return page.locator("[data-failure]")


def test_who_was_signed_out_keeps_the_page_and_is_led_to_sign_in(page, guard):
    guard.expect("401")
    make_agent("Front desk")
    page.goto("/agents/")
    page.context.clear_cookies()
    page.get_by_role("searchbox").type("hotel")
    expect(failure(page)).to_contain_text("You were signed out.")
    expect(page.get_by_role("link", name="Front desk")).to_be_visible()
    expect(page.get_by_label("Password", exact=True)).to_have_count(0)
    failure(page).get_by_role("link", name="Sign in").click()
    page.wait_for_url("**/login/?next=%2Fagents%2F&why=signed-out")


@pytest.mark.parametrize(
    "status, words",
    [(403, "This was refused"), (429, "Too many requests"), (502, "The server failed"), (418, "(418)")],
)
def test_a_list_that_cannot_be_searched_says_why_until_it_can(page, guard, status, words):
    guard.expect(str(status))
    make_agent("Front desk")
    page.goto("/agents/")
    page.route("**/agents/?*", lambda route: route.fulfill(status=status, body="<h1>no</h1>"))
    page.get_by_role("searchbox").type("hotel")
    expect(failure(page)).to_contain_text(words)
    expect(page.get_by_role("link", name="Front desk")).to_be_visible()
    page.unroute("**/agents/?*")
    page.get_by_role("searchbox").fill("front")
    expect(failure(page)).to_be_hidden()


@pytest.mark.parametrize("status, words", [(401, "You were signed out."), (500, "The server failed")])
def test_a_call_that_could_not_be_ended_is_said_to_go_on(page, guard, status, words):
    guard.expect(str(status))
    call = make_call(make_agent("Front desk"), spoken(TURNS))
    page.goto(call.get_absolute_url())
    page.route("**/hang-up/", lambda route: route.fulfill(status=status))
    button = page.locator("[data-hang-up]").get_by_role("button")
    button.click()
    page.get_by_role("alertdialog").get_by_role("button", name="Hang up").click()
    expect(failure(page)).to_contain_text(words)
    expect(button).to_be_enabled()


@pytest.mark.parametrize(
    "status, words",
    [(401, "You are signed out."), (403, "Reload the page"), (500, "The server could not start the call.")],
)
def test_a_call_that_the_server_did_not_begin_is_not_blamed_on_the_browser(
    guard, chromium_with_microphone, server, status, words
):
    guard.expect(str(status))
    page = guard.page(chromium_with_microphone)
    page.goto(reverse("telephony:talk", args=[make_agent("Front desk").slug]))
    page.route("**/talk/start/", lambda route: route.fulfill(status=status, body="<h1>no</h1>"))
    page.get_by_role("button", name="Start talking").click()
    expect(page.get_by_role("alert").filter(has_text=words)).to_be_visible()
    expect(page.get_by_role("button", name="Talk again")).to_be_enabled()
