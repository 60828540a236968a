"""The history in a browser: columns, words that can be heard, a call played back."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from telephony import search
from tests.factories import ended, make_agent, make_call, make_recording, spoken

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
    expect(lines).to_have_count(0)
    expect(page.locator("[data-end-reason]")).to_be_hidden()
    page.get_by_label("Speed").select_option("8")
    page.get_by_role("button", name="Play or pause the replay").click()
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
