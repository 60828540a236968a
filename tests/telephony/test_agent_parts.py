"""What the pages of agents are told by the telephone."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from tests.factories import make_agent, make_call, make_number


@pytest.fixture
def agent(db):
    return make_agent("Front desk", slug="desk")


def test_the_usage_of_an_agent_is_one_line(alices_browser, agent):
    def line():
        page = alices_browser.get("/agents/desk/usage/").text
        return " ".join("".join(part.split(">")[-1] for part in page.split("<")).split())

    assert line() == "Answers no number. No calls this week."
    make_number("+14155550123", agent=agent)
    make_call(agent)
    make_call(agent, started=timezone.now() - timedelta(days=8))
    assert line() == "Answers 1 number. 1 call this week."
    make_number("+14155550124", agent=agent)
    make_call(agent)
    assert line() == "Answers 2 numbers. 2 calls this week."


def test_who_archives_an_agent_is_told_the_numbers_it_answers(alices_browser, agent):
    quiet = make_agent("Quiet", slug="quiet")
    make_number("+14155550123", agent=agent)
    assert alices_browser.get("/agents/numbers/?agent=quiet").text.strip() == ""
    told = alices_browser.get(f"/agents/numbers/?agent=desk&agent={quiet.slug}").text
    assert "+1 415-555-0123" in told and "Front desk" in told and "This number would be" in told


@pytest.mark.parametrize(
    ("eagerness", "seconds"),
    [("0", "0.600"), ("0.5", "0.300"), ("1", "0.200"), ("9", "0.200"), ("x", "0.300")],
)
def test_an_eagerness_is_explained_in_seconds(alices_browser, eagerness, seconds):
    part = alices_browser.get("/agents/pauses/", {"eagerness": eagerness}).text
    assert f'data-finished="{seconds}"' in part and "The agent answers" in part
