"""What the palette finds, and for whom."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.factories import make_agent, make_call, make_number, spoken
from voiceforge_site.access.rules import PAGES, Rule


@pytest.fixture
def place(db: None):
    desk = make_agent("Front desk", slug="front-desk")
    make_agent("Old front", slug="old", status="archived")
    make_number("+14155550100", agent=desk)
    return make_call(desk, spoken([]), caller="+14155550132")


def titles(browser: Client, words: str) -> list[str]:
    groups = browser.get("/palette/", {"q": words}).context["groups"]
    return [f"{group.label}: {entry.title}" for group in groups for entry in group.entries]


def test_agents_are_found_with_what_can_be_done_with_them(alices_browser: Client, place: object) -> None:
    assert titles(alices_browser, "front") == [
        "Agents: Front desk",
        "Agents: Old front",
        "Talk: Talk to Front desk",
        "Call history: Search calls for “front”",
    ]


@pytest.mark.parametrize("words", ["+14155550132", "(415) 555-0132", "0132"])
def test_calls_are_found_by_number(alices_browser: Client, place: object, words: str) -> None:
    assert "Calls: Call of +1 415-555-0132" in titles(alices_browser, words)


def test_a_call_is_found_by_the_beginning_of_its_id(alices_browser: Client, place) -> None:
    [group, _search] = alices_browser.get("/palette/", {"q": str(place.pk)[:13]}).context["groups"]
    assert [entry.url for entry in group.entries] == [place.get_absolute_url()]


def test_a_number_of_ours_leads_to_its_page_or_to_who_answers_it(
    alices_browser: Client, bobs_browser: Client, place: object
) -> None:
    for browser, url in ((alices_browser, "/numbers/14155550100/"), (bobs_browser, "/agents/front-desk/")):
        [group, _search] = browser.get("/palette/", {"q": "0100"}).context["groups"]
        [entry] = group.entries
        assert (entry.title, entry.url) == ("+1 415-555-0100", url)


def test_a_better_match_goes_before_a_weaker_of_another_kind(alices_browser: Client, db: None) -> None:
    make_agent("Live")
    assert titles(alices_browser, "live")[0] == "Agents: Live"
    assert titles(alices_browser, "call hist")[0] == "Pages: Call history"


def test_whatever_is_typed_can_be_searched_for_in_calls_last_of_all(
    alices_browser: Client, place: object
) -> None:
    for words in ("front", "x", "a & b", "0132"):
        groups = alices_browser.get("/palette/", {"q": words}).context["groups"]
        assert groups[-1].entries[-1].title == f"Search calls for “{words}”"
        listed = alices_browser.get(groups[-1].entries[-1].url)
        assert listed.context["filters"].words == words
    assert not [title for title in titles(alices_browser, "") if "Search calls" in title]


def test_nothing_is_found_that_the_person_may_not_see(charlies_browser: Client, place: object) -> None:
    assert titles(charlies_browser, "front") == titles(charlies_browser, "0132") == []
    assert titles(charlies_browser, "") == [
        "Actions: Your profile",
        "Actions: Switch between light and dark",
        "Actions: Keyboard shortcuts",
        "Actions: Sign out",
    ]


def test_who_builds_nothing_is_offered_no_new_agent(bobs_browser: Client, db: None) -> None:
    assert titles(bobs_browser, "new agent") == ["Call history: Search calls for “new agent”"]


def test_much_found_costs_no_more_questions(
    alices_browser: Client, place: object, django_assert_max_num_queries
) -> None:
    for number in range(20):
        make_call(make_agent(f"Front {number}"), spoken([]), caller=f"+1415555{number:04}")
    with django_assert_max_num_queries(11):
        assert len(titles(alices_browser, "415555")) == 8


def test_voices_are_found_by_name_and_by_language(alices_browser: Client, db: None) -> None:
    [voices] = [
        group for group in alices_browser.get("/palette/", {"q": "aditi"}).context["groups"] if group.rank < 3
    ]
    assert [(entry.title, entry.url, entry.hint) for entry in voices.entries] == [
        ("Aditi, Hindi", "/voices/#voice-hindi-aditi-f", "Female")
    ]
    assert "Voices: Voices in German" in titles(alices_browser, "german")
    assert "Voices: Anna, German" in titles(alices_browser, "german anna")
    joes = alices_browser.get("/palette/", {"q": "joe"}).context["groups"][0].entries
    assert [entry.hint for entry in joes] == ["piper-joe", "transformers-vits-joe"], "to be told apart"


def test_who_may_not_see_voices_finds_none(charlies_browser: Client, db: None) -> None:
    assert titles(charlies_browser, "aditi") == []


def test_people_are_found_by_who_may_manage_them_alone(
    alices_browser: Client, bobs_browser: Client, monkeypatch
) -> None:
    monkeypatch.setitem(PAGES, "people:person", Rule("voiceforge_site.manage_people"))
    monkeypatch.setattr("voiceforge_site.palette.reverse", lambda name, args=(): f"/{name}/{list(args)}")
    assert titles(alices_browser, "bob")[:1] == ["People: bob"]
    assert "People: alice" not in titles(bobs_browser, "alice")
