"""The door between the JSON column and typed facts."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError

from agents.demo import DEMO_FACTS
from agents.facts import read_facts, write_facts

FACT: dict[str, Any] = {"topic": "Parking", "answer": "Behind the shop.", "questions": ["where can I park"]}
WEEK = {"monday": [["09:00", "18:00"]]}
HOURS = {"timezone": "Europe/London", "week": WEEK}


def test_what_is_read_is_written_back_the_same() -> None:
    once = write_facts(read_facts(DEMO_FACTS))
    assert write_facts(read_facts(once)) == once
    assert [item["topic"] for item in once] == [item["topic"] for item in DEMO_FACTS]
    assert once[1]["hours"]["week"]["saturday"] == [["09:00", "13:00"]]


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({}, "facts:"),
        (["text"], "facts[0]:"),
        ([FACT, {**FACT, "topic": "parking"}], "facts[1].topic:"),
        ([{**FACT, "topic": ""}], "facts[0].topic:"),
        ([{**FACT, "answer": 3}], "facts[0].answer:"),
        ([{**FACT, "answer": ""}], "facts[0].answer:"),
        ([{**FACT, "answer": "x" * 601}], "facts[0].answer:"),
        ([{**FACT, "questions": "where"}], "facts[0].questions:"),
        ([{**FACT, "questions": ["where", None]}], "facts[0].questions[1]:"),
        ([{**FACT, "follow_up": "email"}], "facts[0].follow_up:"),
        ([{**FACT, "urgent": "yes"}], "facts[0].urgent:"),
        ([{**FACT, "anser": "typo"}], "facts[0].anser:"),
        ([{**FACT, "hours": {"week": WEEK}}], "facts[0].hours.timezone:"),
        ([{**FACT, "hours": {**HOURS, "timezone": "Mars/Olympus"}}], "facts[0].hours.timezone:"),
        ([{**FACT, "hours": {**HOURS, "timezone": "../../etc/passwd"}}], "facts[0].hours.timezone:"),
        ([{**FACT, "hours": {**HOURS, "week": {"mon": []}}}], "facts[0].hours.week.mon:"),
        (
            [{**FACT, "hours": {**HOURS, "week": {"monday": [["9", "18:00"]]}}}],
            "facts[0].hours.week.monday[0][0]:",
        ),
        ([{**FACT, "hours": {**HOURS, "week": {"monday": [["18:00"]]}}}], "facts[0].hours.week.monday[0]:"),
        pytest.param(
            [{**FACT, "hours": {**HOURS, "week": {"monday": [["09:00", "09:00"]]}}}],
            "facts[0].hours.week.monday[0]:",
            id="never open",
        ),
        pytest.param(
            [{**FACT, "hours": {**HOURS, "week": {"monday": [["00:00", "00:00"]]}}}],
            "facts[0].hours.week.monday[0]:",
            id="midnight to midnight",
        ),
        pytest.param(
            [{**FACT, "hours": {**HOURS, "week": {"monday": [["24:00", "02:00"]]}}}],
            "facts[0].hours.week.monday[0][0]:",
            id="opens at the end of a day",
        ),
        pytest.param(
            [{**FACT, "hours": {**HOURS, "week": {"monday": [["09:00", "24:30"]]}}}],
            "facts[0].hours.week.monday[0][1]:",
            id="after the end of a day",
        ),
        pytest.param(
            [{**FACT, "hours": {**HOURS, "week": {"monday": [["22:00", "02:00"], ["23:00", "23:30"]]}}}],
            "facts[0].hours.week.monday[1]:",
            id="while it is open still",
        ),
        pytest.param(
            [{**FACT, "hours": {**HOURS, "week": {"monday": [["09:00", "12:00"], ["11:00", "15:00"]]}}}],
            "facts[0].hours.week.monday[1]:",
            id="twice at once",
        ),
        ([{**FACT, "hours": {**HOURS, "closed_on": ["25.12."]}}], "facts[0].hours.closed_on[0]:"),
    ],
)
def test_what_is_wrong_is_named_by_its_field(data: object, field: str) -> None:
    with pytest.raises(ValidationError) as raised:
        read_facts(data)
    assert raised.value.messages[0].startswith(field)


def test_a_fact_needs_no_example_questions() -> None:
    (fact,) = read_facts([{"topic": "Parking", "answer": "Behind the shop."}])
    assert fact.questions == ()


def test_hours_past_midnight_and_to_the_end_of_a_day_stay_as_they_were_written() -> None:
    week = {
        "friday": [["09:00", "12:00"], ["22:00", "02:00"]],
        "saturday": [["18:00", "24:00"]],
        "sunday": [["00:00", "24:00"]],
    }
    kept = write_facts(read_facts([{**FACT, "hours": {**HOURS, "week": week}}]))[0]["hours"]["week"]
    assert {day: spans for day, spans in kept.items() if spans} == week
