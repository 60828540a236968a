"""A conversation by text, drawn turn by turn."""

from __future__ import annotations

import html
import re

import pytest
from django.urls import reverse

from tests.agents.fakes import WordEmbedder
from tests.factories import make_agent

FACTS = [
    {"topic": "Parking", "answer": "Park behind the shop.", "questions": ["any free parking spaces"]},
]


@pytest.fixture
def embedder(monkeypatch):
    embedder = WordEmbedder()
    monkeypatch.setattr("mlservices.registry.embedder", lambda: embedder)
    return embedder


@pytest.fixture
def address(db):
    return reverse("agents:try", args=[make_agent("Front desk", facts=FACTS).slug])


def transcript(page: str) -> str:
    [value] = re.findall(r'name="transcript" value="([^"]*)"', page)
    return html.unescape(value)


def test_a_turn_is_answered_with_what_matched_and_the_record_for_the_next(alices_browser, embedder, address):
    first = transcript(alices_browser.get(address).text)
    answer = alices_browser.post(address, {"words": "any free parking spaces", "transcript": first})
    assert answer.status_code == 200
    assert "Park behind the shop." in answer.text and "Parking" in answer.text
    assert "any free parking spaces" in transcript(answer.text)


def test_an_engine_that_fails_is_said_to_have_and_the_words_are_kept(alices_browser, embedder, address):
    embedder.failures = 9
    answer = alices_browser.post(address, {"words": "any <b>free</b> spaces", "transcript": "[]"}).text
    assert "The agent could not answer" in answer
    assert 'data-failed="any &lt;b&gt;free&lt;/b&gt; spaces"' in answer


def test_a_record_that_this_page_did_not_make_is_refused_in_words(alices_browser, embedder, address):
    for made_up in ('"words"', "[1, 2]", "{"):
        answer = alices_browser.post(address, {"words": "hello", "transcript": made_up})
        assert "This conversation cannot go on" in answer.text
