"""Who reads German is shown German, and figures as German writes them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone
from django.utils.html import strip_tags

from mlservices.voices import VOICES
from telephony.models import Call
from tests.factories import ended, make_agent, make_call, spoken
from voiceforge_site.models import User

TURNS = [("Hello.", "Hello.")]
NAMES = {"", "Front desk", "+1 415-555-0112", "alice", "VoiceForge", "Joe, US English (Piper)"}
VOICE_NAMES = {voice.name for voice in VOICES}
ALIKE = {"Administrator", "Agent", "Code", "Designer", "Name", "Operator", "Person", "Status"}
# Headings of the groups of voices, which end with how many there are.
LANGUAGES = {"Bengali", "Gujarati", "Hindi", "Kannada", "Malayalam", "Marathi", "Urdu"}
MANAGED = ["/flows/", "/models/", "/people/", "/status/", "/usage/"]
LISTS = ["/calls/live/", "/calls/", "/calls/messages/", "/calls/exports/", "/agents/", "/voices/", *MANAGED]
FORMS = ["/agents/front-desk/", "/people/invite/", "/profile/", "/profile/codes/"]
PAGES = ["/", *LISTS, *FORMS, "/agents/front-desk/history/"]


@pytest.fixture
def calls(db: None) -> tuple[Call, Call]:
    """One that goes on, and one that was over two days ago."""
    agent = make_agent("Front desk", slug="front-desk")
    past = timezone.now() - timedelta(days=2, hours=1)
    return make_call(agent, spoken(TURNS)), make_call(agent, ended(spoken(TURNS)), started=past)


def headings(page: str) -> set[str]:
    found = re.findall(r"<(h[1-4]|th|title|label)\b[^>]*>(.*?)</\1>", page, re.S)
    return {" ".join(strip_tags(text).split()).removesuffix(" · VoiceForge") for _, text in found}


def test_no_heading_of_the_main_pages_is_left_in_english(
    alices_browser: Client, calls: tuple[Call, Call], bob: User
) -> None:
    for address in [*PAGES, *(call.get_absolute_url() for call in calls)]:
        german = alices_browser.get(address, headers={"Accept-Language": "de"}).text
        english = alices_browser.get(address, headers={"Accept-Language": "en"}).text
        assert '<html lang="de"' in german, address
        alike = headings(german) & headings(english) - NAMES - VOICE_NAMES - ALIKE
        assert not {re.sub(r" \d+$", "", each) for each in alike} - LANGUAGES, address


def test_dates_and_figures_are_written_as_german_does(alices_browser: Client, alice: User) -> None:
    alice.language = "de"
    alice.save()
    agent = make_agent("Front desk")
    started = datetime(2026, 1, 26, 14, 5, tzinfo=UTC)
    call = make_call(agent, ended(spoken(TURNS, milliseconds=[1240])), started=started)
    page = alices_browser.get(call.get_absolute_url()).text
    assert "26. Jan. 2026, 14:05:00" in page and "1,24 s" in page
