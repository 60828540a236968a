"""What the form of an agent shows and does not let one change."""

from __future__ import annotations

from agents.actions import create_demo_agent
from tests.factories import make_agent


def test_the_hours_of_a_fact_are_shown_and_said_not_to_be_changed_here(alices_browser, db):
    page = alices_browser.get(create_demo_agent().get_absolute_url()).text
    assert "Monday to Thursday from 8 am" in page
    assert "This form does not change them" in page


def test_one_voice_is_no_choice_and_is_kept(alices_browser, db):
    page = alices_browser.get(make_agent().get_absolute_url()).text
    assert '<input type="hidden" name="voice" value="default"' in page
    assert '<select name="voice"' not in page


def test_a_voice_that_is_gone_can_be_changed_for_the_one_there_is(alices_browser, db):
    page = alices_browser.get(make_agent(voice="joe").get_absolute_url()).text
    assert '<select name="voice"' in page and "joe (not available now)" in page
