"""The settings of an agent, tried in a real browser before they are saved; and the list's bulk actions."""

from __future__ import annotations

import re

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
