"""What every page can use: asking, undoing, fields judged while one types, rows selected."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from agents.models import Agent
from tests.browser.conftest import PHONE
from tests.factories import make_agent


@pytest.fixture
def bench(page):
    for name in ("Ada", "Bea", "Cleo", "Dora"):
        make_agent(name)
    page.goto("/workbench/")
    return page


def test_rows_are_selected_and_archived_by_keyboard_and_brought_back(bench):
    bench.keyboard.press("j")
    bench.keyboard.press("j")
    expect(bench.get_by_role("link", name="Bea")).to_be_focused()
    bench.keyboard.press("x")
    expect(bench.get_by_text("1 selected")).to_be_visible()
    bench.get_by_label("Select Dora").click(modifiers=["Shift"])
    expect(bench.get_by_text("3 selected")).to_be_visible()
    bench.keyboard.press("Escape")
    expect(bench.locator(".vf-bulk")).to_be_hidden()
    bench.keyboard.press("X")
    bench.get_by_role("button", name="Archive").click()
    expect(bench.get_by_role("status").get_by_text("Archived")).to_be_visible()
    assert set(Agent.objects.values_list("status", flat=True)) == {"archived"}
    bench.wait_for_load_state()
    bench.keyboard.press("u")
    expect(bench.get_by_role("button", name="Undo")).to_be_focused()
    bench.wait_for_timeout(10_500)
    bench.keyboard.press("Enter")  # it has waited
    expect(bench.get_by_role("status").get_by_text("Brought back")).to_be_visible()
    assert set(Agent.objects.values_list("status", flat=True)) == {"active"}


def test_what_cannot_be_undone_is_asked_about_and_its_word_typed(bench):
    bench.get_by_label("Select Ada").check()
    bench.get_by_label("Select Bea").check()
    delete = bench.locator(".vf-bulk").get_by_role("button", name="Delete")
    delete.click()
    dialog = bench.get_by_role("alertdialog", name="Delete 2 agents?")
    expect(dialog).to_contain_text("This cannot be undone.")
    expect(dialog.get_by_role("button", name="Delete")).to_be_disabled()
    bench.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(delete).to_be_focused()
    assert Agent.objects.count() == 4
    delete.click()
    bench.keyboard.type("delete")
    bench.keyboard.press("Enter")
    expect(bench.get_by_role("status").get_by_text("Deleted")).to_be_visible()
    assert Agent.objects.count() == 2


def test_an_htmx_request_asks_too_and_brings_its_toast_along(bench):
    bench.get_by_role("button", name="Poke").click()
    dialog = bench.get_by_role("alertdialog", name="Poke it?")
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    bench.keyboard.press("Enter")
    expect(bench.locator("[data-toast]")).to_have_count(0)
    bench.get_by_role("button", name="Poke").click()
    dialog.get_by_role("button", name="Go on").click()
    expect(bench.get_by_role("status").get_by_text("Pöked")).to_be_visible()
    expect(bench.get_by_role("button", name="Undo")).to_be_visible()


def test_order_and_search_are_kept_together_in_the_address(bench):
    bench.get_by_role("link", name="Agent", exact=True).click()
    expect(bench).to_have_url(re.compile(r"\?sort=-name"))
    expect(bench.get_by_role("columnheader", name="Agent")).to_have_attribute("aria-sort", "descending")
    expect(bench.locator("#sort-name")).to_be_focused()
    bench.get_by_role("searchbox").type("a")
    expect(bench).to_have_url(re.compile(r"q=a.*sort=-name"))
    expect(bench.locator("tbody .vf-lead")).to_have_text(["Dora", "Bea", "Ada"])
    bench.reload()
    bench.get_by_role("link", name="Take off the filter Name: a").click()
    expect(bench.locator("tbody .vf-lead")).to_have_text(["Dora", "Cleo", "Bea", "Ada"])


def test_a_list_that_takes_its_time_is_drawn_as_bars_of_the_same_height(bench):
    height = bench.locator("table").bounding_box()["height"]
    bench.get_by_role("searchbox").type("slow")
    bench.wait_for_timeout(600)
    expect(bench.get_by_role("link", name="Ada")).to_be_hidden()
    assert bench.locator("table").bounding_box()["height"] == height
    expect(bench.locator("tbody tr")).to_have_count(0)


def test_a_field_is_judged_when_it_is_left_and_forgiven_as_soon_as_it_is_mended(page):
    page.goto("/workbench/form/")
    name, number = page.get_by_role("textbox", name="Name"), page.get_by_role("textbox", name="Number")
    name.press("Tab")
    page.wait_for_timeout(300)
    expect(page.locator(".vf-error")).to_have_count(0)  # nothing was typed yet
    number.type("many")
    name.type("a name too long for it")
    expect(page.get_by_text("Enter a whole number.")).to_be_visible()
    name.press("Tab")
    error = page.locator("#id_name_error")
    expect(error).to_contain_text("at most 10 characters")
    expect(name).to_have_attribute("aria-describedby", "id_name_helptext id_name_error")
    expect(name).to_have_attribute("aria-invalid", "true")
    name.fill("short")
    expect(error).to_have_count(0)
    expect(name).not_to_have_attribute("aria-invalid", "true")
    expect(page.get_by_text("Enter a whole number.")).to_be_visible()


def test_a_refused_form_names_its_faults_and_leads_to_them(page, guard):
    guard.expect("422")
    page.goto("/workbench/form/")
    page.get_by_role("textbox", name="Number").fill("many")
    page.keyboard.press("Control+s")
    expect(page.get_by_role("textbox", name="Name")).to_be_focused()
    page.get_by_role("alert").get_by_role("link", name="Number").click()
    expect(page.get_by_role("textbox", name="Number")).to_be_focused()
    expect(page.get_by_role("textbox", name="Number")).to_have_value("many")


def test_the_summary_of_a_refused_form_shrinks_as_its_fields_get_right_and_goes_with_the_last(page, guard):
    guard.expect("422")
    page.goto("/workbench/form/")
    name, number = page.get_by_role("textbox", name="Name"), page.get_by_role("textbox", name="Number")
    number.fill("many")
    page.keyboard.press("Control+s")
    summary = page.locator(".vf-refused")
    expect(summary.get_by_role("link")).to_have_count(2)
    expect(name).to_be_focused()
    name.type("a name too long for it")
    expect(summary.get_by_role("link").first).to_contain_text("Name: Ensure this value has at most 10")
    name.fill("short")
    expect(summary.get_by_role("link")).to_have_text(["Number: Enter a whole number."])
    number.fill("7")
    expect(summary).to_have_count(0)
    expect(number).to_be_focused()


def test_an_answer_that_is_given_up_while_it_comes_is_no_fault(page):
    page.add_init_script(
        "Response.prototype.json = () => Promise.reject(new DOMException('given up', 'AbortError'))"
    )
    page.goto("/workbench/form/")
    with page.expect_response("**validate=number"):
        page.get_by_role("textbox", name="Number").fill("many")
    page.wait_for_timeout(200)  # the guard hears of every error of the page


def test_unsaved_changes_are_left_only_on_purpose(page):
    page.goto("/workbench/form/")
    page.get_by_role("textbox", name="Name").fill("Ada")
    page.get_by_role("link", name="Elsewhere").click()
    dialog = page.get_by_role("alertdialog", name="Leave without saving?")
    expect(dialog.get_by_role("button", name="Stay")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("textbox", name="Name")).to_have_value("Ada")
    page.get_by_role("textbox", name="Name").fill("")
    page.get_by_role("textbox", name="Name").fill("Ada")
    asked = []
    page.on("dialog", lambda native: (asked.append(native.type), native.dismiss()))
    page.keyboard.press("Control+r")
    page.evaluate("location.href = '/'")
    page.wait_for_timeout(300)
    assert "beforeunload" in asked
    page.get_by_role("link", name="Elsewhere").click()
    dialog.get_by_role("button", name="Leave").click()
    page.wait_for_url("**/workbench/")


def test_what_was_typed_outlives_the_session(page, guard, server):
    guard.expect("401", "403")  # also for the field that was left
    page.goto("/workbench/form/")
    page.get_by_role("textbox", name="Name").fill("Ada")
    cookies = page.context.cookies()
    page.context.clear_cookies()
    page.get_by_role("button", name="Save").click()
    failure = page.locator("[data-failure]")
    expect(failure).to_contain_text("What you typed is still here")
    expect(failure.get_by_role("link", name="Sign in")).to_have_attribute("target", "_blank")
    expect(page.get_by_role("textbox", name="Name")).to_have_value("Ada")
    page.context.add_cookies([each for each in cookies if each["name"] == "sessionid"])
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status").get_by_text("Saved")).to_be_visible()


def test_a_form_that_is_sent_twice_while_the_server_is_asked_arrives_once(page, guard):
    posted = []

    def slowly(route):
        if route.request.method == "POST" and route.request.is_navigation_request():  # not to judge a field
            posted.append(route.request.url)
        page.wait_for_timeout(400)
        route.continue_()

    page.goto("/workbench/form/")
    page.get_by_role("textbox", name="Name").fill("Ada")
    page.route("**/session/**", slowly)
    page.route("**/workbench/form/", slowly)
    page.evaluate(
        "() => { const form = document.querySelector('main form[method=post]');"
        " form.requestSubmit();"
        " for (const ms of [100, 450, 600]) setTimeout(() => form.requestSubmit(), ms); }"
    )
    page.wait_for_timeout(2500)
    assert len(posted) == 1


def test_the_list_of_shortcuts_is_made_of_what_the_page_has(bench):
    bench.keyboard.press("?")
    dialog = bench.get_by_role("dialog", name="Keyboard shortcuts")
    for words in ("Live calls", "Edit", "Search", "Select the row with the focus"):
        expect(dialog.get_by_text(words, exact=True)).to_be_visible()
    bench.keyboard.press("Escape")
    bench.keyboard.press("e")
    bench.wait_for_url("**/workbench/form/")
    bench.keyboard.press("?")
    expect(dialog.get_by_text("Select the row with the focus")).to_be_hidden()


def test_a_telephone_shows_the_way_one_up(guard, chromium):
    page = guard.page(chromium, viewport=PHONE)
    page.goto("/workbench/")
    crumbs = page.get_by_role("navigation", name="Breadcrumbs")
    expect(crumbs.get_by_role("link", name="Bench")).to_be_visible()
    expect(crumbs.get_by_role("link", name="Tools")).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
