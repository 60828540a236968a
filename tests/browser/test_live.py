"""Pages that follow calls: what they do while the server is away, and when it is back."""

from __future__ import annotations

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from telephony.eventlog import Happening, store
from telephony.session.events import CallerSaid, OperatorTookOver
from tests.browser.conftest import PHONE, Server
from tests.factories import make_agent, make_call, measured, served_by_a_fallback, spoken

# What a browser says of a server that stops, perhaps in the middle of an answer.
NO_ANSWER = ("htmx:sendError", "htmx:afterRequest")  # to what was asked as the server went
SERVER_GONE = ("ERR_CONNECTION", "ERR_EMPTY_RESPONSE", "ERR_INCOMPLETE", "WebSocket connection", *NO_ANSWER)
TURNS = [("When are you open?", "From eight to six.")]


@pytest.fixture
def server(transactional_db):
    """One of its own, which can be stopped."""
    server = Server()
    server.start()
    yield server
    server.stop()


def caller_said(turn: int, text: str) -> CallerSaid:
    return CallerSaid(
        at_seconds=turn * 5.0,
        turn=turn,
        text=text,
        start_seconds=turn * 5.0,
        end_seconds=turn * 5.0 + 1,
        confidence=1.0,
        language="en",
    )


def test_what_happened_while_the_server_was_away_is_told_once(guard, chromium, server):
    guard.expect(*SERVER_GONE)
    call = make_call(make_agent("Front desk"), spoken(TURNS))
    page = guard.page(chromium)
    page.goto(call.get_absolute_url())
    lines = page.locator(".vf-turn")
    expect(lines).to_have_count(3)
    away = page.get_by_text("The server does not answer")
    expect(away).to_be_hidden()

    server.stop()
    expect(away).to_be_visible()
    expect(page.get_by_role("button", name="Hang up")).to_be_disabled()
    store([Happening(call.pk, caller_said(turn, f"number {turn}"), timezone.now()) for turn in (2, 3)])

    server.start()
    expect(away).to_be_hidden(timeout=30_000)
    expect(lines).to_have_count(5)
    assert lines.all_inner_texts()[-1].endswith("number 3")
    expect(page.get_by_role("button", name="Hang up")).to_be_enabled()
    expect(page.locator("[data-event-count]")).to_have_text(str(call.last_seq + 2))


def test_what_a_page_could_not_load_is_asked_for_again(guard, chromium, server):
    guard.expect(*SERVER_GONE, "ERR_FAILED")
    call = make_call(make_agent("Front desk"), spoken(TURNS))
    page = guard.page(chromium)
    held = []
    page.route("**/notes/", lambda route: held.append(route), times=1)
    page.goto(call.get_absolute_url())
    expect(page.locator(".vf-turn")).to_have_count(3)
    expect(page.get_by_label("Add tags")).to_be_visible()
    held[0].abort()  # while everything else of the page has come, and its connection is open
    expect(page.get_by_label("Write a note")).to_be_visible()
    expect(page.get_by_text("The server does not answer")).to_be_hidden()


def test_a_connection_that_died_without_a_word_is_noticed_and_opened_anew(guard, chromium, server):
    call = make_call(make_agent("Front desk"), spoken(TURNS))
    page = guard.page(chromium)
    page.clock.install()
    asked, answered, opened = [], [], []

    def half_open(route) -> None:
        """The first connection carries the first answer, and nothing after it in either direction."""
        opened.append(route)
        server_side = route.connect_to_server()
        if len(opened) > 1:
            return
        server_side.on_message(lambda said: asked[1:] or (route.send(said), answered.append(said)))
        route.on_message(lambda said: (asked.append(said), server_side.send(said)))

    page.route_web_socket("**/ws/live/", half_open)
    page.goto(call.get_absolute_url())
    away = page.get_by_text("The server does not answer; what you see may be old.")
    expect(page.locator(".vf-turn")).to_have_count(3)
    while not answered:
        page.wait_for_timeout(50)
    page.wait_for_timeout(300)  # in which the page reads it
    page.clock.run_for(31_000)
    expect(away).to_be_hidden()
    page.clock.run_for(15_000)
    expect(away).to_be_visible()
    store([Happening(call.pk, caller_said(2, "are you there"), timezone.now())])
    page.clock.run_for(2_000)
    expect(page.get_by_role("log")).to_contain_text("are you there")
    expect(away).to_be_hidden()
    for _ in range(4):
        page.clock.run_for(15_000)
        page.wait_for_timeout(300)  # in which the server answers
    assert len(opened) == 2, "a connection that answers stays"


def test_a_bar_that_comes_live_says_the_same_as_one_that_the_server_drew(guard, chromium, server):
    call = make_call(make_agent("Front desk"), spoken(TURNS))
    page = guard.page(chromium)
    page.goto(call.get_absolute_url())
    bars = page.locator("[data-latencies] li")
    expect(bars).to_have_count(1)
    store([Happening(call.pk, measured(2, 12.0, 1250), timezone.now())])
    expect(bars).to_have_count(2)
    live = bars.last.evaluate("bar => bar.outerHTML")
    assert "125 ms of it waiting for a free worker" in live
    page.reload()
    assert bars.last.evaluate("bar => bar.outerHTML") == live


