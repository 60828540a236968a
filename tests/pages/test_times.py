"""How pages write times and numbers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone, translation

from voiceforge_site.templatetags.vf import milliseconds, moment, number


def test_a_time_is_told_from_now_and_exactly_in_the_viewers_zone() -> None:
    with timezone.override(ZoneInfo("Europe/Berlin")):
        shown = moment(datetime(2026, 7, 1, 22, 30, 5, tzinfo=UTC), "exact")
        ago = moment(timezone.now() - timedelta(minutes=5))
    assert 'datetime="2026-07-02T00:30:05+02:00"' in shown
    assert ">2 Jul 2026, 00:30:05<" in shown
    assert ">5\N{NO-BREAK SPACE}minutes ago<" in ago


def test_no_time_is_a_dash() -> None:
    assert moment(None) == "–"


def test_numbers_are_grouped_as_the_language_does() -> None:
    assert (number(1234567), number(0.5, 2), number(None)) == ("1,234,567", "0.50", "–")
    with translation.override("de"):
        assert (number(1234567), milliseconds(1240)) == ("1.234.567", "1,24 s")
