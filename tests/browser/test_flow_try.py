"""A draft is tried beside its canvas."""

from __future__ import annotations

from playwright.sync_api import expect

from agents.flows.actions import create_flow
from agents.models import Flow
from tests.agents.flow.samples import MENU


def test_a_conversation_is_had_changed_and_kept_as_a_test(guard, chromium, server):
    variables = [{"name": "clinic", "initial": "the shop"}]
    made = create_flow(graph={**MENU, "variables": variables}, name="Shop", by="alice")
    page = guard.page(chromium)
    page.goto("/flows/shop/")
    page.locator("#flow[data-ready]").wait_for()
    page.keyboard.press("t")
    expect(page.get_by_text("Hello from the shop. Sales or support?").last).to_be_visible()
    words = page.get_by_role("textbox", name="What the caller says")
    words.fill("sales please")
    words.press("Enter")
    expect(page.locator('.react-flow__node[data-id="age"]')).to_contain_text("Now")
    expect(page.get_by_role("button", name="Examples (")).to_contain_text("ahead by")
    words.fill("twelve")
    words.press("Enter")
    expect(page.locator(".vf-try")).to_contain_text("Come back later.")
    expect(page.get_by_text("The agent has hung up.")).to_be_visible()

    page.get_by_role("button", name="Change what was said here").last.click()
    page.get_by_role("textbox", name="Change what was said here").fill("forty")
    page.keyboard.press("Enter")
    expect(page.locator(".vf-try")).to_contain_text("forty it is. Goodbye.")
    expect(page.locator(".vf-try-variables")).to_contain_text("40")
    page.get_by_role("button", name="Keep as a test").click()
    expect(page.locator("[data-flow-state]")).to_have_text("Saved")
    (test,) = Flow.objects.get(pk=made.pk).draft["tests"]
    assert test["name"] == "sales please"
    assert test["turns"][2] == {
        "say": "forty",
        "expect": {"node": "bye", "edge": "old>bye", "variables": {"age": 40}, "ended": True},
    }


def test_who_is_quicker_than_the_agent_is_heard_when_it_is_done(guard, chromium, server):
    create_flow(
        graph={**MENU, "variables": [{"name": "clinic", "initial": "the shop"}]}, name="Shop", by="alice"
    )
    page = guard.page(chromium)
    held = []
    page.route("**/flows/shop/try/", lambda route: held.append(route))
    page.goto("/flows/shop/")
    page.locator("#flow[data-ready]").wait_for()
    page.keyboard.press("t")
    words = page.get_by_role("textbox", name="What the caller says")
    words.fill("sales please")
    words.press("Enter")
    words.press("Enter")
    (greeting,) = held
    greeting.continue_()
    page.unroute("**/flows/shop/try/")
    expect(page.locator('.react-flow__node[data-id="age"]')).to_contain_text("Now")
    expect(page.locator(".vf-try-caller")).to_have_count(1)
