"""The settings of an agent, tried in a real browser before they are saved; and the list's bulk actions."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from agents.actions import save_agent
from agents.models import Agent
from tests.factories import make_agent, make_number


def test_unsaved_settings_are_tried_in_the_form(guard, chromium, server):
    agent = make_agent("Front desk", greeting="Hello.")
    page = guard.page(chromium)
    page.goto(agent.get_absolute_url())
    page.get_by_label("Your own variables").fill("clinic = Harbour Street")
    greeting = page.get_by_role("group", name="Insert a variable").first
    greeting.get_by_role("button", name="clinic").click()
    assert "{{clinic}}" in page.get_by_label("Greeting", exact=True).input_value()
    greeting.get_by_role("button", name="used: clinic").wait_for()

    guard.expect("/agents/speak/", "503")  # nobody speaks for this server
    page.get_by_role("button", name="Hear the greeting").click()
    page.get_by_text("The speech engine did not speak").wait_for()

    page.get_by_label("How soon the agent answers").fill("1")
    page.get_by_text("The agent answers 0.20 s after a sentence").wait_for()
    page.get_by_text("Try it now").click()
    hold = page.get_by_role("button", name="Hold to speak")
    hold.focus()
    page.keyboard.down(" ")
    page.keyboard.up(" ")
    page.locator(".vf-hear-answers", has_text="In the middle of a sentence").wait_for()
    page.keyboard.down(" ")
    page.get_by_text(re.compile(r"Your last pause: \d\.\d\d s\.")).wait_for()
    page.keyboard.up(" ")


def test_a_refused_agent_is_mended_field_by_field_until_nothing_is_left_to_say(guard, chromium, server):
    agent = make_agent("Front desk", chat_model="")
    page = guard.page(chromium)
    page.goto(agent.get_absolute_url())
    guard.expect("422")
    page.get_by_label("Announcement").fill("This call is {{recorded}}.")
    page.get_by_label("Record calls").uncheck()  # hides what has to be corrected
    page.get_by_label("Put the caller through to a person").check()
    page.get_by_label("How soon the agent answers").evaluate("it => { it.type = 'text'; it.value = '7'; }")
    page.get_by_role("button", name="Add a fact").click()
    page.keyboard.type("Prices")
    page.keyboard.press("Control+s")
    summary = page.locator(".vf-refused")
    expect(summary.get_by_role("link")).to_have_text(
        [
            "How soon the agent answers goes from 0 to 1. 0.5 suits most agents.",
            re.compile("Announcement: There is no variable {{recorded}}"),
            "Fallback number: Give the number that callers are put through to.",
            "Prices: Answer, as it is spoken: Write what the agent is to say.",
        ]
    )
    expect(page.get_by_label("Answer, as it is spoken").last).to_be_focused()
    summary.get_by_role("link", name="Announcement").press("Enter")
    expect(page.get_by_label("Announcement")).to_be_focused()
    page.keyboard.press("Control+a")
    page.keyboard.type("This call is recorded.")
    # The browser itself has put the slider to its end.
    expect(summary.get_by_role("link")).to_have_text([re.compile("Fallback number"), re.compile("Prices")])
    page.get_by_role("button", name="Remove").last.click()
    expect(summary.get_by_role("link")).to_have_text([re.compile("Fallback number")])
    page.get_by_label("Say sorry and goodbye").check()
    expect(summary).to_have_count(0)
    page.keyboard.press("Control+s")
    expect(page.get_by_text("Front desk saved")).to_be_visible()


def test_a_fact_that_was_removed_by_mistake_is_kept_by_keyboard(guard, chromium, server):
    agent = make_agent("Front desk")
    page = guard.page(chromium)
    page.goto(agent.get_absolute_url())
    topic = agent.facts[0]["topic"]
    page.locator("[data-fact] > details > summary").first.press("Enter")
    page.get_by_role("button", name="Remove").first.press("Enter")
    expect(page.get_by_label("Topic").first).to_be_hidden()
    keep = page.get_by_role("button", name="Keep it")
    expect(keep).to_be_focused()
    expect(page.locator("[data-fact-removed]:visible")).to_contain_text(f"Removed when you save: {topic}")
    page.keyboard.press("Enter")
    expect(page.locator("[data-fact] > details > summary").first).to_be_focused()
    expect(keep).to_be_hidden()
    page.keyboard.press("Control+s")
    expect(page.get_by_text("Nothing to save")).to_be_visible()


def test_two_versions_are_compared_by_keyboard_and_the_difference_has_the_focus(guard, chromium, server):
    agent = make_agent("Front desk", greeting="Hello.")
    agent.greeting = "Welcome."
    save_agent(agent=agent, by="alice")
    page = guard.page(chromium)
    page.goto(agent.get_absolute_url() + "history/")
    page.get_by_role("button", name="Compare", exact=True).press("Enter")
    expect(page.get_by_role("heading", name="From version 1 to version 2")).to_be_focused()


def test_several_agents_are_archived_by_keyboard_after_a_warning_and_brought_back(guard, chromium, server):
    desk, shop = make_agent("Front desk"), make_agent("Bike shop")
    make_number("+14155550123", agent=desk)
    page = guard.page(chromium)
    page.goto("/agents/")
    for agent in (desk, shop):
        page.get_by_role("link", name=agent.name).focus()
        page.keyboard.press("x")
    page.get_by_text("2 selected").wait_for()
    page.get_by_role("button", name="Archive").click()
    dialog = page.get_by_role("dialog", name="Archive although callers reach it?")
    dialog.get_by_text("+1 415-555-0123").wait_for()
    dialog.get_by_role("button", name="Archive").click()
    page.get_by_text("2 agents are archived").wait_for()
    assert set(Agent.objects.values_list("status", flat=True)) == {"archived"}
    page.get_by_role("button", name="Undo").click()
    page.get_by_text("Undone").wait_for()
    assert set(Agent.objects.values_list("status", flat=True)) == {"active"}


def test_a_variable_called_like_a_built_in_one_is_refused_and_gets_no_second_button(guard, chromium, server):
    page = guard.page(chromium)
    page.goto(make_agent("Front desk").get_absolute_url())
    page.get_by_label("Your own variables").fill("caller_number = x")
    page.keyboard.press("Tab")
    page.get_by_text("“caller_number” is a built-in variable").wait_for()
    buttons = page.get_by_role("group", name="Insert a variable").first
    expect(buttons.get_by_role("button", name="caller_number")).to_have_count(1)


def test_what_was_typed_is_not_lost_to_a_copy_without_being_asked_about(guard, chromium, server):
    page = guard.page(chromium)
    page.goto(make_agent("Front desk").get_absolute_url())
    page.get_by_label("Description").fill("Answers at night")
    page.get_by_role("button", name="Duplicate").press("Enter")
    dialog = page.get_by_role("alertdialog", name="Leave without saving?")
    dialog.get_by_role("button", name="Stay").press("Enter")
    expect(page.get_by_label("Description")).to_have_value("Answers at night")
    assert Agent.objects.count() == 1
    page.get_by_role("button", name="Duplicate").press("Enter")
    dialog.get_by_role("button", name="Leave").press("Enter")
    page.get_by_text("Front desk (copy) is made").wait_for()
