"""Voices in agents: given from the library, chosen in the form, refused where they cannot speak."""

from __future__ import annotations

import re

import pytest

from agents.models import Agent
from mlservices import registry
from tests.factories import make_agent
from tests.pages.test_agents import form_of


def test_a_voice_is_given_to_a_new_agent_or_to_one_there_is(alices_browser, speech):
    make_agent("Front desk", slug="front-desk")
    page = alices_browser.get("/agents/voice/piper-joe/").text
    assert (
        'href="/agents/front-desk/?voice=piper-joe"' in page and 'href="/agents/new/?voice=piper-joe"' in page
    )
    answer = alices_browser.get("/agents/front-desk/?voice=piper-joe")
    assert answer.context["form"]["voice"].value() == "piper-joe"
    assert "Joe, English (US) is chosen as the voice" in answer.text
    assert re.search(r'id="agent-form"[^>]* data-dirty', answer.text)


@pytest.fixture
def indian(settings):
    """Speech that is heard and spoken in India's languages."""
    settings.STT_ENGINE, settings.TTS_ENGINE = "whisper-large-v3-turbo", "indic-parler-tts"


def test_the_language_of_an_agent_goes_along_with_a_voice_that_does_not_speak_it(
    alices_browser, speech, indian
):
    agent = make_agent("Front desk")
    answer = alices_browser.get(agent.get_absolute_url(), {"voice": "hindi-aditi-f"})
    form = answer.context["form"]
    assert (form["voice"].value(), form["language"].value()) == ("hindi-aditi-f", "hi")
    assert "The language becomes Hindi" in answer.text
    sent = form_of(alices_browser, agent.get_absolute_url()) | {"voice": "hindi-aditi-f", "language": "hi"}
    assert alices_browser.post(agent.get_absolute_url(), sent).status_code == 302
    agent.refresh_from_db()
    assert (agent.voice, agent.language) == ("hindi-aditi-f", "hi")


def test_the_form_offers_voices_by_language_with_their_licence(alices_browser, db, indian):
    answer = alices_browser.get("/agents/new/")
    groups = {group.label: group for group in answer.context["form"].voice_groups}
    assert groups["Hindi"].languages == ("hi",) and len(groups["Hindi"].rows) == 4
    assert groups["English (UK)"].licence == "Apache-2.0" and groups[""].languages == ()
    assert 'data-voice-languages="hi"' in answer.text and "German" not in groups
    assert 'data-voice="hindi-rahul-m" data-sentence="नमस्ते' in answer.text


def test_a_voice_that_does_not_speak_the_agents_language_is_refused_with_what_to_do(
    alices_browser, db, indian
):
    agent = make_agent("Front desk")
    sent = form_of(alices_browser, agent.get_absolute_url()) | {"voice": "tamil-kumar-m", "language": "hi"}
    answer = alices_browser.post(agent.get_absolute_url(), sent)
    assert answer.status_code == 422
    assert answer.context["form"].errors["voice"] == [
        "Kumar speaks Tamil, and this agent Hindi: choose a voice that speaks Hindi, or make Tamil the "
        "language of the agent."
    ]


def test_a_voice_that_nothing_here_speaks_is_neither_offered_nor_taken(alices_browser, speech):
    agent = make_agent("Front desk")
    page = alices_browser.get(agent.get_absolute_url(), {"voice": "de-anna-f"}).text
    assert "Anna, German cannot be chosen" in page
    sent = form_of(alices_browser, agent.get_absolute_url()) | {"voice": "de-anna-f"}
    assert alices_browser.post(agent.get_absolute_url(), sent).status_code == 422
    assert "/agents/voice/hindi-aditi-f/" not in alices_browser.get("/voices/").text
    assert "no agent can be given this voice now" in alices_browser.get("/agents/voice/hindi-aditi-f/").text


def test_the_licence_of_our_own_language_model_is_told_where_it_is_chosen(alices_browser, db):
    choices = dict(alices_browser.get("/agents/new/").context["form"].fields["chat_model"].choices)
    assert choices["local"].endswith("· Apache-2.0, commercial use allowed")


def test_an_agent_keeps_a_voice_that_is_not_offered_any_more_and_speaks_by_default(alices_browser, db):
    agent = make_agent("Front desk", voice="en-us-sarah-f")
    assert "Sarah, English (US) (not available now)" in alices_browser.get(agent.get_absolute_url()).text
    assert not registry.knows_voice(agent.voice)
    assert Agent.objects.get(pk=agent.pk).voice == "en-us-sarah-f"
