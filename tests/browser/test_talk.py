"""Talking to an agent: the ways it can fail before it begins, and a call that others watch."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from telephony.models import Call
from tests.browser.conftest import launch
from tests.factories import make_agent


@pytest.fixture
def address(server):
    return reverse("telephony:talk", args=[make_agent("Front desk", slug="front-desk").slug])


def start(page, address):
    page.goto(address)
    page.get_by_role("button", name="Start talking").click()


class TestWhatKeepsOneFromTalking:
    def test_a_refused_microphone_says_how_to_allow_it_and_rings_nobody(self, page, address):
        start(page, address)
        problem = page.get_by_role("alert")
        expect(problem).to_contain_text("The microphone was refused.")
        expect(problem).to_contain_text("Allow it for this site in the address bar")
        expect(page.get_by_role("button", name="Talk again")).to_be_focused()
        assert not Call.objects.exists()

    def test_a_machine_without_a_microphone(self, guard, playwright, address):
        browser = launch(playwright)
        context = guard.context(browser)
        context.grant_permissions(["microphone"])
        page = context.new_page()
        start(page, address)
        expect(page.get_by_role("alert")).to_contain_text("No microphone was found.")
        browser.close()

    def test_an_address_to_which_browsers_give_no_microphone(self, guard, playwright, server, address):
        rules = "--host-resolver-rules=MAP voice.test 127.0.0.1"
        browser = launch(playwright, rules)
        page = guard.page(browser, url=f"http://voice.test:{server.port}")
        guard.expect("Cross-Origin-Opener-Policy")  # browsers ignore it on such addresses, and say so
        start(page, address)
        expect(page.get_by_role("alert")).to_contain_text("Open the page over https")
        browser.close()

    def test_an_agent_that_takes_no_calls(self, guard, chromium_with_microphone, server):
        guard.expect("409")
        agent = make_agent("Front desk", status="paused")
        page = guard.page(chromium_with_microphone)
        start(page, reverse("telephony:talk", args=[agent.slug]))
        expect(page.get_by_role("alert")).to_contain_text("This agent is paused.")


class TestACall:
    def test_it_shows_what_is_said_and_ends_with_a_link_to_its_page(
        self, guard, chromium_with_microphone, address
    ):
        page = guard.page(chromium_with_microphone)
        start(page, address)
        log = page.get_by_role("log")
        expect(log).to_contain_text("Hello.")
        expect(log).to_contain_text("what are your opening hours?")
        expect(log).to_contain_text("You said: what are your opening hours?")
        expect(page.locator("[data-talk-latency]")).to_have_text(re.compile(r"\d+ ms|\d\.\d\d s"))
        page.get_by_role("button", name="Hang up").press("Enter")
        expect(page.get_by_text("The caller hung up")).to_be_visible()
        expect(page.get_by_role("button", name="Talk again")).to_be_focused()
        page.get_by_role("link", name="Open the call").click()
        expect(page.get_by_role("log")).to_contain_text("You said: what are your opening hours?")

    def test_its_levels_move(self, guard, chromium_with_microphone, address):
        page = guard.page(chromium_with_microphone)
        start(page, address)
        for name in ("Level of your microphone", "Level of the agent"):
            meter = page.get_by_role("meter", name=name)
            expect(meter).not_to_have_attribute("aria-valuenow", "0")

    def test_digits_are_pressed_on_the_keyboard(self, guard, chromium_with_microphone, address):
        page = guard.page(chromium_with_microphone)
        start(page, address)
        expect(page.get_by_role("button", name="Hang up")).to_be_focused()
        page.get_by_role("button", name="Mute").click()
        page.keyboard.press("7")
        expect(page.get_by_role("log")).to_contain_text("Pressed 7")

    def test_one_can_talk_again(self, guard, chromium_with_microphone, address):
        page = guard.page(chromium_with_microphone)
        start(page, address)
        expect(page.get_by_role("log")).to_contain_text("Hello.")
        page.get_by_role("button", name="Hang up").click()
        page.get_by_role("button", name="Talk again").click()
        expect(page.get_by_role("log")).to_contain_text("Hello.")
        expect(page.get_by_role("button", name="Hang up")).to_be_visible()
        assert Call.objects.count() == 2

    def test_a_microphone_that_cannot_be_opened_leaves_the_call_with_the_one_it_had(
        self, guard, chromium_with_microphone, address
    ):
        page = guard.page(chromium_with_microphone)
        start(page, address)
        expect(page.get_by_role("log")).to_contain_text("Hello.")
        page.evaluate(
            """() => {
              const busy = () => Promise.reject(new DOMException("", "NotReadableError"));
              navigator.mediaDevices.getUserMedia = busy;
            }"""
        )
        microphone = page.get_by_label("Microphone", exact=True)
        microphone.select_option(index=1)
        expect(page.get_by_role("alert")).to_contain_text("The call goes on with the one it had.")
        expect(microphone).to_have_value("")
        expect(page.get_by_role("button", name="Hang up")).to_be_visible()

        page.evaluate("delete navigator.mediaDevices.getUserMedia")
        microphone.select_option(index=1)
        expect(page.get_by_role("alert")).to_have_count(0)
        expect(microphone).not_to_have_value("")
        expect(page.get_by_role("meter", name="Level of your microphone")).not_to_have_attribute(
            "aria-valuenow", "0"
        )

    def test_a_microphone_that_opens_after_the_call_was_left_is_closed_again(
        self, guard, chromium_with_microphone, address
    ):
        page = guard.page(chromium_with_microphone)
        page.goto(address)
        left = page.evaluate(
            """async (module) => {
              const {TalkSession} = await import(module);
              const {mediaDevices} = navigator;
              const open = mediaDevices.getUserMedia.bind(mediaDevices);
              let stream;
              mediaDevices.getUserMedia = async (asked) => {
                stream = await open(asked);
                session.hangUp();
                return stream;
              };
              const session = new TalkSession();
              await session.start({}, "");
              return stream.getTracks().map((track) => track.readyState);
            }""",
            "/static/js/audio/session.js",
        )
        assert left == ["ended"]
        assert not Call.objects.exists()

    def test_leaving_the_page_ends_the_call(self, guard, chromium_with_microphone, address):
        page = guard.page(chromium_with_microphone)
        start(page, address)
        expect(page.get_by_role("log")).to_contain_text("Hello.")
        page.goto("/calls/live/")
        expect(page.get_by_text("No call is in progress")).to_be_visible()


class TestWatchingACall:
    def test_it_appears_on_the_board_goes_on_there_and_can_be_ended(
        self, guard, chromium_with_microphone, address
    ):
        context = guard.context(chromium_with_microphone)
        board, talk = context.new_page(), context.new_page()
        board.goto("/calls/live/")
        expect(board.get_by_text("No call is in progress")).to_be_visible()
        start(talk, address)
        card = board.get_by_role("article")
        expect(card).to_contain_text("Front desk")
        expect(card).to_contain_text("what are your opening hours?")
        expect(board.locator("[data-filters] [data-count=live]")).to_have_text("1")
        expect(board.get_by_role("link", name="Live calls")).to_have_text("Live calls1")
        expect(card.locator("header time")).to_have_text(re.compile(r"0:0[1-9]"))
        card.get_by_role("button", name="Hang up").click()
        board.get_by_role("alertdialog").get_by_role("button", name="Hang up").click()
        expect(talk.get_by_text("An operator hung up")).to_be_visible()
        expect(board.get_by_text("No call is in progress")).to_be_visible()

    def test_its_page_follows_it_to_the_recording(self, guard, chromium_with_microphone, address):
        context = guard.context(chromium_with_microphone)
        talk, watch = context.new_page(), context.new_page()
        start(talk, address)
        expect(talk.get_by_role("log")).to_contain_text("Hello.")
        watch.goto(Call.objects.get().get_absolute_url())
        expect(watch.locator("[data-live-count]")).to_have_text("1")
        log = watch.get_by_role("log")
        expect(log).to_contain_text("You said: what are your opening hours?")
        expect(watch.locator("[data-latencies] li")).not_to_have_count(0)
        talk.get_by_role("button", name="Hang up").click()
        expect(watch.get_by_text("The caller hung up")).to_be_visible()
        menu = watch.get_by_role("navigation", name="Main")
        expect(menu.locator("[aria-current=page]")).to_have_text("Call history")
        expect(menu.locator("[data-live-count]")).to_be_hidden()
        expect(watch.get_by_role("banner").get_by_role("link", name="Call history")).to_be_visible()
        play = watch.get_by_role("button", name="Play or pause the recording")
        expect(play).to_be_visible()
        live_lines = log.locator(".vf-turn").all_inner_texts()
        events = int(watch.locator("[data-event-count]").inner_text())
        watch.reload()
        assert log.locator(".vf-turn").all_inner_texts() == live_lines, "the server tells the same story"
        assert int(watch.locator("[data-event-count]").inner_text()) == events
        log.get_by_title("Play from here").last.click()
        expect(watch.locator("[data-position]")).not_to_have_text("0:00")
