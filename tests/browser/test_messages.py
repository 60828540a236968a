"""Messages seen to in a real browser: several at once, with a way back, and filtered by the address."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from telephony.models import CallMessage
from telephony.session.events import MessageTaken
from tests.factories import ended, make_agent, make_call, spoken


@pytest.fixture
def messages(page: Page) -> Page:
    """Ann, Bert and Carl have each left one."""
    agent = make_agent("Front desk")
    for name in ("Carl", "Bert", "Ann"):
        taken = MessageTaken(
            name=name, number="4155550132", number_confirmed=True, words="Call me.", complete=True
        )
        make_call(agent, ended([*spoken([("Hi", "Hello")]), taken]))
    page.goto("/calls/messages/")
    return page


def test_several_are_done_at_once_and_that_is_undone(messages: Page) -> None:
    messages.get_by_label("Select the message of Ann").check()
    messages.get_by_label("Select the message of Carl").check()
    messages.locator(".vf-bulk").get_by_role("button", name="Mark as done").click()
    expect(messages.get_by_role("status").get_by_text("2 messages are done")).to_be_visible()
    expect(messages.locator("tr[data-row]")).to_have_count(1)
    messages.locator("[data-toast]").get_by_role("button", name="Undo").click()
    expect(messages.get_by_role("status").get_by_text("Undone")).to_be_visible()
    expect(messages.locator("tr[data-row]")).to_have_count(3)


def test_the_address_keeps_which_are_shown(messages: Page) -> None:
    messages.locator("tr[data-row]", has_text="Bert").get_by_role("button", name="Mark as done").click()
    expect(messages.locator("tr[data-row]")).to_have_count(2)
    messages.wait_for_load_state("networkidle")
    messages.locator(".vf-segments").get_by_text("Done").click()
    expect(messages.locator("tr[data-row]")).to_have_count(1)
    expect(messages.locator("tr[data-row]")).to_contain_text("Done by alice")
    assert "state=done" in messages.url
    messages.reload()
    expect(messages.get_by_role("radio", name="Done")).to_be_checked()
    messages.get_by_role("button", name="Open again").first.click()
    expect(messages.get_by_text("No message is done yet")).to_be_visible()
    assert CallMessage.objects.filter(done_at=None).count() == 3


def test_deleting_is_asked_about(messages: Page) -> None:
    messages.get_by_label("Select all on this page").check()
    delete = messages.locator(".vf-bulk").get_by_role("button", name="Delete")
    delete.click()
    dialog = messages.get_by_role("alertdialog", name="Delete 3 messages?")
    expect(dialog).to_contain_text("The calls stay")
    messages.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    assert CallMessage.objects.count() == 3
    delete.click()
    dialog.get_by_role("button", name="Delete").click()
    expect(messages.get_by_role("status").get_by_text("3 messages deleted")).to_be_visible()
    expect(messages.get_by_text("No messages yet")).to_be_visible()
