"""The realtime API from a page: the example talks by microphone, and its loudspeaker is heard."""

from __future__ import annotations

import re

from django.urls import reverse
from playwright.sync_api import expect

from telephony.models import Call


def start(page) -> None:
    page.goto(reverse("sockets"))
    page.get_by_label("Agent", exact=True).select_option("echo")
    page.get_by_role("button", name="Start talking").click()


def test_the_example_talks_and_shows_each_message(guard, chromium_with_microphone, server):
    page = guard.page(chromium_with_microphone)
    start(page)
    log = page.get_by_role("log", name="Messages")
    for type in ("ready", "stt_final", "agent_reply", "tts_complete"):
        expect(log.locator(f"[data-type={type}]").first).to_be_visible()
    expect(log.locator("[data-type=stt_final]").first).to_contain_text(
        re.compile(r"what are your opening hours\? \(\d+ ms\)")
    )
    expect(log.locator("[data-type=tts_complete]").first).to_contain_text(re.compile(r"\(\d+ ms\)"))
    page.get_by_role("button", name="Hang up").click()
    expect(log.locator("[data-type=ended]")).to_contain_text("caller_hung_up")
    expect(page.get_by_role("button", name="Start talking")).to_be_enabled()
    call = Call.objects.get()
    assert (call.line, call.callee) == ("api", "")
    assert not log.locator("[data-type=error]").count()


def test_a_refused_microphone_is_told_and_calls_nobody(page, server):
    start(page)
    expect(page.get_by_role("log", name="Messages")).to_contain_text("NotAllowedError")
    expect(page.get_by_role("button", name="Start talking")).to_be_enabled()
    assert not Call.objects.exists()


def test_its_call_is_watched_like_any_other(guard, chromium_with_microphone, server):
    page, watching = guard.page(chromium_with_microphone), guard.page(chromium_with_microphone)
    start(page)
    session = page.locator("[data-type=ready] span").inner_text()
    watching.goto(reverse("telephony:call", args=[session]))
    expect(watching.get_by_role("log")).to_contain_text("what are your opening hours?")
    expect(watching.get_by_text("API, inbound")).to_be_visible()
    page.get_by_role("button", name="Hang up").click()
