"""The library of voices in a real browser: heard one at a time, searched as one types, kept, used."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE, Server
from tests.factories import make_agent
from tests.fakes.speech_service import SpeechService
from tests.mlservices.conftest import serving


@pytest.fixture
def speech(server: Server) -> Iterator[tuple[SpeechService, str]]:
    """A service that speaks, and the address of a site that asks it."""
    service = SpeechService({"piper-joe": "loaded", "en-us-sarah-f": "loaded"}, seconds=2.5)
    with serving(service.app()) as url:
        site = Server(urlsplit(url).port)
        site.start()
        yield service, site.url
        site.stop()


def test_voices_are_heard_one_at_a_time_kept_and_used(speech, guard, chromium):
    service, url = speech
    make_agent("Front desk", slug="front-desk")
    page = guard.page(chromium, url=url)
    page.goto("/voices/")
    joe, sarah = (page.locator(f'[data-voice="{id}"]') for id in ("piper-joe", "en-us-sarah-f"))
    joe.get_by_role("button", name="Hear Joe").click()
    expect(joe.get_by_text("Being spoken")).to_be_visible()
    expect(joe.locator("[data-state=playing]")).to_be_visible()
    service.seconds = 0
    sarah.get_by_role("button", name="Hear Sarah").click()
    expect(joe.locator("[data-state=still]")).to_be_visible()
    expect(sarah.locator("[data-state=playing]")).to_be_visible()
    expect(sarah.locator("[data-state=still]")).to_be_visible()  # it has ended by itself

    sarah.get_by_role("button", name="your own words").click()
    page.get_by_label("What to say").fill("Good evening.")
    service.failure = "tts: 100 requests are waiting already"
    guard.expect("/preview/", "503")
    page.get_by_role("button", name="Hear it", exact=True).click()
    expect(page.get_by_role("alert").get_by_text("100 requests are waiting already")).to_be_visible()
    page.keyboard.press("Escape")
    assert [voice for voice, _ in service.said] == ["piper-joe", "en-us-sarah-f", "en-us-sarah-f"]

    page.keyboard.press("/")
    page.locator("#filters :focus").fill("aditi")
    expect(page).to_have_url(re.compile("q=aditi"))
    expect(page.locator("[data-voice]")).to_have_count(1)
    page.get_by_role("button", name="Hear Aditi").press("Enter")  # which tells why it is not heard
    expect(page.get_by_text("Indic Parler-TTS needs")).to_be_visible()
    star = page.get_by_role("button", name="Aditi is a favourite")
    star.click()
    expect(star).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#count-favourites")).to_have_text("1")
    page.reload()
    expect(page.locator("[data-voice]")).to_have_count(1)  # the address keeps what was typed
    page.get_by_label("Gender").select_option("male")
    expect(page.get_by_text("No voices match")).to_be_visible()
    page.goto("/voices/?show=favourites")
    expect(page.get_by_role("heading", name="Aditi")).to_be_visible()

    page.goto("/voices/?q=joe")
    page.get_by_role("link", name="Use in an agent: Joe").click()
    page.get_by_role("link", name="Front desk").click()
    expect(page.locator("[name=voice][value=piper-joe]")).to_be_checked()


def test_languages_that_are_opened_stand_in_the_address_and_outlive_a_filter(page):
    page.goto("/voices/")
    german, hindi = (page.locator(f"#language-{code}") for code in ("de", "hi"))
    hindi.locator("summary").first.press("Enter")
    expect(page.get_by_role("heading", name="Aditi")).to_be_visible()
    expect(page).to_have_url(re.compile("open=en-au%2Chi"))
    page.get_by_label("Gender").select_option("female")
    expect(page).to_have_url(re.compile("gender=female"))
    expect(page.get_by_role("heading", name="Rahul")).to_have_count(0)
    expect(page.get_by_role("heading", name="Aditi")).to_be_visible()
    expect(page.get_by_role("heading", name="Anna", exact=True)).to_be_hidden()
    german.locator("summary").first.click()
    expect(page).to_have_url(re.compile("de%2C"))
    page.reload()
    expect(page.get_by_role("heading", name="Anna", exact=True)).to_be_visible()
    page.get_by_label("Search voices").fill("felix lukas")  # nobody, then few: open whatever the address says
    expect(page.get_by_text("No voices match")).to_be_visible()
    page.get_by_label("Search voices").fill("kumar")
    page.get_by_label("Gender").select_option("")
    expect(page.get_by_role("heading", name="Kumar")).to_be_visible()
    page.goto("/voices/?gender=female")
    page.get_by_role("link", name="Open all").click()
    expect(page.get_by_role("heading", name="Anna", exact=True)).to_be_visible()
    page.get_by_role("link", name="Close all").click()
    expect(page.get_by_role("heading", name="Anna", exact=True)).to_be_hidden()
    expect(page).to_have_url(re.compile("gender=female"))


def test_on_a_phone_a_voice_is_a_row_that_opens(speech, guard, chromium):
    page = guard.page(chromium, viewport=PHONE, url=speech[1])
    page.goto("/voices/")
    assert page.evaluate("document.documentElement.scrollHeight") < 4 * PHONE["height"]
    joe = page.locator('[data-voice="piper-joe"]')
    assert joe.bounding_box()["height"] < 90
    expect(joe.get_by_text("No commercial use").first).to_be_visible()
    expect(joe.get_by_text("Plain and quick")).to_be_hidden()
    joe.get_by_text("English (US)").click(force=True)  # anywhere on the row
    expect(joe.get_by_text("Plain and quick")).to_be_visible()
    more = joe.get_by_role("button", name="More about Joe")
    expect(more).to_have_attribute("aria-expanded", "true")
    more.press("Enter")
    expect(joe.get_by_text("Plain and quick")).to_be_hidden()
    michael = page.locator('[data-voice="en-us-michael-m"]')
    michael.get_by_role("button", name="Hear Michael").click()  # which cannot be heard here
    expect(michael.get_by_text("needs a GPU, and this machine has none")).to_be_visible()
    star = michael.get_by_role("button", name="Michael is a favourite")
    star.click()
    expect(star).to_have_attribute("aria-pressed", "true")


def test_the_palette_opens_the_page_at_a_voice(page):
    page.goto("/voices/")
    for words, name in (("aditi", "Aditi"), ("anna german", "Anna")):  # the second without another page
        page.keyboard.press("Control+k")
        page.keyboard.type(words)
        expect(page.locator("#palette").get_by_text(f"{name}, ")).to_be_visible()
        page.keyboard.press("Enter")
        expect(page).to_have_url(re.compile("#voice-"))
        expect(page.get_by_role("heading", name=name, exact=True)).to_be_in_viewport()
        expect(page.get_by_role("button", name=f"Hear {name}")).to_be_focused()
