"""Opening hours as people write them."""

from __future__ import annotations

import pytest

from agents.demo import DEMO_FACTS
from agents.hours_text import read_hours, write_hours

DEMO_HOURS = next(fact["hours"] for fact in DEMO_FACTS if "hours" in fact)
NINE_TO_FIVE = [["09:00", "17:00"]]


def test_what_is_written_is_read_again() -> None:
    text = write_hours(DEMO_HOURS)
    assert text.splitlines()[:3] == [
        "Monday to Thursday: 08:00-18:00",
        "Friday: 08:00-16:00",
        "Saturday: 09:00-13:00",
    ]
    again = read_hours(text)
    assert again["closed_on"] == DEMO_HOURS["closed_on"]
    assert again["week"] == {day: spans for day, spans in DEMO_HOURS["week"].items() if spans}


@pytest.mark.parametrize(
    ("line", "week"),
    [
        ("Monday: 09:00-17:00", {"monday": NINE_TO_FIVE}),
        ("mon 9-17", {"monday": NINE_TO_FIVE}),
        ("Tue 9 am to 5 pm", {"tuesday": NINE_TO_FIVE}),
        ("Wed: 9am-12pm, 1pm-5pm", {"wednesday": [["09:00", "12:00"], ["13:00", "17:00"]]}),
        ("Sat and Sun 10:30 – 12.15", {"saturday": [["10:30", "12:15"]], "sunday": [["10:30", "12:15"]]}),
        ("Sat-Mon: 9-17", {"saturday": NINE_TO_FIVE, "sunday": NINE_TO_FIVE, "monday": NINE_TO_FIVE}),
        ("Sunday: closed", {"sunday": []}),
        ("Fri 10 pm - 2 am", {"friday": [["22:00", "02:00"]]}),
        ("Fri 18-24", {"friday": [["18:00", "24:00"]]}),
        ("Fri 6 pm to 12 am", {"friday": [["18:00", "24:00"]]}),
        ("Sat 0-24", {"saturday": [["00:00", "24:00"]]}),
    ],
)
def test_the_usual_spellings(line: str, week: dict[str, list[list[str]]]) -> None:
    assert read_hours(line)["week"] == week


def test_two_lines_of_one_day_are_two_spans() -> None:
    assert read_hours("Mon 9-12\nMon 13-17")["week"]["monday"] == [["09:00", "12:00"], ["13:00", "17:00"]]


@pytest.mark.parametrize(
    "line", ["someday 9-17", "Monday: nine to five", "Monday 9", "9-17", "Mon 9-17 maybe"]
)
def test_what_cannot_be_read_is_said(line: str) -> None:
    with pytest.raises(ValueError, match=line):
        read_hours(f"Tuesday: 9-17\n{line}")
