"""Webhooks in the browser: made, tested, and checked by the JavaScript that the page shows."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Server
from tests.fakes.webhook_receiver import Answer, Receiver, webhook_receiver
from tests.hooks.made import make_webhook
from voiceforge_site.hooks.models import Webhook
from voiceforge_site.hooks.signing import headers, new_secret

RUN = """async ([source, secret, headers, body]) => {
  const module = await import("data:text/javascript," + encodeURIComponent(source));
  try { return (await module.verified(secret, headers, body)).type; }
  catch (error) { return error.message; }
}"""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with webhook_receiver() as receiver:
        yield receiver


@pytest.fixture
def server(transactional_db, receiver, monkeypatch) -> Iterator[Server]:
    """One that may tell `receiver`."""
    monkeypatch.setitem(os.environ, "TOOL_PRIVATE_HOSTS", receiver.url.removeprefix("http://"))
    server = Server()
    server.start()
    yield server
    server.stop()


def test_a_webhook_is_made_and_its_test_verified_by_what_the_page_shows(
    receiver, guard, chromium, server
) -> None:
    page = guard.page(chromium)
    page.goto("/webhooks/new/")
    page.get_by_label("Name").fill("Our CRM")
    page.get_by_label("Address").fill(f"{receiver.url}/hook")
    page.get_by_text("A call is over").click()
    page.get_by_role("button", name="Create").click()
    secret = page.get_by_label("Secret of the webhook").input_value()
    source = page.locator(".vf-hook-wire pre", has_text="crypto.subtle").inner_text()
    receiver.secrets = [secret]
    page.get_by_role("link", name="Done").click()
    page.wait_for_load_state("networkidle")  # htmx is there
    receiver.answers.append(Answer(200, body=b"thank you"))
    page.get_by_role("button", name="Send a test").click()
    expect(page.get_by_text("The test was taken: 200")).to_be_visible()
    expect(page.locator("#tested")).to_contain_text("thank you")
    expect(page.locator("#results")).to_contain_text("test.ping")
    assert Webhook.objects.get().kinds == ["call.ended"]
    [received] = receiver.received
    assert received.genuine
    assert check(page, source, secret, received.headers, received.body) == "test.ping"
    assert "Not signed" in check(page, source, new_secret(), received.headers, received.body)
    assert "Not signed" in check(page, source, secret, received.headers, received.body + " ")
    late = headers([secret], uid="a", seconds=int(time.time()) - 400, body="{}")
    assert "too long ago" in check(page, source, secret, late, "{}")
    both = headers([new_secret(), secret], uid="a", seconds=int(time.time()), body='{"type": "x"}')
    assert check(page, source, secret, both, '{"type": "x"}') == "x"


def check(page, source: str, secret: str, told: dict[str, str], body: str) -> str:
    """By the sample of the page, on a page that lets modules in from anywhere."""
    other = page.context.browser.new_page()
    other.route("http://localhost/", lambda route: route.fulfill(content_type="text/html", body="<p>Blank"))
    other.goto("http://localhost/")
    found = other.evaluate(RUN, [source, secret, told, body])
    other.close()
    return found


def test_a_secret_is_made_anew_only_after_a_question(guard, chromium, server) -> None:
    webhook = make_webhook()
    page = guard.page(chromium)
    page.goto(webhook.get_absolute_url())
    page.get_by_role("button", name="Make a new secret").click()
    page.get_by_role("button", name="Cancel").click()
    webhook.refresh_from_db()
    assert not webhook.previous_secret
    page.get_by_role("button", name="Make a new secret").click()
    page.get_by_role("button", name="Make it").click()
    page.get_by_label("Secret of the webhook").wait_for()
    webhook.refresh_from_db()
    assert webhook.both_sign
