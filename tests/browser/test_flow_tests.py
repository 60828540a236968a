"""A flow's test is written by keyboard, run, and kept in the way of a draft that fails it."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from agents.flows.actions import create_flow, require_tests
from agents.models import Flow
from tests.agents.flow.samples import edge, flow, node

SHOP = flow(
    node("hello", "say", text="Sales or support?"),
    node("sales", "end_call", label="Sales", message="Goodbye."),
    node("person", "phone_transfer", label="Support", phoneNumber="+14155550111"),
    edge("hello", "sales", keys="1"),
    edge("hello", "person", keys="2", otherwise=False),
)


def _added(page: Page, does: str, words: str, at: str) -> None:
    page.get_by_role("button", name="Add a turn").press("Enter")
    row = page.locator("[data-rows=turns] [data-row-item]").last
    row.get_by_label("Caller", exact=True).select_option(does)
    row.get_by_label("Words or keys").fill(words)
    row.get_by_label("Then the call is at").fill(at)


def test_a_test_is_written_run_and_asked_for_before_publishing(guard, chromium, server):
    made = require_tests(flow=create_flow(graph=SHOP, name="Shop", by="alice"), required=True)
    page = guard.page(chromium)
    page.goto("/flows/shop/tests/new/")
    page.get_by_label("Name", exact=True).fill("Support by keypad")
    _added(page, "keys", "1", "Support")
    _added(page, "say", "hello", "")
    page.get_by_role("button", name="Remove this turn").last.press("Enter")
    page.get_by_role("button", name="Save").press("Enter")
    page.wait_for_url("**/tests/")

    page.get_by_role("button", name="Run all").press("Enter")
    expect(page.get_by_text("expected the call to be at “Support”; it was at “Sales”.")).to_be_visible()
    expect(page.get_by_role("status").filter(has_text="0 passed, 1 failed, 0 to be run")).to_be_visible()
    assert Flow.objects.get(pk=made.pk).draft["tests"][0]["turns"] == [
        {}, {"keys": "1", "expect": {"node": "Support"}}
    ]  # fmt: skip

    page.get_by_role("link", name="Support by keypad").click()
    page.wait_for_url("**/tests/0/")
    page.locator("[data-row-item]").nth(1).get_by_label("Words or keys").fill("2")
    page.keyboard.press("Control+s")
    page.wait_for_url("**/tests/")
    page.get_by_role("link", name="Shop").click()
    page.locator("#flow[data-ready]").wait_for()
    page.get_by_role("button", name="Publish", exact=True).first.click()
    expect(page.get_by_text("1 passed, 0 failed, 0 to be run")).to_be_visible()
    page.locator("[data-publish-now]").click()
    expect(page.get_by_text("Version 1 is live: new calls follow it")).to_be_visible()
