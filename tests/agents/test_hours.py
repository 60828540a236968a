"""Opening hours know what day it is, on the clock of the place."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from agents.facts import read_facts
from agents.flow import hours
from agents.flow.knowledge import OpeningHours

from .conftest import SHOP_FACTS

TUESDAY_11 = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
TUESDAY_LUNCH = datetime(2026, 11, 24, 16, 30, tzinfo=UTC)
TUESDAY_NIGHT = datetime(2026, 11, 25, 2, 0, tzinfo=UTC)  # still Tuesday in Halifax
SATURDAY_NOON = datetime(2026, 11, 28, 16, 0, tzinfo=UTC)


@pytest.fixture
def shop() -> OpeningHours:
    found = read_facts(SHOP_FACTS)[0].hours
    assert found
    return found


@pytest.mark.parametrize(
    ("words", "now", "answer"),
    [
        ("are you open now", TUESDAY_11, "We're open right now, until noon."),
        ("are you open now", TUESDAY_LUNCH, "We're closed right now. We open again today at 1 pm."),
        ("are you open now", TUESDAY_NIGHT, "We're closed right now. We open again tomorrow at 9 am."),
        ("are you open today", TUESDAY_11, "Today, we're open from 9 am to noon and from 1 pm to 6 pm."),
        (
            "are you open today",
            TUESDAY_NIGHT,
            "We were open today until 6 pm. We open again tomorrow at 9 am.",
        ),
        ("are you open tomorrow", TUESDAY_11, "Tomorrow, we're open from 9 am to 6 pm."),
        (
            "are you open the day after tomorrow",
            TUESDAY_11,
            "On Thursday, we're closed. We open again on Saturday at 10 am.",
        ),
        ("are you open on saturday", TUESDAY_11, "On Saturday, we're open from 10 am to 1:30 pm."),
        ("are you open on saturday", SATURDAY_NOON, "Today, we're open from 10 am to 1:30 pm."),
        ("do you open on sundays", TUESDAY_11, "On Sunday, we're closed. We open again on Monday at 9 am."),
        (
            "are you open on the weekend",
            TUESDAY_11,
            "On Saturday, we're open from 10 am to 1:30 pm. "
            "On Sunday, we're closed. We open again on Monday at 9 am.",
        ),
    ],
)
def test_the_day_asked_about_is_answered(shop: OpeningHours, words: str, now: datetime, answer: str) -> None:
    assert hours.answer(shop, words, now) == answer


def test_a_day_that_is_closed_for_once_is_skipped(shop: OpeningHours) -> None:
    monday_night = datetime(2026, 12, 1, 1, 0, tzinfo=UTC)
    assert hours.answer(shop, "are you open tomorrow", monday_night) == (
        "Tomorrow, we're closed. We open again on Wednesday at 9 am."
    )


def test_without_a_day_the_whole_week_is_told_and_how_it_stands(shop: OpeningHours) -> None:
    assert hours.answer(shop, "when are you open", TUESDAY_11) == (
        "We're open Monday from 9 am to 6 pm, Tuesday from 9 am to noon and from 1 pm to 6 pm, "
        "Wednesday from 9 am to 6 pm and on Saturday from 10 am to 1:30 pm. "
        "We're closed on Thursday, Friday and Sunday. We're open right now, until noon."
    )


def test_days_alike_are_told_together(shop: OpeningHours) -> None:
    nine_to_five = shop.week[0]
    same = OpeningHours(week=(nine_to_five,) * 5 + ((), ()), zone=shop.zone)
    assert (
        hours.weekly(same)
        == "We're open Monday to Friday from 9 am to 6 pm. We're closed on Saturday and Sunday."
    )


def test_a_place_that_never_opens_promises_no_opening(shop: OpeningHours) -> None:
    never = OpeningHours(week=((),) * 7, zone=shop.zone)
    assert hours.answer(never, "are you open now", TUESDAY_11) == "We're closed right now."
    assert hours.weekly(never) == "We're closed all week."
