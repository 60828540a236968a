"""The shell by keyboard and by thumb."""

from __future__ import annotations

import re
from base64 import b64encode

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE
from tests.factories import make_agent, make_call, spoken


def test_the_palette_leads_to_an_agent_without_a_mouse(page):
    make_agent("Front desk", slug="front-desk")
    page.goto("/")
    page.keyboard.press("Control+k")
    expect(page.get_by_role("combobox")).to_be_focused()
    page.keyboard.type("talk to fr")
    page.keyboard.press("Enter")  # before the answer has come
    page.wait_for_url("**/agents/front-desk/talk/")
    page.keyboard.press("Control+k")
    chosen_lately = page.locator("#palette [role=option]").first
    expect(chosen_lately).to_contain_text("Talk to Front desk")
    page.keyboard.type("front")
    expect(page.get_by_role("group", name="Agents").get_by_role("option")).to_have_text(["Front desk"])


def test_the_palette_finds_a_call_by_its_number(page):
    call = make_call(make_agent("Front desk"), spoken([]), caller="+14155550132")
    make_call(make_agent("Hotel"), spoken([]), caller="+442079460000")
    page.goto("/agents/")
    page.keyboard.press("Control+k")
    page.keyboard.type("(415) 555")
    expect(page.locator('[data-found-for="(415) 555"]')).to_have_count(1)  # and not what is half typed
    expect(page.get_by_role("option")).to_have_text(
        [re.compile("Call of"), re.compile("Search calls for “.415. 555”")]
    )
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{call.get_absolute_url()}")


def test_the_palette_offers_a_search_at_least_says_when_nobody_answers_and_closes_with_escape(page, guard):
    guard.expect("ERR_FAILED", "htmx:")
    page.goto("/agents/")
    page.keyboard.press("Control+k")
    page.keyboard.type("zzz")
    expect(page.get_by_role("option")).to_have_text(["Search calls for “zzz”"])
    page.route("**/palette/?*", lambda route: route.abort())
    page.keyboard.type("z")
    expect(page.locator("#palette").get_by_role("alert")).to_contain_text("The server does not answer")
    page.unroute("**/palette/?*")
    page.keyboard.press("Control+a")
    page.keyboard.type("live")
    expect(page.get_by_role("option").first).to_have_text(re.compile("Live calls"))
    page.keyboard.press("Escape")
    expect(page.locator("#palette")).to_be_hidden()


def test_arrows_choose_in_the_palette(page):
    page.goto("/agents/")
    page.keyboard.press("Control+k")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/calls/dial/")


@pytest.mark.parametrize(
    "keys, leads_to",
    [
        ("gl", "/calls/live/"),
        ("gh", "/calls/"),
        ("gm", "/calls/messages/"),
        ("go", "/"),
        ("n", "/agents/new/"),
    ],
)
def test_shortcuts_lead_to_pages(page, server, keys, leads_to):
    page.goto("/agents/")
    for key in keys:
        page.keyboard.press(key)
    page.wait_for_url(server.url + leads_to)


def test_shortcuts_are_letters_while_typing(page):
    page.goto("/agents/")
    page.keyboard.press("/")
    search = page.get_by_role("searchbox")
    expect(search).to_be_focused()
    page.keyboard.type("ngl?")
    expect(search).to_have_value("ngl?")
    assert "/agents/" in page.url


