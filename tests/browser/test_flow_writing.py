"""A flow is written from a description, and changed by words."""

from __future__ import annotations

import json
import os

import pytest
from playwright.sync_api import expect

from agents.models import Flow
from tests.agents.flows.test_generation import Writer, answer, step, way
from tests.browser.conftest import Server

SHOP = answer(
    step("hello", "say", text="Bicycles Miller. Repair or sale?"),
    step("sale", "phone_transfer", phoneNumber="+14155550111"),
    step("repair", "end_call", message="We call you back."),
    way("hello", "sale", keys="1", examples=["I want to buy a bicycle"]),
    way("hello", "repair", keys="2", examples=["my bicycle is broken"]),
    name="Bicycle shop",
)


@pytest.fixture
def writer():
    writer = Writer(SHOP)
    with writer.served() as url:
        writer.url = url
        yield writer


@pytest.fixture
def server(transactional_db, writer, monkeypatch):
    monkeypatch.setitem(os.environ, "AI_INTEGRATIONS_OPENAI_API_KEY", "key")
    monkeypatch.setitem(os.environ, "AI_INTEGRATIONS_OPENAI_BASE_URL", writer.url)
    server = Server()
    server.start()
    yield server
    server.stop()


def test_a_flow_is_described_looked_at_kept_and_changed(guard, chromium, server, writer):
    page = guard.page(chromium)
    page.goto("/flows/generate/")
    page.get_by_role("button", name="Bicycle shop").click()
    page.get_by_label("What is the flow to do?").press("Control+Enter")
    expect(page.get_by_role("heading", name="Bicycle shop")).to_be_visible()
    expect(page.locator(".react-flow__node")).to_have_count(3)
    expect(page.get_by_role("status").filter(has_text="Written in")).to_contain_text("1000 tokens")
    page.reload()
    expect(page.locator(".react-flow__node")).to_have_count(3)
    page.get_by_role("button", name="Keep as a draft").click()
    page.wait_for_url("**/flows/bicycle-shop/")
    page.locator("#flow[data-ready]").wait_for()

    writer.answers = [(json.dumps(SHOP).replace("Repair or sale?", "What can we do for you?"), "stop")]
    page.get_by_role("button", name="Change by words").click()
    page.get_by_label("What is to be different").fill("Ask openly.")
    page.get_by_role("button", name="Write it").click()
    expect(page.get_by_role("heading", name="What would differ")).to_be_visible()
    assert "Repair or sale?" in json.dumps(Flow.objects.get().draft)
    page.get_by_role("button", name="Change it so").click()
    expect(page.locator("[data-flow-state]")).to_have_text("Saved")
    assert "What can we do for you?" in json.dumps(Flow.objects.get().draft)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator('.react-flow__node[data-id="hello"]')).to_contain_text("Repair or sale?")
