"""The history in a browser: columns, words that can be heard, a call played back."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from telephony import search
from telephony.models import CallNote
from tests.browser.conftest import PHONE
from tests.factories import ended, make_agent, make_call, make_past_call, make_recording, spoken

TURNS = [("When are you open on Saturday?", "From nine to one."), ("Thank you.", "You're welcome.")]


def test_columns_and_filters_change_the_list_and_the_address(guard, chromium, server):
    call = make_call(make_agent("Front desk"), ended(spoken(TURNS)))
    search.index(call.pk)
    page = guard.page(chromium)
    page.goto("/calls/")
    heads = page.get_by_role("columnheader")
    expect(heads.filter(has_text="Number called")).to_have_count(0)
    page.get_by_text("Columns").first.click()
    page.get_by_label("Number called").check()
    expect(heads.filter(has_text="Number called")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(page.get_by_label("Number called")).to_be_hidden()
    page.get_by_role("searchbox").fill("satur")
    expect(page.locator("mark")).to_have_text("Saturday")
    expect(page).to_have_url(re.compile(r"q=satur.*columns=callee"))
    page.get_by_label("Choose the call of").check()
    expect(page.get_by_text("1 selected")).to_be_visible()
    page.goto("/calls/")
    expect(heads.filter(has_text="Number called")).to_have_count(1)


def test_a_click_on_a_word_plays_from_it_and_the_words_are_followed(guard, chromium, server):
    call = make_call(make_agent("Front desk"), ended(spoken(TURNS)))
    make_recording(call, seconds=16)
    page = guard.page(chromium)
    page.goto(call.get_absolute_url())
    turn = page.locator(".vf-turn[data-who=caller]").first
    words = turn.locator(".vf-word")
    expect(words).to_have_count(6)
    assert turn.locator("[data-said]").inner_text() == TURNS[0][0]
    words.nth(3).click()
    expect(turn.locator(".vf-word[data-now]")).to_have_count(1)
    expect(words.last).to_have_attribute("data-now", "", timeout=5_000)
    page.keyboard.press("Space")
    place = page.locator("[data-position]")
    expect(place).to_have_text(re.compile("0:0[3-6]"))
    page.keyboard.press("ArrowRight")
    expect(place).to_have_text(re.compile("0:(0[89]|1[01])"))
    assert page.evaluate(
        """async () => {
          const script = document.querySelector('script[src$="js/call.js"]').src;
          const { wordTimes } = await import(script.replace("call.js", "words.js"));
          const spoken = Array(5).fill(9);
          const peaks = [...Array(10).fill(0), ...spoken, ...Array(10).fill(0), ...spoken];
          return wordTimes(["a", "b"], 1, 3, peaks, 10);
        }"""
    ) == [[1.0, 1.5], [2.5, 3.0]], "pauses are left out"


def test_a_replay_begins_with_nothing_and_ends_with_the_page_of_the_call(guard, chromium, server):
    call = make_call(make_agent("Front desk"), ended(spoken(TURNS)))
    page = guard.page(chromium)
    page.goto(call.get_absolute_url())
    expect(page.locator(".vf-turn")).to_have_count(5)
    whole = page.locator("[data-transcript]").inner_text()
    page.get_by_role("link", name="Replay").click()
    lines = page.locator(".vf-turn")
    expect(page.locator("[data-end-reason]")).to_be_hidden()
    expect(page.get_by_text("Without sound: there is no recording of this call.")).to_be_visible()
    expect(lines).to_have_count(1)  # it has started by itself
    page.get_by_label("Speed").select_option("8")
    expect(lines).to_have_count(5)
    expect(page.locator("[data-end-reason]")).to_have_text("The caller hung up")
    assert page.locator("[data-transcript]").inner_text() == whole
    page.get_by_label("Place in the call").fill("4.5")
    expect(lines).to_have_count(2)
    expect(page.locator("[data-end-reason]")).to_be_hidden()
    page.locator("h1").click()
    page.keyboard.press("ArrowRight")
    expect(page.locator("[data-position]")).to_have_text("0:09")
    expect(lines).to_have_count(3)


HEARD = """() => {
  const own = window.Audio;
  window.Audio = function (address) { return (window.sound = new own(address)); };
}"""


def recorded_call():
    call = make_call(make_agent("Front desk"), ended(spoken(TURNS)))
    make_recording(call, seconds=16)
    return call


def test_a_replay_waits_visibly_where_the_browser_gives_no_sound_and_plays_in_time_with_the_words(
    guard, chromium, server
):
    page = guard.page(chromium, viewport=PHONE)
    page.add_init_script(f"({HEARD})()")
    page.goto(recorded_call().get_absolute_url() + "?replay=1")
    play = page.get_by_role("button", name="Play the call")
    expect(play).to_be_in_viewport()
    expect(page.locator(".vf-turn")).to_have_count(0)
    assert page.locator("h1").evaluate("title => title.scrollWidth <= title.clientWidth")
    play.click()
    expect(play).to_be_hidden()
    expect(page.locator(".vf-turn[data-who=caller]")).to_have_count(1, timeout=10_000)
    place, paused = page.evaluate("[sound.currentTime, sound.paused]")
    shown = float(page.get_by_label("Place in the call").input_value())
    assert not paused and abs(place - shown) < 0.5
    page.get_by_label("Speed").select_option("4")
    expect(page.get_by_text("Without sound: nobody understands words at this speed.")).to_be_visible()
    assert page.evaluate("sound.paused")
    page.get_by_label("Speed").select_option("1")
    page.get_by_label("Place in the call").focus()
    page.keyboard.press("Space")
    expect(page.locator("[data-replay-bar] [data-when=paused]")).to_be_visible()


def test_a_replay_that_is_opened_from_its_call_starts_with_sound(guard, chromium, server):
    page = guard.page(chromium)
    page.add_init_script(f"({HEARD})()")
    page.goto(recorded_call().get_absolute_url())
    page.get_by_role("link", name="Replay").click()
    page.wait_for_url("**replay=1")
    expect(page.locator("[data-position]")).to_have_text("0:01")
    assert page.evaluate("sound.currentTime > 0.5 && !sound.paused")
    expect(page.get_by_role("button", name="Play the call")).to_be_hidden()


def test_a_recording_that_cannot_be_read_is_said_and_the_words_are_played_without(guard, chromium, server):
    guard.expect("404", "ERR")
    call = recorded_call()
    page = guard.page(chromium)
    page.route("**/recording.wav*", lambda route: route.fulfill(status=404))
    page.goto(call.get_absolute_url() + "?replay=1")
    expect(page.get_by_text("Without sound: the recording cannot be read.")).to_be_visible()
    expect(page.locator(".vf-turn")).to_have_count(1)


def test_the_words_of_a_call_are_one_stop_of_the_tab_key_and_walked_by_arrows(guard, chromium, server):
    page = guard.page(chromium)
    page.goto(recorded_call().get_absolute_url())
    word = page.locator(".vf-word[tabindex='0']")
    expect(word).to_have_count(1)
    page.get_by_role("button", name="0:00").focus()
    page.keyboard.press("Tab")
    expect(word).to_be_focused()
    expect(word).to_have_text("Hello,")
    page.keyboard.press("ArrowLeft")
    expect(word).to_have_text("Hello,")
    for key, text in (("ArrowDown", "When"), ("ArrowRight", "are"), ("End", "Saturday?"), ("Home", "When")):
        page.keyboard.press(key)
        expect(word).to_be_focused()
        expect(word).to_have_text(text)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.locator(".vf-turn[data-who=caller] .vf-word[data-now]")).to_have_count(1)
    paused = page.locator("[data-player] [data-when=paused]")
    expect(paused).to_be_hidden()
    page.keyboard.press("Space")
    expect(paused).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="0:05")).to_be_focused()
    page.get_by_role("link", name="Front desk").focus()
    page.keyboard.press("Space")
    expect(paused).to_be_hidden()
    page.get_by_label("Write a note").focus()
    page.keyboard.press("Space")
    expect(page.get_by_label("Write a note")).to_have_value(" ")
    expect(paused).to_be_hidden()


def test_a_note_that_is_being_typed_is_guarded_and_outlives_what_happens_around_it(guard, chromium, server):
    call = make_call(make_agent("Front desk"), ended(spoken(TURNS)))
    CallNote.objects.create(call=call, author="alice", text="Rang back")
    page = guard.page(chromium)
    page.goto(call.get_absolute_url())
    note = page.get_by_label("Write a note")
    note.fill("Half a sentence")
    page.get_by_role("link", name="Messages").click()
    expect(page.get_by_role("alertdialog", name="Leave without saving?")).to_be_visible()
    page.keyboard.press("Enter")  # Stay
    page.get_by_label("Add tags, with commas between").fill("Lead, paid")
    page.keyboard.press("Enter")
    expect(page.locator("#call-tags .vf-label")).to_have_text(["Lead", "paid"])
    page.get_by_role("button", name="Delete note").click()
    expect(page.get_by_text("No notes.")).to_be_visible()
    expect(note).to_have_value("Half a sentence")
    page.get_by_role("link", name="Messages").click()
    expect(page.get_by_role("alertdialog", name="Leave without saving?")).to_be_visible()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Add note").click()
    expect(page.locator(".vf-notes p")).to_have_text("Half a sentence")
    expect(note).to_have_value("")
    page.get_by_role("link", name="Messages").click()
    page.wait_for_url("**/calls/messages/")


def test_a_filter_that_was_not_understood_is_marked_and_led_to(guard, chromium, server):
    make_past_call(make_agent("Front desk"))
    page = guard.page(chromium)
    page.goto("/calls/?longer=abc&from=31.31.")
    field = page.get_by_role("textbox", name="Duration at least")
    expect(field).to_be_hidden()
    page.get_by_role("link", name="Duration at least").click()
    expect(field).to_be_focused()
    expect(field).to_have_value("abc")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_accessible_description(re.compile("minutes:seconds.*“abc” is no duration"))
    field.fill("0:01")
    field.press("Tab")
    expect(page.locator("[data-misread]")).to_have_count(0)
    expect(field).not_to_have_attribute("aria-invalid", "true")


def test_whatever_is_typed_into_the_palette_can_be_searched_for_in_calls(guard, chromium, server):
    make_past_call(make_agent("Front desk"), "Where can I park my bicycle?")
    page = guard.page(chromium)
    page.goto("/")
    page.keyboard.press("Control+k")
    page.keyboard.type("bicycle")
    expect(page.get_by_role("option", name="Search calls for “bicycle”")).to_be_visible()
    page.keyboard.press("Enter")
    page.wait_for_url("**/calls/?q=bicycle")
    expect(page.locator("mark")).to_have_text("bicycle")


def test_enter_counts_from_the_moment_that_an_answer_shows_in_the_palette(guard, chromium, server):
    page = guard.page(chromium)
    page.goto("/")
    page.keyboard.press("Control+k")
    page.evaluate(
        """() => new MutationObserver(() => {
             if (!document.querySelector("#palette-list [data-found-for=bicycle]")) return;
             const enter = {key: "Enter", bubbles: true, cancelable: true};
             document.querySelector("#palette input").dispatchEvent(new KeyboardEvent("keydown", enter));
           }).observe(document.getElementById("palette-list"), {childList: true})"""
    )
    page.keyboard.type("bicycle")
    page.wait_for_url("**/calls/?q=bicycle")