def test_the_first_stop_skips_the_menu(page):
    page.goto("/agents/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()


def test_the_chosen_theme_is_there_before_anything_is_drawn(page, guard):
    guard.expect("ERR_FAILED")
    page.goto("/")
    page.get_by_role("button", name="Switch between light and dark").click()
    page.context.route("**/*.js", lambda route: route.abort())
    page.goto("/agents/", wait_until="commit")
    page.wait_for_selector("html[data-theme=dark]", state="attached")


def test_the_menu_is_a_drawer_on_a_telephone(guard, chromium):
    page = guard.page(chromium, viewport=PHONE)
    page.goto("/")
    menu = page.get_by_role("navigation", name="Main")
    expect(menu).to_be_hidden()
    page.get_by_role("button", name="Open menu").click()
    expect(menu).to_be_visible()
    page.keyboard.press("Escape")
    expect(menu).to_be_hidden()
    expect(page.get_by_role("button", name="Open menu")).to_be_focused()


def test_the_menu_counts_calls_that_began_and_ended_since_the_page_was_opened(page):
    page.clock.install()
    page.goto("/agents/")
    count = page.locator("[data-live-count]")
    expect(count).to_be_hidden()
    call = make_call(make_agent(), spoken([]))
    page.clock.run_for(15_000)
    expect(count).to_have_text("1")
    expect(count).to_be_visible()
    call.delete()
    page.clock.run_for(15_000)
    expect(count).to_be_hidden()


def test_the_state_of_services_is_told_to_screen_readers_when_it_changes(page):
    page.clock.install()
    page.goto("/")
    told = page.locator("#services-told")
    expect(told).to_contain_text("Not ready: Speech and language models")
    changes = page.evaluate_handle(
        """() => {
          const changes = [];
          const watcher = new MutationObserver((found) => changes.push(...found));
          watcher.observe(document.getElementById("services-told"), {childList: true, subtree: true});
          return changes;
        }"""
    )
    with page.expect_response("**/services/"):
        page.clock.run_for(15_000)
    page.wait_for_timeout(200)
    assert changes.evaluate("changes => changes.length") == 0
    page.route("**/services/", lambda route: route.fulfill(body="<span hidden data-told>All well</span>"))
    page.clock.run_for(15_000)
    expect(told).to_have_text("All well")


def test_searching_keeps_the_focus_and_goes_back(page):
    make_agent("Front desk")
    make_agent("Hotel concierge")
    page.goto("/agents/")
    page.get_by_role("searchbox").fill("hotel")  # in one go: each pause is a step back
    expect(page.get_by_role("link", name="Front desk")).to_be_hidden()
    expect(page.locator("#count-all")).to_have_text("1")
    expect(page.get_by_role("searchbox")).to_be_focused()
    expect(page).to_have_url(re.compile(r"\?q=hotel"))
    page.go_back()
    expect(page.get_by_role("link", name="Front desk")).to_be_visible()
    page.keyboard.press("Escape")
    page.locator("#main").focus()
    page.keyboard.press("Control+k")
    expect(page.get_by_role("combobox")).to_be_focused(), "the shell lives on"


def test_leaving_a_changed_form_asks_first(page):
    agent = make_agent("Front desk")
    page.goto(agent.get_absolute_url())
    page.get_by_label("Name", exact=True).fill("Reception")
    page.get_by_role("link", name="Call history").click()
    page.get_by_role("alertdialog", name="Leave without saving?").get_by_role("button", name="Stay").click()
    assert page.url.endswith(agent.get_absolute_url())
    expect(page.get_by_label("Name", exact=True)).to_have_value("Reception")
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.reload()
    assert asked == ["beforeunload"]


def test_a_fact_is_added_and_saved_by_keyboard(page):
    agent = make_agent("Front desk", facts=[])
    page.goto(agent.get_absolute_url())
    page.get_by_role("button", name="Add a fact").press("Enter")
    page.keyboard.type("Prices")
    page.get_by_label("Answer, as it is spoken").fill("A first visit is fifty dollars.")
    page.keyboard.press("Control+s")
    expect(page.get_by_role("status").get_by_text("Front desk saved")).to_be_visible()
    agent.refresh_from_db()
    assert [fact["topic"] for fact in agent.facts] == ["Prices"]


def test_a_refused_form_puts_the_focus_where_the_fault_is(page, guard):
    guard.expect("422")
    agent = make_agent("Front desk")
    page.goto(agent.get_absolute_url())
    page.get_by_label("Transfer callers to").fill("reception")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Write the number with its country code").last).to_be_visible()
    expect(page.get_by_label("Transfer callers to")).to_be_focused()


def test_a_fact_that_was_removed_does_not_come_back_with_a_refused_form(page, guard):
    guard.expect("422")
    agent = make_agent("Front desk")
    page.goto(agent.get_absolute_url())
    rows = page.locator("[data-fact] > details:visible")
    before = rows.count()
    topic = rows.first.locator("summary b").inner_text()
    rows.first.locator("summary").first.click()
    page.get_by_role("button", name="Remove").first.click()
    page.get_by_label("Transfer callers to").fill("reception")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Write the number with its country code").last).to_be_visible()
    expect(rows).to_have_count(before - 1)
    page.get_by_label("Transfer callers to").fill("")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status").get_by_text("Front desk saved")).to_be_visible()
    agent.refresh_from_db()
    assert topic not in [fact["topic"] for fact in agent.facts]


DRAWN = "selector => getComputedStyle(document.querySelector(selector)).backgroundColor"
# How far the most colourful pixel of a picture is from grey, 0..255.
COLOURS = """async (picture) => {
  const bytes = Uint8Array.from(atob(picture), (letter) => letter.charCodeAt(0));
  const image = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
  const canvas = new OffscreenCanvas(image.width, image.height).getContext("2d");
  canvas.drawImage(image, 0, 0);
  const { data } = canvas.getImageData(0, 0, image.width, image.height);
  let most = 0;
  for (let at = 0; at < data.length; at += 4) {
    const [red, green, blue] = data.slice(at, at + 3);
    most = Math.max(most, Math.max(red, green, blue) - Math.min(red, green, blue));
  }
  return most;
}"""


@pytest.mark.parametrize(
    ("theme", "field", "chosen"),
    [
        ("light", "rgb(255, 255, 255)", "rgb(24, 24, 27)"),
        ("dark", "rgb(15, 15, 18)", "rgb(244, 244, 246)"),
    ],
)
def test_native_controls_are_drawn_in_the_colours_of_the_theme(guard, chromium, theme, field, chosen):
    make_agent("Front desk")
    page = guard.page(chromium, theme=theme)
    page.goto("/agents/?q=front")
    box = "[data-bulk-item]"
    assert page.evaluate(DRAWN, box) == field
    page.locator(box).check()
    assert page.evaluate(DRAWN, box) == chosen
    search = page.get_by_role("searchbox")
    search.hover()  # which shows the cross
    picture = b64encode(search.screenshot()).decode()
    assert page.evaluate(COLOURS, picture) < 40  # greys: the browser's own cross is blue
    expect(page.locator(".vf-search kbd")).to_be_hidden()  # the cross stands there
