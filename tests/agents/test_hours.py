"""Opening hours know what day it is, on the clock of the place."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from agents.facts import opening_hours, read_facts
from agents.flow import hours
from agents.flow.knowledge import WEEKDAYS, OpeningHours

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


BERLIN = ZoneInfo("Europe/Berlin")


def bar(**week: list[list[str]]) -> OpeningHours:
    return opening_hours({"timezone": "Europe/Berlin", "week": week, "closed_on": ["2026-12-25"]}, "hours")


def at(day: int, hour: int, minute: int = 0, *, month: int = 11, fold: int = 0) -> datetime:
    """In Berlin; 27 November 2026 is a Friday."""
    return datetime(2026, month, day, hour, minute, tzinfo=BERLIN, fold=fold)


class TestPastMidnight:
    NIGHTS = bar(thursday=[["12:00", "24:00"]], friday=[["22:00", "02:00"]], saturday=[["20:00", "24:00"]])

    @pytest.mark.parametrize(
        ("words", "now", "answer"),
        [
            ("are you open now", at(27, 23), "We're open right now, until 2 am."),
            ("are you open now", at(28, 1, 59), "We're open right now, until 2 am."),
            ("are you open now", at(28, 2), "We're closed right now. We open again today at 8 pm."),
            ("are you open now", at(27, 21, 59), "We're closed right now. We open again today at 10 pm."),
            ("are you open now", at(28, 23, 59), "We're open right now, until midnight."),
            ("are you open now", at(29, 0), "We're closed right now. We open again on Thursday at noon."),
            ("are you open on friday", at(26, 9), "Tomorrow, we're open from 10 pm to 2 am."),
            (
                "are you open today",
                at(28, 1),
                "We're open right now, until 2 am. Today, we're open from 8 pm to midnight.",
            ),
            ("are you open today", at(28, 3), "Today, we're open from 8 pm to midnight."),
            ("and on sunday", at(27, 9), "On Sunday, we're closed. We open again on Thursday at noon."),
        ],
    )
    def test_a_night_belongs_to_the_day_that_it_began_on(self, words, now, answer):
        assert hours.answer(self.NIGHTS, words, now) == answer

    def test_a_day_on_which_only_the_night_before_ends_says_when(self):
        friday = bar(friday=[["22:00", "02:00"]])
        assert hours.answer(friday, "are you open on saturday", at(27, 9)) == (
            "Tomorrow, we're closed from 2 am on. We open again on Friday, December 4 at 10 pm."
        )
        assert hours.answer(friday, "are you open today", at(28, 1)) == (
            "We're open right now, until 2 am. "
            "Today, we're closed from 2 am on. We open again on Friday at 10 pm."
        )
        assert hours.answer(friday, "are you open today", at(28, 3)) == (
            "Today, we're closed. We open again on Friday at 10 pm."
        )

    def test_a_day_closed_for_once_has_no_night_of_its_own_and_that_before_goes_on_into_it(self):
        every = bar(thursday=[["22:00", "02:00"]], friday=[["22:00", "02:00"]])  # 25 December is a Friday
        assert every.open_until(at(25, 1, month=12)) == at(25, 2, month=12)
        assert (
            every.open_until(at(25, 23, month=12)) is None and every.open_until(at(26, 1, month=12)) is None
        )

    def test_what_follows_on_at_midnight_is_one_stretch(self):
        days = {name: [["00:00", "24:00"]] for name in ("friday", "saturday")}
        weekend = bar(**days, sunday=[["00:00", "18:00"]])
        for now, until in (
            (at(29, 9), "until 6 pm"),
            (at(28, 19), "until 6 pm"),
            (at(28, 9), "until tomorrow at 6 pm"),
            (at(27, 9), "until Sunday at 6 pm"),
        ):
            assert hours.status(weekend, now) == f"We're open right now, {until}."
        assert "Friday and Saturday around the clock and on Sunday" in hours.weekly(weekend)

    def test_around_the_clock_has_no_end(self):
        every = {name: [["00:00", "24:00"]] for name in WEEKDAYS}
        always = OpeningHours(bar(**every).week, BERLIN)
        assert hours.weekly(always) == "We're open around the clock, every day."
        assert hours.status(always, at(27, 0)) == "We're open right now."
        assert hours.answer(always, "are you open tomorrow", at(27, 9)) == (
            "Tomorrow, we're open around the clock."
        )
        assert hours.status(bar(**every), at(24, 9, month=12)) == (
            "We're open right now, until midnight."  # 25 December is closed
        )


class TestWhenTheClockIsChanged:
    """Berlin puts it forward on 29 March 2026 (02:00 is 03:00), and back on 25 October (03:00 is 02:00)."""

    def test_a_night_in_spring_is_an_hour_shorter_and_still_ends_at_its_time(self):
        night = bar(saturday=[["22:00", "04:00"]])
        (opens, closes) = night.stretches(date(2026, 3, 28))[0]
        assert closes - opens == timedelta(hours=5)
        assert night.open_until(at(29, 3, 59, month=3)) and not night.open_until(at(29, 4, month=3))

    def test_a_night_in_autumn_is_an_hour_longer_and_does_not_close_in_between(self):
        night = bar(saturday=[["22:00", "04:00"]])
        (opens, closes) = night.stretches(date(2026, 10, 24))[0]
        assert closes - opens == timedelta(hours=7)
        began = at(24, 22, month=10).astimezone(UTC)
        assert all(night.open_until(began + timedelta(minutes=minute)) for minute in range(7 * 60))
        assert not night.open_until(began + timedelta(hours=7))

    def test_an_end_that_the_clock_leaves_out_comes_as_much_later(self):
        night = bar(saturday=[["22:00", "02:30"]])
        assert hours.status(night, at(29, 3, 15, month=3)) == "We're open right now, until 3:30 am."
        assert not night.open_until(at(29, 3, 30, month=3))

    def test_an_end_that_comes_twice_is_the_first(self):
        night = bar(saturday=[["22:00", "02:30"]])
        assert night.open_until(at(25, 2, 29, month=10))
        assert not night.open_until(at(25, 2, 30, month=10))
        assert not night.open_until(at(25, 2, 15, month=10, fold=1))

    def test_the_day_itself_is_whole_around_the_clock(self):
        always = bar(**{name: [["00:00", "24:00"]] for name in WEEKDAYS})
        for month, day in ((3, 29), (10, 25)):
            midnight = at(day, 0, month=month).astimezone(UTC)
            assert all(always.open_until(midnight + timedelta(minutes=10 * tenth)) for tenth in range(6 * 26))


def test_a_day_that_is_further_than_a_week_is_told_with_its_date() -> None:
    days = ("monday", "tuesday", "wednesday", "thursday", "friday")
    closed = ["2026-12-24", "2026-12-25", *(f"2026-12-{day}" for day in range(28, 32)), "2027-01-01"]
    data = {
        "timezone": "Europe/London",
        "week": {day: [["09:00", "17:00"]] for day in days},
        "closed_on": closed,
    }
    week = opening_hours(data, "hours")
    told = hours.status(week, datetime(2026, 12, 23, 18, tzinfo=UTC))
    assert "on Monday, January 4 at 9 am" in told
