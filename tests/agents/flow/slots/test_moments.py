"""Dates and times, seen from a Wednesday, the fourth of March 2026, at ten in the morning."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from agents.flow.slots import Refusal, Slot, Value, read, read_keys

from .conftest import NOW, Ask

DATE, TIME = Slot("date", "Which day?"), Slot("time", "What time?")
WHEN = Slot("datetime", "When?", must_be_future=True)


@pytest.mark.parametrize(
    ("words", "day"),
    [
        ("tomorrow", "2026-03-05"),
        ("the day after tomorrow", "2026-03-06"),
        ("yesterday", "2026-03-03"),
        ("on Tuesday", "2026-03-10"),
        ("next Tuesday", "2026-03-10"),
        ("this Friday", "2026-03-06"),
        ("last Monday", "2026-03-02"),
        ("next week Thursday", "2026-03-12"),
        ("Thursday of next week", "2026-03-12"),
        ("a week from Friday", "2026-03-13"),
        ("Monday week", "2026-03-16"),
        ("Monday after next", "2026-03-16"),
        ("in two weeks", "2026-03-18"),
        ("two weeks from today", "2026-03-18"),
        ("in a couple of weeks", "2026-03-18"),
        ("in ten days", "2026-03-14"),
        ("in a month", "2026-04-04"),
        ("three weeks ago", "2026-02-11"),
        ("the fourteenth of March", "2026-03-14"),
        ("March the tenth", "2026-03-10"),
        ("March 12th, please", "2026-03-12"),
        ("May 5th", "2026-05-05"),
        ("Tuesday the tenth", "2026-03-10"),
        ("the twenty first", "2026-03-21"),
        ("the first of next month", "2026-04-01"),
        ("the last day of the month", "2026-03-31"),
        ("3/14", "2026-03-14"),
        ("2026-05-01", "2026-05-01"),
        ("uh that would be March 12 please", "2026-03-12"),
        ("June second nineteen eighty five", "1985-06-02"),
        ("the second of June 1985", "1985-06-02"),
        ("July 4th, 1990", "1990-07-04"),
        ("twelve twenty-five two thousand and three", "2003-12-25"),
        ("1st of Jan 2027", "2027-01-01"),
    ],
)
def test_a_day_is_heard_however_it_is_said(words: str, day: str) -> None:
    assert isinstance(value := read(DATE, words, NOW), Value)
    assert (value.value, value.sure) == (day, True)


@pytest.mark.parametrize(
    ("words", "day", "why"),
    [
        ("the third of March", "2027-03-03", "that was yesterday"),
        ("next Friday", "2026-03-13", "to some, the one in two days"),
        ("Wednesday", "2026-03-04", "today, or in a week"),
        ("Tuesday the third", "2026-04-03", "a Friday"),
        ("4/3", "2026-04-03", "the fourth of March elsewhere"),
        ("oh six oh two nineteen eighty-five", "1985-06-02", "the sixth of February elsewhere"),
        ("as soon as possible", "2026-03-04", "no day was named"),
        ("seven four ninety", "1990-07-04", "the century is a guess"),
    ],
)
def test_a_day_that_may_be_another_one_is_doubted(words: str, day: str, why: str) -> None:
    assert isinstance(value := read(DATE, words, NOW), Value)
    assert (value.value, value.sure) == (day, False), why


def test_the_order_of_day_and_month_is_that_of_the_region() -> None:
    british = Slot("date", "Which day?", region="GB")
    assert read(british, "4/3/2027", NOW).value == "2027-03-04"
    assert read(british, "3/14", NOW).value == "2026-03-14", "there is no fourteenth month"
    assert read_keys(british, "04032027", NOW).value == "2027-03-04"


@pytest.mark.parametrize("words", ["the 30th of February", "4/31", "some time next week", "hello", ""])
def test_what_is_no_day_is_refused(words: str) -> None:
    assert isinstance(read(DATE, words, NOW), Refusal)


@pytest.mark.parametrize(
    ("words", "at"),
    [
        ("noon", "12:00"),
        ("midnight", "00:00"),
        ("five minutes to noon", "11:55"),
        ("three pm", "15:00"),
        ("3 p.m.", "15:00"),
        ("2:30pm", "14:30"),
        ("2.30 p.m.", "14:30"),
        ("eight thirty a.m.", "08:30"),
        ("at 14:30", "14:30"),
        ("fourteen thirty", "14:30"),
        ("oh eight hundred", "08:00"),
        ("a quarter to nine in the morning", "08:45"),
        ("quarter past four pm", "16:15"),
        ("half two in the afternoon", "14:30"),
        ("ten to eight pm", "19:50"),
        ("twenty five past four in the afternoon", "16:25"),
        ("quarter of six pm", "17:45"),
        ("eleven at night", "23:00"),
        ("12:30 am", "00:30"),
        ("12:30 pm", "12:30"),
        ("seven in the evening", "19:00"),
    ],
)
def test_a_time_is_heard_however_it_is_said(words: str, at: str) -> None:
    assert isinstance(value := read(TIME, words, NOW), Value)
    assert (value.value, value.sure) == (at, True)


@pytest.mark.parametrize(
    ("words", "question"),
    [
        ("half past two", "Is that two thirty in the morning, or two thirty in the afternoon?"),
        ("at seven o'clock", "Is that seven o'clock in the morning, or seven o'clock in the evening?"),
        ("9:05", "Is that nine oh five in the morning, or nine oh five in the evening?"),
        ("twelve", "Is that midnight, or noon?"),
    ],
)
def test_a_time_that_may_be_in_either_half_of_the_day_is_asked_back(words: str, question: str) -> None:
    assert isinstance(refusal := read(TIME, words, NOW), Refusal)
    assert (refusal.reason, refusal.hint) == ("which_half", question)


@pytest.mark.parametrize(
    ("words", "moment"),
    [
        ("tomorrow at half past two in the afternoon", "2026-03-05T14:30"),
        ("Friday at three thirty in the afternoon", "2026-03-06T15:30"),
        ("five o'clock tomorrow evening", "2026-03-05T17:00"),
        ("today at noon", "2026-03-04T12:00"),
        ("tonight at eight", "2026-03-04T20:00"),
        ("the 21st of April at 3 pm", "2026-04-21T15:00"),
        ("10 a.m. on the 5th of May", "2026-05-05T10:00"),
        ("March 12 2 30 pm", "2026-03-12T14:30"),
        ("this Friday morning at ten", "2026-03-06T10:00"),
        ("Thursday the nineteenth at 11:15 am", "2026-03-19T11:15"),
        ("in half an hour", "2026-03-04T10:30"),
        ("in an hour and a half", "2026-03-04T11:30"),
        ("in three days at nine am", "2026-03-07T09:00"),
        ("tomorrow at 1430", "2026-03-05T14:30"),
        ("now let me see, Thursday at 2 pm", "2026-03-05T14:00"),
        ("good morning, I'd like Thursday at 2 pm", "2026-03-05T14:00"),
        ("today at three", "2026-03-04T15:00"),  # three in the morning is over
    ],
)
def test_a_day_with_its_time_is_heard(words: str, moment: str) -> None:
    assert isinstance(value := read(WHEN, words, NOW), Value)
    assert (value.value, value.sure) == (moment, True)


def test_a_moment_is_read_back_for_the_ear() -> None:
    assert read(WHEN, "Tuesday half past two pm", NOW).spoken == (
        "Tuesday the tenth of March at two thirty in the afternoon"
    )
    assert read(DATE, "the second of June 1985", NOW).spoken == "the second of June nineteen eighty five"


def test_a_moment_keeps_the_zone_of_the_clock_with_summer_time() -> None:
    now = datetime(2026, 3, 27, 10, 0, tzinfo=ZoneInfo("Europe/Berlin"))
    assert read(WHEN, "tomorrow at 3 pm", now).value == "2026-03-28T15:00+01:00"
    assert read(WHEN, "Monday at 3 pm", now).value == "2026-03-30T15:00+02:00"


@pytest.mark.parametrize("words", ["today at nine am", "yesterday at noon", "March 1st 2026 at 3 pm"])
def test_what_has_passed_is_refused_where_the_future_is_wanted(words: str) -> None:
    assert read(WHEN, words, NOW).reason == "past"
    assert isinstance(read(Slot("datetime", "When was it?"), words, NOW), Value)


def test_a_weekday_whose_time_is_over_is_that_of_next_week() -> None:
    assert read(WHEN, "Wednesday at nine am", NOW).value == "2026-03-11T09:00"


def test_midnight_ends_the_day_it_is_said_of() -> None:
    assert read(WHEN, "tonight at midnight", NOW) == Value(
        "2026-03-05T00:00", "midnight between Wednesday and Thursday the fifth of March", sure=False
    )


def test_what_is_missing_is_asked_for_and_costs_no_attempt(ask: Ask) -> None:
    when = ask("datetime", attempts=1)
    assert when.say("at four") == "On which day?"
    assert when.say("Friday") == "Is that four o'clock in the morning, or four o'clock in the afternoon?"
    assert when.say("the afternoon") == ""
    assert when.value == "2026-03-06T16:00"


def test_the_part_of_the_day_that_was_told_settles_the_time_told_later(ask: Ask) -> None:
    when = ask("datetime")
    assert when.say("tomorrow afternoon") == "At what time?"
    when.say("at three")
    assert when.value == "2026-03-05T15:00"


def test_a_question_that_was_not_answered_is_asked_again_and_costs_one(ask: Ask) -> None:
    when = ask("datetime", attempts=2)
    when.say("tomorrow at three")
    assert when.say("three") == (
        "I'm sorry, I didn't get that. "
        "Is that three o'clock in the morning, or three o'clock in the afternoon?"
    )
    when.say("three")
    assert when.gatherer.failed


@pytest.mark.parametrize(
    ("words", "moment"),
    [("the second one", "T15:00"), ("p.m.", "T15:00"), ("in the morning", "T03:00"), ("the first", "T03:00")],
)
def test_the_half_of_the_day_is_told_in_many_ways(ask: Ask, words: str, moment: str) -> None:
    when = ask("datetime")
    when.say("tomorrow at three")
    when.say(words)
    assert when.value == f"2026-03-05{moment}"


def test_another_day_in_place_of_the_half_is_taken(ask: Ask) -> None:
    when = ask("datetime")
    when.say("tomorrow at three")
    assert when.say("no, I said Friday").startswith("Is that three o'clock in the morning")
    when.say("the afternoon")
    assert when.value == "2026-03-06T15:00"


def test_a_moment_is_keyed_in_part_by_part(ask: Ask) -> None:
    when = ask("datetime")
    assert when.press("0314") == "At what time?"
    assert "in the morning, or" in when.press("0230#")
    when.press("2")
    assert when.value == "2026-03-14T14:30"


@pytest.mark.parametrize(
    ("words", "right"),
    [
        ("no, Friday", "2026-03-06T14:30"),
        ("no at four", "2026-03-05T16:00"),
        ("no, in the morning", "2026-03-05T02:30"),
        ("not tomorrow, Monday", "2026-03-09T14:30"),
        ("the tenth", "2026-03-10T14:30"),
        ("no, Friday at 9 am", "2026-03-06T09:00"),
    ],
)
def test_a_part_of_a_moment_is_put_right(ask: Ask, words: str, right: str) -> None:
    when = ask("datetime", confirm="always")
    when.say("tomorrow at half past two pm")
    assert "Is that right?" in when.say(words)
    when.say("yes")
    assert when.value == right


@pytest.mark.parametrize(
    ("words", "right"),
    [
        ("no, nineteen eighty six", "1986-06-02"),
        ("no, the third", "1985-06-03"),
        ("no, July", "1985-07-02"),
    ],
)
def test_a_part_of_a_birthday_is_put_right(ask: Ask, words: str, right: str) -> None:
    birthday = ask("date", confirm="always")
    birthday.say("June second nineteen eighty five")
    assert "Is that right?" in birthday.say(words)
    birthday.say("yes")
    assert birthday.value == right