def test_who_stood_in_is_told_live_as_it_is_afterwards(guard, chromium, server):
    call = make_call(make_agent("Front desk"), spoken(TURNS))
    page = guard.page(chromium)
    page.goto(call.get_absolute_url())
    events = served_by_a_fallback(turn=2, at=12.0)
    store([Happening(call.pk, event, timezone.now()) for event in events])
    lines = page.locator("[data-turn='2']")
    expect(page.get_by_text("spoken by a fallback").locator("visible=true")).to_have_count(1)
    live = lines.locator("[data-stood-in]:visible").evaluate_all("all => all.map((one) => one.outerHTML)")
    assert [html.count("Whisper") for html in live] == [1, 0, 0] and len(live) == 3
    page.reload()
    drawn = lines.locator("[data-stood-in]:visible").evaluate_all("all => all.map((one) => one.outerHTML)")
    assert [html.replace(' hidden=""', "") for html in live] == drawn


def test_a_call_that_ended_while_the_server_was_away_leaves_the_board(guard, chromium, server):
    guard.expect(*SERVER_GONE)
    agent = make_agent("Front desk")
    over, going = make_call(agent, spoken(TURNS)), make_call(agent, spoken(TURNS))
    page = guard.page(chromium)
    page.goto("/calls/live/")
    cards = page.get_by_role("article")
    expect(cards).to_have_count(2)
    server.stop()
    over.delete()
    server.start()
    expect(cards).to_have_count(1, timeout=30_000)
    expect(cards).to_have_attribute("data-call", str(going.pk))


def test_a_watcher_who_was_signed_out_is_led_to_sign_in(guard, chromium, server):
    guard.expect("401")
    page = guard.page(chromium)
    page.goto("/calls/live/")
    page.evaluate(
        """() => fetch(document.querySelector(".vf-me form").action, {
             method: "POST", body: new FormData(document.querySelector(".vf-me form"))})"""
    )
    page.wait_for_url("**/login/?next=%2Fcalls%2Flive%2F&why=signed-out", timeout=30_000)
    expect(page.get_by_text("You were signed out.")).to_be_visible()


def test_on_a_telephone_too_the_newest_words_stay_in_view_until_one_scrolls_back(guard, chromium, server):
    call = make_call(make_agent("Front desk"), spoken(TURNS * 6))
    page = guard.page(chromium, viewport=PHONE)
    page.goto(call.get_absolute_url())
    lines = page.locator(".vf-turn")
    lines.last.scroll_into_view_if_needed()

    def say(turns: range) -> None:
        count = lines.count()
        store([Happening(call.pk, caller_said(turn, f"number {turn}"), timezone.now()) for turn in turns])
        expect(lines).to_have_count(count + len(turns))

    say(range(7, 13))
    expect(lines.last).to_be_in_viewport()
    page.evaluate("scrollTo(0, 0)")
    say(range(13, 15))
    assert page.evaluate("scrollY") == 0


def test_the_second_window_of_who_has_a_call_says_so_and_gives_nothing_back(guard, chromium, server):
    call = make_call(make_agent("Front desk"), spoken(TURNS))
    page = guard.page(chromium)
    page.goto(call.get_absolute_url())
    page.wait_for_function("!document.body.classList.contains('vf-offline')")
    holder = page.locator("[data-holder]")
    expect(holder).to_have_text("The agent has the call")
    store([Happening(call.pk, OperatorTookOver(at_seconds=9, by="alice", window="other"), timezone.now())])
    expect(holder).to_have_text("You have the call in another window")
    expect(page.get_by_role("button", name="Give back")).to_be_hidden()
    expect(page.get_by_role("button", name="Take over here")).to_be_visible()
    page.reload()
    expect(holder).to_have_text("You have the call in another window")
    store([Happening(call.pk, OperatorTookOver(at_seconds=9, by="bob", window="other"), timezone.now())])
    expect(holder).to_have_text("bob has the call")
    expect(page.get_by_role("button", name="Take over", exact=True)).to_be_disabled()


def test_what_happens_while_a_call_page_still_loads_its_scripts_is_not_missed(guard, chromium, server):
    call = make_call(make_agent("Front desk"), spoken(TURNS))
    page = guard.page(chromium)

    def late(route) -> None:
        page.wait_for_timeout(1500)
        route.continue_()

    page.route("**/js/operate*.js", late)
    page.goto(call.get_absolute_url(), wait_until="commit")
    page.wait_for_selector("[data-holder]")
    store([Happening(call.pk, OperatorTookOver(at_seconds=9, by="alice", window="other"), timezone.now())])
    expect(page.locator("[data-holder]")).to_have_text("You have the call in another window")
