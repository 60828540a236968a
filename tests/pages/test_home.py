"""The overview: every figure from rows, with a link to the calls behind it, and what waits for somebody."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import pytest
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone, translation

from telephony.capacity import capacity
from telephony.credentials import save_credential
from telephony.models import Call, Credential, PhoneNumber
from telephony.session.events import EngineFailed
from tests.factories import ended, make_agent, make_call, make_number, spoken
from voiceforge_site.home import _failed_calls
from voiceforge_site.models import User

TURNS = [("When are you open?", "From eight to six."), ("Thank you.", "You're welcome.")]


@pytest.fixture
def agent(db):
    return make_agent("Front desk")


def to_do(page) -> list[str]:
    return [item.text for item in page.context["todo"]]


def links(page) -> list[str]:
    return [unescape(link) for link in re.findall(r'href="(/calls/\?[^"]+)"', page.text)]


class TestFirstVisit:
    def test_it_leads_to_the_first_call(self, alices_browser, agent):
        page = alices_browser.get("/").text
        assert "Front desk is ready for its first call" in page
        assert reverse("telephony:talk", args=[agent.slug]) in page

    def test_without_an_agent_it_leads_to_making_one(self, alices_browser, db):
        assert "Create your first agent" in alices_browser.get("/").text


class TestFigures:
    def test_they_come_from_rows(self, alices_browser, agent):
        make_call(agent, ended(spoken(TURNS, milliseconds=[700, 900])))
        make_call(agent, ended(spoken(TURNS[:1], milliseconds=[2500]), "transferred"))
        make_call(agent, spoken([]))
        page = alices_browser.get("/")
        assert page.context["calls"].all == 3
        assert page.context["calls"].handled_share == 0.5
        assert (page.context["response"].median, page.context["response"].p95) == (900, 2500)
        assert "50 %" in page.text and "1 call</a> of 2" in page.text
        assert "900 ms" in page.text and "2.50 s" in page.text

    def test_each_leads_to_the_calls_behind_it(self, alices_browser, agent):
        make_call(agent, ended(spoken(TURNS), "transferred"))
        today = timezone.localdate().isoformat()
        found = links(alices_browser.get("/"))
        for asked in ("", "sort=response&", "outcome=transferred&"):
            assert f"/calls/?{asked}from={today}&to={today}" in found

    def test_as_many_calls_stand_behind_a_link_as_it_says(self, alices_browser, agent):
        for events, reason in (
            (spoken(TURNS), "caller_hung_up"),
            (spoken(TURNS), "agent_hung_up"),
            (spoken(TURNS), "silence"),
            (spoken(TURNS), "max_duration"),
            (spoken(TURNS), "transferred"),
            (spoken([]), "caller_hung_up"),
            (spoken([]), "silence"),
        ):
            make_call(agent, ended(events, reason))
        page = alices_browser.get("/")
        told = re.findall(
            r'href="(/calls/\?outcome=(?:handled|silent)[^"]*)">(\d+) (?:calls|without)', page.text
        )
        assert [int(number) for _link, number in told] == [2, 2]
        for link, number in told:
            assert alices_browser.get(unescape(link)).context["page"].count == int(number)
        assert "40 %" in page.text, "of the five in which the caller spoke"

    def test_each_day_leads_to_its_calls_by_outcome(self, alices_browser, agent):
        make_call(agent, ended(spoken([]), "silence"), started=timezone.now() - timedelta(days=2))
        day = (timezone.localdate() - timedelta(days=2)).isoformat()
        found = links(alices_browser.get("/", {"period": "7-days"}))
        assert f"/calls/?from={day}&to={day}" in found
        assert f"/calls/?outcome=silent&from={day}&to={day}" in found

    def test_the_period_is_in_the_address(self, alices_browser, agent):
        make_call(agent, ended(spoken(TURNS)), started=timezone.now() - timedelta(days=20))
        assert [
            alices_browser.get("/", {"period": key}).context["calls"].all
            for key in ("today", "7-days", "30-days")
        ] == [0, 0, 1]
        assert '<a href="?period=30-days" aria-current="page">' in alices_browser.get("/?period=30-days").text

    def test_a_day_without_calls_is_told_in_words(self, alices_browser, agent):
        make_call(agent, ended(spoken(TURNS)), started=timezone.now() - timedelta(days=3))
        page = alices_browser.get("/").text
        assert "No call has come today yet." in page
        assert "nothing measured" in page

    def test_failures_of_engines_lead_to_their_calls(self, alices_browser, agent):
        failed = EngineFailed(at_seconds=9, engine="tts", error="timed out", remedy="apologised")
        call = make_call(agent, ended([*spoken(TURNS), failed]))
        page = alices_browser.get("/").text
        assert "Voice: 1 failure in 1 call" in page
        assert f'href="{call.get_absolute_url()}"><span>Voice: timed out' in page

    def test_it_asks_the_same_of_the_database_for_one_call_and_for_thirty(
        self, alices_browser, agent, django_assert_num_queries
    ):
        make_call(agent, ended(spoken(TURNS)))
        alices_browser.get("/")
        with django_assert_num_queries(QUERIES):
            alices_browser.get("/")
        for days in range(29):
            make_call(agent, ended(spoken(TURNS)), started=timezone.now() - timedelta(hours=days))
        with django_assert_num_queries(QUERIES):
            alices_browser.get("/", {"period": "30-days"})


QUERIES = 21


class TestCapacity:
    def test_what_is_not_known_is_not_told(self, alices_browser, agent, monkeypatch):
        make_call(agent, ended(spoken(TURNS)))
        monkeypatch.setattr(capacity, "known", False)
        page = alices_browser.get("/").text
        assert "Capacity is measured from the first call on" in page
        assert "<meter" not in page

    def test_how_many_calls_there_could_be_follows_from_those_that_go_on(
        self, alices_browser, agent, monkeypatch
    ):
        monkeypatch.setattr(capacity, "known", True)
        monkeypatch.setattr(capacity, "loop_share", 0.07)
        for _ in range(4):
            make_call(agent, spoken(TURNS))
        Call.objects.update(held_at=timezone.now())
        page = alices_browser.get("/").text
        assert "10 % of this server" in page
        assert (
            "it is at work 7 % of the time" in page and "From 70 %, or 50 ms, on it turns new calls" in page
        )
        assert "event loop" not in page
        assert "it could carry about 40 calls" in page

    def test_a_process_among_many_knows_itself_alone(self, alices_browser, agent, monkeypatch, settings):
        settings.WEB_CONCURRENCY = 4
        monkeypatch.setattr(capacity, "known", True)
        monkeypatch.setattr(capacity, "loop_share", 0.07)
        for _ in range(4):
            make_call(agent, spoken(TURNS))
        Call.objects.update(held_at=timezone.now())
        page = alices_browser.get("/").text
        assert "others know only of themselves" in page and "it could carry" not in page


class TestToDo:
    @pytest.fixture(autouse=True)
    def a_call(self, agent):
        agent.on_failure, agent.fallback_number = "transfer", "+14155550199"
        agent.save()
        make_call(agent, ended(spoken(TURNS)))

    def test_nothing_is_said_to_be_nothing(self, alices_browser):
        page = alices_browser.get("/")
        assert to_do(page) == []
        assert "Nothing needs you now." in page.text

    @pytest.mark.parametrize(("language", "written"), [("en", "1,234 calls failed"), ("de", "1.234")])
    def test_large_counts_are_grouped_as_the_language_does(self, alice, monkeypatch, language, written):
        monkeypatch.setattr(QuerySet, "count", lambda found: 1234)
        with translation.override(language):
            assert written in next(_failed_calls()).text

    def test_calls_that_failed_are_counted_and_listed(self, alices_browser, agent):
        make_call(agent, ended(spoken(TURNS), "engine_failure"))
        page = alices_browser.get("/")
        assert to_do(page) == ["1 call failed since yesterday"]
        yesterday = timezone.localdate() - timedelta(days=1)
        assert f"/calls/?outcome=failed&from={yesterday}" in links(page)

    def test_a_number_without_an_agent_and_one_of_a_paused_agent_are_answered_by_nobody(self, alices_browser):
        save_credential(provider="twilio", account="AC1", secret="s", label="Main")
        make_number("+14155550100")
        make_number("+14155550101", agent=make_agent("Night line", status="paused"))
        assert to_do(alices_browser.get("/")) == [
            "Nobody answers +1 415-555-0100: give it to an agent",
            "Nobody answers +1 415-555-0101: Night line is paused",
        ]

    def test_a_secret_that_no_key_opens_is_told(self, alices_browser):
        Credential.objects.create(provider="twilio", account="AC1", label="Main", secret="nonsense")
        assert to_do(alices_browser.get("/")) == [
            "The secret of Main cannot be read: put its key into CREDENTIALS_KEY and restart"
        ]

    def test_an_agent_that_cannot_help_is_told(self, alices_browser):
        make_agent("Empty", facts=[], on_failure="transfer", fallback_number="+14155550199")
        lost = make_agent("Lost")
        page = alices_browser.get("/")
        assert to_do(page) == [
            "Lost hangs up when engines fail; it could transfer the caller",
            "Empty has neither facts nor a language model",
        ]
        assert lost.get_absolute_url() in page.text

    def test_nobody_is_asked_for_what_they_may_not_do(self, client, agent):
        PhoneNumber.objects.create(
            number="+14155550100",
            credential=save_credential(provider="twilio", account="AC1", secret="s", label="Main"),
        )
        make_call(agent, ended(spoken(TURNS), "engine_failure"))
        client.force_login(User.objects.create_user("vera", "vera@example.org", "password", role="viewer"))
        assert to_do(client.get("/")) == ["1 call failed since yesterday"]


def test_services_that_are_away_are_said_to_be(alices_browser, settings):
    settings.ML_PORT = 9
    assert "The ML service does not answer" in alices_browser.get("/services/").text


def test_models_are_told_by_what_they_do_in_a_call(alices_browser, monkeypatch):
    async def state():
        return "loading", {"whisper-tiny.en": "loaded", "piper-joe": "loading", "of-another-make": "loaded"}

    monkeypatch.setattr("voiceforge_site.health.ml_state", state)
    page = alices_browser.get("/services/").text
    assert '<li title="whisper-tiny.en">' in page and "Turns speech into words" in page
    assert "Gives agents their voice" in page and ">of-another-make<" in page
