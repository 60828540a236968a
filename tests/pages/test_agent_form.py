"""What the form of an agent shows and does not let one change."""

from __future__ import annotations

from tests.factories import make_agent


def test_one_voice_is_no_choice_and_is_kept(alices_browser, db):
    page = alices_browser.get(make_agent().get_absolute_url()).text
    assert '<input type="hidden" name="voice" value="default"' in page
    assert '<select name="voice"' not in page


def test_a_voice_that_is_gone_can_be_changed_for_the_one_there_is(alices_browser, db):
    page = alices_browser.get(make_agent(voice="joe").get_absolute_url()).text
    assert '<select name="voice"' in page and "joe (not available now)" in page
