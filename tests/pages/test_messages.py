"""Messages that callers left: on the call's page, in a list of all, on the overview."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.test import Client

from agents.models import Agent
from telephony.models import Call
from telephony.session.events import MessageTaken
from tests.factories import ended, make_agent, make_call, spoken


@pytest.fixture
def agent(db: None) -> Agent:
    return make_agent("Front desk", slug="front-desk")


def leave(agent: Agent, name: str = "David Brown", **changed: object) -> Call:
    fields = {
        "number": "+14155550132",
        "number_confirmed": True,
        "words": "Please call me.",
        "complete": True,
    }
    taken = MessageTaken(at_seconds=9.0, name=name, **(fields | changed))  # type: ignore[arg-type]
    return make_call(agent, ended([*spoken([("Hello.", "Hello.")]), taken]))


def test_all_are_listed_with_whom_to_call_back_and_where_it_was_said(
    alices_browser: Client, agent: Agent
) -> None:
    call = leave(agent)
    page = alices_browser.get("/calls/messages/").text
    assert "David Brown" in page and "Please call me." in page
    assert 'href="tel:+14155550132"' in page and "+1 415-555-0132" in page
    assert f'href="{call.get_absolute_url()}"' in page
    assert "cut short" not in page


def test_what_was_not_told_is_said_to_be_missing(alices_browser: Client, agent: Agent) -> None:
    leave(agent, name="", number="", number_confirmed=False, complete=False)
    page = alices_browser.get("/calls/messages/").text
    assert "No name given" in page and "no number" in page and "cut short" in page
    assert "tel:" not in page


@pytest.mark.parametrize("words", ["david", "call me", "415 555", "+1 (415) 555-0132"])
def test_they_are_found_by_name_number_or_words(alices_browser: Client, agent: Agent, words: str) -> None:
    leave(agent)
    leave(agent, name="Ann", number="2025550100", words="My prescription.")
    page = alices_browser.get("/calls/messages/", {"q": words}).text
    assert "David Brown" in page
    assert "Ann" not in page


def test_a_search_without_a_find_differs_from_having_none(alices_browser: Client, agent: Agent) -> None:
    assert "No messages yet" in alices_browser.get("/calls/messages/").text
    leave(agent)
    assert "No messages match" in alices_browser.get("/calls/messages/", {"q": "nobody"}).text


def test_the_list_asks_little_of_the_database(
    alices_browser: Client, agent: Agent, django_assert_max_num_queries: object
) -> None:
    for _ in range(5):
        leave(agent)
    with django_assert_max_num_queries(6):  # type: ignore[operator]
        alices_browser.get("/calls/messages/")


def test_a_calls_page_shows_its_message(alices_browser: Client, agent: Agent) -> None:
    page = alices_browser.get(leave(agent, number_confirmed=False).get_absolute_url())
    assert [message.name for message in page.context["transcript"].messages] == ["David Brown"]
    assert "The caller did not confirm the number." in page.text
    assert "Message taken" in page.text


def test_the_overview_shows_the_latest(alices_browser: Client, agent: Agent) -> None:
    leave(agent)
    assert "David Brown" in alices_browser.get("/").text


def test_what_callers_say_is_never_markup(alices_browser: Client, agent: Agent) -> None:
    call = leave(agent, name="<script>alert(1)</script>", words="<img src=x>")
    for address in ("/", "/calls/messages/", call.get_absolute_url()):
        page = alices_browser.get(address).text
        assert "<script>alert(1)" not in page and "<img src=x>" not in page


def test_strangers_are_asked_to_sign_in(client: Client, agent: Agent) -> None:
    assert client.get("/calls/messages/").status_code == 302


def test_one_that_went_on_after_it_was_taken_is_shown_once_and_whole(
    alices_browser: Client, agent: Agent
) -> None:
    taken = MessageTaken(name="Ann", number="", number_confirmed=False, words="The wheel", complete=True)
    whole = replace(taken, words="The wheel and the bell")
    second = replace(taken, words="Also my lamp", ordinal=2)
    call = make_call(agent, ended([*spoken([]), taken, whole, second]))
    page = alices_browser.get("/calls/messages/").text
    assert page.count("The wheel") == page.count("The wheel and the bell") > 0
    assert "Also my lamp" in page
    transcript = alices_browser.get(call.get_absolute_url()).context["transcript"]
    assert [message.words for message in transcript.messages] == ["The wheel and the bell", "Also my lamp"]
    assert sum(line.kind == "message_taken" for line in transcript.lines) == 2
