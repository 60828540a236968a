"""How pages write times and numbers."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.test import Client
from django.utils import timezone, translation

from tests.factories import ended, make_agent, make_call, make_recording, spoken
from voiceforge_site.templatetags.vf import ago, milliseconds, moment, number


def test_a_time_is_told_from_now_and_exactly_in_the_viewers_zone() -> None:
    with timezone.override(ZoneInfo("Europe/Berlin")):
        shown = moment(datetime(2026, 7, 1, 22, 30, 5, tzinfo=UTC), "exact")
        told = moment(timezone.now() - timedelta(minutes=5))
    assert 'datetime="2026-07-02T00:30:05+02:00"' in shown
    assert ">2 Jul 2026, 00:30:05<" in shown
    assert ">5 minutes ago<" in told


def test_how_long_ago_it_was_is_a_sentence_of_the_language() -> None:
    past = [timedelta(seconds=3), timedelta(minutes=1.5), timedelta(days=1), timedelta(days=2, hours=5)]
    told = [timezone.now() - each for each in past]
    assert [ago(each) for each in told] == ["just now", "1 minute ago", "1 day ago", "2 days ago"]
    with translation.override("de"):
        assert [ago(each) for each in told] == ["gerade eben", "vor 1 Minute", "vor 1 Tag", "vor 2 Tagen"]


def test_a_time_to_come_is_told_exactly() -> None:
    told = moment(datetime(2126, 7, 1, 22, 30, 5, tzinfo=UTC), "exact")
    assert ">1 Jul 2126, 22:30:05<" in told and "ago" not in told and "now" not in told


def test_every_template_tells_times_through_the_one_tag() -> None:
    """So that the viewer's zone holds. A <time> without a datetime is a clock or a place in a recording."""
    own = [
        path.name
        for path in (settings.BASE_DIR / "templates").rglob("*.html")
        if re.search(r"<time[^>]*\sdatetime", path.read_text()) or "DATETIME_FORMAT" in path.read_text()
    ]
    assert own == []


def test_no_time_is_a_dash() -> None:
    assert moment(None) == "–"


def test_numbers_are_grouped_as_the_language_does() -> None:
    assert (number(1234567), number(0.5, 2), number(None)) == ("1,234,567", "0.50", "–")
    with translation.override("de"):
        assert (number(1234567), milliseconds(1240)) == ("1.234.567", "1,24 s")


def test_figures_for_scripts_and_styles_are_not_written_as_the_language_does(alices_browser: Client) -> None:
    agent = make_agent(speaking_rate=1.25)
    call = make_call(agent, ended(spoken([("Hello.", "Hello.")])))
    make_recording(call)
    going = make_call(agent, spoken([("Hello.", "Hello.")]))
    attribute = re.compile(r'\s(?:data-(?:start|at|duration|seq)|style|value|min|max|step)="[^"]*\d,\d[^"]*"')
    with translation.override("de"):
        for page in (
            "/",
            call.get_absolute_url(),
            going.get_absolute_url(),
            agent.get_absolute_url(),
            "/calls/live/",
        ):
            assert not attribute.findall(alices_browser.get(page).text), page
