"""The live board as the server draws it: order, filters, the wall, and what is offered to whom."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from telephony.session.events import EngineFailed, StepNoted
from tests.factories import ended, make_agent, make_call, spoken
from voiceforge_site.models import User

TURNS = [("When are you open?", "From eight to six."), ("Thank you.", "You're welcome.")]
FAILED = EngineFailed(at_seconds=20, engine="stt", error="down", remedy="apologised")
ASKED = StepNoted(at_seconds=20, note="intent", name="transfer", data={"score": 0.9})


@pytest.fixture
def agent(db):
    return make_agent("Front desk")


def shown(page) -> list[str]:
    return [card.caller for card in page.context["cards"]]


def test_who_needs_a_person_comes_first_and_calls_that_are_over_not_at_all(alices_browser, agent):
    make_call(agent, spoken(TURNS), caller="old", started=timezone.now() - timedelta(minutes=9))
    make_call(agent, spoken(TURNS), caller="new")
    make_call(agent, [*spoken(TURNS), FAILED], caller="failing")
    make_call(agent, [*spoken(TURNS), ASKED], caller="asking")
    make_call(agent, ended(spoken(TURNS)), caller="over")
    page = alices_browser.get("/calls/live/")
    assert shown(page) == ["asking", "failing", "old", "new"]
    assert page.context["counts"] == {"live": 4, "attention": 2, "shown": 4}


def test_a_card_says_why_and_since_when(alices_browser, agent):
    call = make_call(agent, [*spoken(TURNS), ASKED])
    page = alices_browser.get("/calls/live/").text
    assert "The caller asked for a person" in page
    assert f'data-start="{call.created_at.timestamp() + 20:.3f}' in page


def test_a_call_that_rings_is_on_the_board(alices_browser, agent):
    make_call(agent, caller="ringing")
    assert shown(alices_browser.get("/calls/live/")) == ["ringing"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"agent": "hotel"}, ["+14155550002"]),
        ({"line": "browser"}, ["bob"]),
        ({"state": "ringing"}, ["bob"]),
        ({"needs": "person"}, ["+14155550001"]),
        ({"q": "(415) 555-0002"}, ["+14155550002"]),
        ({"q": "HOTEL"}, ["+14155550002"]),
        ({"q": "parking"}, ["+14155550002"]),
        ({"q": "nobody"}, []),
        ({"agent": "hotel", "needs": "person"}, []),
    ],
)
def test_it_is_filtered_by_the_address(alices_browser, agent, query, found):
    hotel = make_agent("Hotel", slug="hotel")
    make_call(agent, [*spoken(TURNS), ASKED], caller="+14155550001")
    make_call(hotel, spoken([("Is there parking?", "Parking is free.")]), caller="+14155550002")
    make_call(agent, caller="bob", line="browser", direction="web")
    page = alices_browser.get("/calls/live/", query)
    assert shown(page) == found
    assert page.context["counts"]["live"] == 3


def test_each_choice_says_how_many_calls_it_stands_for(alices_browser, agent):
    make_call(agent, spoken(TURNS))
    make_call(agent)
    page = alices_browser.get("/calls/live/", {"state": "ringing"}).text
    assert "Front desk (2)" in page
    assert ">Ringing (1)" in page and ">Thinking (0)" in page
    assert "1 of 2 calls shown" in page


def test_with_a_filter_counts_say_how_many_of_how_many(alices_browser, agent):
    hotel = make_agent("Hotel", slug="hotel")
    make_call(hotel, [*spoken(TURNS), ASKED])
    for _ in range(2):
        make_call(agent, [*spoken(TURNS), ASKED])
    make_call(agent, spoken(TURNS))
    everything = alices_browser.get("/calls/live/").text
    assert '<i class="vf-num" data-count="live">4</i>' in everything
    assert '<i class="vf-num" data-count="attention">3</i>' in everything
    page = alices_browser.get("/calls/live/", {"agent": "hotel", "needs": "person"}).text
    assert '<i class="vf-num" data-count="live">1 of 4</i>' in page
    assert '<i class="vf-num" data-count="attention">1 of 3</i>' in page
    wall = alices_browser.get("/calls/live/", {"needs": "person", "wall": "1"}).text
    assert '<b data-count="shown">3 of 4</b>' in wall


def test_on_the_wall_nobody_who_needs_a_person_is_no_warning(alices_browser, agent):
    make_call(agent, spoken(TURNS))
    assert (
        '<span class="vf-wall-attention"><b data-count="attention">0</b>'
        in alices_browser.get("/calls/live/?wall=1").text
    )
    make_call(agent, [*spoken(TURNS), ASKED])
    page = alices_browser.get("/calls/live/?wall=1").text
    assert '<span class="vf-wall-attention" data-any><b data-count="attention">1</b>' in page


def test_without_calls_it_says_what_would_be_here(alices_browser, agent):
    page = alices_browser.get("/calls/live/").text
    assert "No call is in progress" in page
    assert "Talk to Front desk" in page


def test_filtered_to_nothing_is_said_otherwise_than_no_calls(alices_browser, agent):
    make_call(agent, spoken(TURNS))
    page = alices_browser.get("/calls/live/", {"q": "nobody"}).text
    assert '<div class="vf-card" data-board-empty hidden>' in page
    assert '<div class="vf-card" data-board-unmatched>' in page


def test_the_wall_keeps_the_filters(alices_browser, agent):
    page = alices_browser.get("/calls/live/", {"wall": "1", "needs": "person"}).text
    assert "vf-page-wall" in page
    assert '<input type="hidden" name="wall" value="1">' in page


def test_who_may_not_hang_up_or_listen_is_offered_neither(client, agent):
    make_call(agent, spoken(TURNS))
    viewer = User.objects.create_user("vera", "vera@example.org", "password", role="viewer")
    client.force_login(viewer)
    page = client.get("/calls/live/").text
    assert "phone-off" not in page and "#listen" not in page and 'id="hang-up"' not in page


def test_an_operator_is_offered_both(bobs_browser, agent):
    call = make_call(agent, spoken(TURNS))
    page = bobs_browser.get("/calls/live/").text
    assert f'href="{call.get_absolute_url()}#listen"' in page
    assert f'action="{call.get_absolute_url()}hang-up/"' in page


def test_it_asks_the_same_of_the_database_for_one_call_and_for_twenty(
    alices_browser, agent, django_assert_num_queries
):
    make_call(agent, spoken(TURNS))
    with django_assert_num_queries(7):  # session, user, calls, names of agents, whom to talk to, live calls
        alices_browser.get("/calls/live/")
    for _ in range(19):
        make_call(agent, spoken(TURNS))
    with django_assert_num_queries(7):
        alices_browser.get("/calls/live/")
