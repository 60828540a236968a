"""A draft is tried with tools that are called in earnest."""

from __future__ import annotations

import os

import pytest
from playwright.sync_api import expect

from agents.flows.actions import create_flow
from agents.models import Flow, Tool
from tests.agents.flow.samples import edge, flow, node
from tests.browser.conftest import Server

BOOKING = flow(
    node("who", "gather", prompt="How many are you?", variable="guests", kind="number", confirm="never"),
    node("book", "tool", toolName="book", parameters={"guests": "{{guests}}"}),
    node("no", "say", text="No table for {{guests}}. How many then?"),
    node("yes", "end_call", message="Booked as {{number}}."),
    edge("who", "book", outcome="done"),
    edge("who", "yes", outcome="failed"),
    edge("book", "yes", outcome="success"),
    edge("book", "no", outcome="failure"),
    edge("no", "who"),
    start="who",
    variables=[{"name": "number"}],
)


@pytest.fixture
def server(transactional_db, other, monkeypatch):
    """One that may call the tools of `other`."""
    monkeypatch.setitem(os.environ, "TOOL_PRIVATE_HOSTS", other.url.removeprefix("http://"))
    server = Server()
    server.start()
    yield server
    server.stop()


def test_a_tool_is_called_once_whatever_is_played_again_and_each_answer_is_kept(guard, chromium, other):
    other.answer("/book", {"why": "full"}, status=409)
    other.answer("/book", {"number": "B7"})
    other.answer("/book", {"why": "full"}, status=409)
    Tool.objects.create(
        name="book",
        method="POST",
        url=f"{other.url}/book",
        parameters={"type": "object", "properties": {"guests": {"type": "integer"}}},
        results={"number": "number"},
    )
    made = create_flow(graph=BOOKING, name="Tables", by="alice")
    page = guard.page(chromium)
    page.goto("/flows/tables/")
    page.locator("#flow[data-ready]").wait_for()
    page.keyboard.press("t")
    page.get_by_label("Ask tools in earnest").check()
    words = page.get_by_role("textbox", name="What the caller says")
    for said, answer in (("nine", "No table for nine."), ("four", "Booked as B7.")):
        words.fill(said)
        words.press("Enter")
        expect(page.locator(".vf-try")).to_contain_text(answer)
    for said in ("eight", "nine"):
        page.get_by_role("button", name="Change what was said here").first.click()
        page.get_by_role("textbox", name="Change what was said here").fill(said)
        page.keyboard.press("Enter")
        expect(page.locator(".vf-try")).to_contain_text(f"No table for {said}.")
    assert len(other.asked) == 3, "nine, four, and eight, once each"
    page.get_by_role("button", name="Keep as a test").click()
    expect(page.locator("[data-flow-state]")).to_have_text("Saved")
    (test,) = Flow.objects.get(pk=made.pk).draft["tests"]
    assert [(each["ok"], each["values"]) for each in test["tools"]["book"]] == [
        (False, {}),
        (True, {"number": "B7"}),
    ]
