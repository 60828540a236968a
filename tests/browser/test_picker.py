"""Countries are searched as one types, by the keyboard alone."""

from __future__ import annotations

from playwright.sync_api import expect

from telephony.credentials import save_credential
from tests.factories import make_agent


def test_countries_are_found_by_name_and_code_and_taken_off_again(guard, chromium, server):
    account = save_credential(provider="twilio", account="AC1", secret="x", label="Main")
    page = guard.page(chromium)
    page.goto(account.get_absolute_url())
    field = page.get_by_role("combobox", name="Countries that may be called")
    field.press_sequentially("germ")
    field.press("Enter")
    field.press_sequentially("ocean")  # in the middle of a name
    expect(page.get_by_role("option").first).to_be_visible()
    field.press("Escape")
    field.fill("")
    field.press_sequentially("cote d")  # an apostrophe and an accent, which nobody types
    field.press("ArrowDown")
    field.press("ArrowUp")
    field.press("Enter")
    field.press_sequentially("+44")
    expect(page.get_by_role("option", name="United Kingdom +44")).to_be_visible()
    field.fill("gb")
    page.get_by_role("option", name="United Kingdom +44").click()
    expect(page.get_by_role("button", name="Remove United Kingdom +44")).to_be_visible()
    page.get_by_role("button", name="Remove Germany +49").click()
    field.press("Backspace")
    field.fill("nowhere")
    expect(page.get_by_text("No country matches")).to_be_visible()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Main is saved")).to_be_visible()
    account.refresh_from_db()
    assert account.countries == ["CI"]


def test_the_country_that_is_chosen_begins_the_number_and_the_number_tells_its_country(
    guard, chromium, server
):
    make_agent()
    account = save_credential(provider="twilio", account="AC1", secret="x", label="Main")
    account.numbers.create(number="+14155550123")
    page = guard.page(chromium)
    page.goto("/calls/dial/")
    country, number = page.get_by_role("combobox", name="Country"), page.get_by_role("textbox", name="Number")
    country.press_sequentially("germ")
    country.press("Enter")
    expect(number).to_have_value("+49 ")
    expect(number).to_be_focused()
    country.fill("austria")
    country.press("Enter")
    expect(number).to_have_value("+43 ")
    number.fill("+44 20 7123 4567")
    expect(country).to_have_value("United Kingdom +44")
