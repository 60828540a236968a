"""The list of calls: found, filtered, sorted, its columns chosen."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.http import QueryDict
from django.test import Client
from django.utils import timezone

from agents.models import Agent
from telephony import filters, pages
from telephony.annotation_actions import tag_call
from telephony.models import Call
from telephony.session.events import EngineFailed, OperatorTookOver, StepNoted
from tests.factories import ended, make_agent, make_call, make_past_call, spoken

TURNS = [("When are you open?", "From eight to six."), ("Thank you.", "You're welcome.")]


@pytest.fixture
def agent(db: None) -> Agent:
    return make_agent("Front desk", slug="front-desk")


def listed(browser: Client, **query: Any) -> list[Call]:
    return list(browser.get("/calls/", query).context["page"])


class TestList:
    def test_calls_are_found_by_words_with_the_line_in_which_they_were_said(
        self, alices_browser: Client, agent: Agent
    ) -> None:
        call = make_past_call(agent, "Where can I park <b>my</b> bicycle?")
        make_past_call(agent, "Good morning.")
        page = alices_browser.get("/calls/", {"q": "park bicy"})
        assert list(page.context["page"]) == [call]
        assert "Where can I <mark>park</mark> &lt;b&gt;my&lt;/b&gt; <mark>bicycle</mark>?" in page.text
        assert f'href="{call.get_absolute_url()}#at=3.00"' in page.text

    def test_a_number_is_found_as_people_write_it_while_the_call_goes_on_too(
        self, alices_browser: Client, agent: Agent
    ) -> None:
        call = make_past_call(agent, caller="+14155550112")
        live = make_call(agent, spoken(TURNS), caller="+14155550112")
        make_past_call(agent, caller="+14155559999")
        assert listed(alices_browser, q="(415) 555-0112") == [live, call]
        assert listed(alices_browser, number="555 0112") == [live, call]

    def test_each_filter_keeps_what_it_names(self, alices_browser: Client, agent: Agent) -> None:
        other = make_agent("Hotel")
        now = timezone.now()
        kept = make_past_call(
            other, started=now - timedelta(days=3), reason="transferred", direction="outbound"
        )
        tag_call(call=kept, name="Call back")
        Call.objects.filter(pk=kept.pk).update(slow_turns=2, duration_seconds=95.0)
        make_past_call(agent, started=now)
        day = timezone.localtime(kept.created_at).date()
        for query in (
            {"agent": other.slug},
            {"outcome": "transferred"},
            {"direction": "outbound"},
            {"tag": "Call back"},
            {"longer": "1:30"},
            {"longer": "90", "shorter": "1:35"},
            {"slow": "1"},
            {"to": day},
            {"from": day, "to": day},
        ):
            assert listed(alices_browser, **query) == [kept], query
        assert kept not in listed(alices_browser, shorter="60")
        assert kept not in listed(alices_browser, **{"from": day + timedelta(days=1)})

    def test_filters_add_up(self, alices_browser: Client, agent: Agent) -> None:
        other = make_agent("Hotel")
        kept = make_past_call(other, "My bicycle.")
        make_past_call(agent, "My bicycle.")
        make_past_call(other, "Good morning.")
        assert listed(alices_browser, q="bicycle", agent=other.slug) == [kept]

    @pytest.mark.parametrize(
        "query",
        [
            "outcome=x", "direction=x", "longer=abc", "longer=9999999999999999999999", "from=yesterday",
            "to=9999-12-31", "from=0001-01-01", "sort=x", "page=x", "page=999999999999999999999", "page=-1",
            "columns=x", "q=%00", "q=%F0%9F%99%82&page=2", "number=%22", "slow=maybe", "longer=:",
            "longer=1:²", "longer=1:1:1:1", f"{'x' * 5000}=1",
        ],
    )  # fmt: skip
    def test_nonsense_in_the_address_breaks_nothing(
        self, alices_browser: Client, agent: Agent, query: str
    ) -> None:
        make_past_call(agent)
        assert alices_browser.get(f"/calls/?{query}").status_code == 200

    @pytest.mark.parametrize(
        ("query", "told"),
        [
            ("longer=abc", "</a>: “abc” is no duration. Write minutes and seconds, as in 1:30, or seconds."),
            ("shorter=1.5", "Duration at most</a>: “1.5” is no duration."),
            ("to=31.31.", "To</a>: “31.31.” is no day. Write year, month and day, as in 20"),
            ("from=0001-01-01", "From</a>: “0001-01-01” is no day"),
            ("agent=nobody", "Agent</a>: No agent is called “nobody”. Choose one from the list."),
            ("tag=Lead", "Tag</a>: No call bears the tag “Lead”."),
            (
                "outcome=won",
                "Outcome</a>: “won” is not known. Choose one from the list; an address takes handled",
            ),
            ("direction=up", "an address takes inbound, outbound, web."),
            ("sort=size", "Order</a>: “size” is not known."),
            ("slow=maybe", "“maybe” says neither yes nor no."),
            ("at_least=90", "There is no filter “at_least”. Filters are called q, number, agent"),
            ("outcome=%3Cb%3E", "“&lt;b&gt;” is not known."),
        ],
    )
    def test_a_filter_that_is_not_understood_is_told_and_the_others_hold(
        self, alices_browser: Client, agent: Agent, query: str, told: str
    ) -> None:
        kept = make_past_call(agent, direction="outbound")
        make_past_call(agent, direction="inbound")
        held = "" if query.startswith("direction") else "&q=open&direction=outbound"
        page = alices_browser.get(f"/calls/?{query}{held}")
        assert told in page.text and "A filter was not understood and is left out" in page.text
        if held:
            assert list(page.context["page"]) == [kept]
        assert query not in page.context["back"], "nor is it handed on to an export"

    @pytest.mark.parametrize(
        "query", ["", "q=open&sort=started", "longer=0", "columns=turns&page=1", "outcome="]
    )
    def test_what_is_understood_is_not_told(self, alices_browser: Client, agent: Agent, query: str) -> None:
        make_past_call(agent)
        assert alices_browser.get(f"/calls/?{query}").context["unclear"] == []

    def test_what_was_not_understood_stands_in_its_field_to_be_mended(
        self, alices_browser: Client, agent: Agent
    ) -> None:
        make_past_call(agent)
        page = alices_browser.get("/calls/", {"longer": "abc", "shorter": "3600"}).text
        assert 'name="longer" value="abc"' in page and 'name="shorter" value="1:00:00"' in page
        assert listed(alices_browser, longer="1:00:00") == []
        assert "Duration at least" in page and "Duration as minutes:seconds (1:30), or in seconds" in page

    def test_how_a_call_ended_is_one_word(self, agent: Agent) -> None:
        def outcome(reason: Any, events: Any = None) -> str:
            call = make_call(agent, ended(spoken([]) if events is None else events, reason))
            return Call.objects.get(pk=call.pk).outcome

        failed = [*spoken([]), EngineFailed(engine="tts", error="down", remedy="gave_up")]
        words = spoken(TURNS)
        assert outcome("agent_hung_up", words) == "completed"
        assert outcome("caller_hung_up", words) == "caller_hung_up"
        assert outcome("transferred") == "transferred"
        assert outcome("engine_failure", failed) == "failed"
        assert outcome("line_lost") == outcome("server_restarted") == "cut_off"
        assert outcome("silence") == outcome("caller_hung_up") == "silent"
        assert outcome("silence", words) == "fell_silent"
        taken_over = [*words, OperatorTookOver(by="bob", window="w")]
        assert outcome("caller_hung_up", taken_over) == outcome("silence", taken_over) == "helped"
        assert outcome("never_connected", [StepNoted(note="x", name="x")]) == "no_answer"
        live = make_call(agent, spoken([]))
        assert Call.objects.get(pk=live.pk).outcome == "live"

    def test_it_is_sorted_by_what_its_heads_name(self, alices_browser: Client, agent: Agent) -> None:
        calls = [
            make_past_call(agent, started=timezone.now() - timedelta(hours=hours)) for hours in (3, 2, 1)
        ]
        for call, seconds, ms in zip(calls, (20, 40, 30), (900, 700, 800), strict=True):
            Call.objects.filter(pk=call.pk).update(duration_seconds=seconds, response_ms=ms)
        first, second, third = calls
        assert listed(alices_browser) == [third, second, first]
        assert listed(alices_browser, sort="oldest") == [first, second, third]
        assert listed(alices_browser, sort="duration") == [second, third, first]
        assert listed(alices_browser, sort="response") == [first, third, second]
        page = alices_browser.get("/calls/", {"sort": "duration", "agent": agent.slug}).text
        assert 'aria-sort="descending"' in page
        assert 'href="?sort=shortest&amp;agent=front-desk"' in page

    def test_active_filters_are_said_and_each_can_be_taken_off(
        self, alices_browser: Client, agent: Agent
    ) -> None:
        page = alices_browser.get("/calls/", {"q": "park", "agent": agent.slug, "slow": "1"})
        assert [(chip.text, chip.query) for chip in page.context["chips"]] == [
            ("“park”", "agent=front-desk&slow=1"),
            ("Agent: Front desk", "q=park&slow=1"),
            ("With slow turns", "q=park&agent=front-desk"),
        ]
        assert "No calls match" in page.text

    def test_chosen_columns_are_kept_for_the_next_visit_and_the_address_wins(
        self, alices_browser: Client, agent: Agent
    ) -> None:
        make_past_call(agent)
        assert "Number called" not in alices_browser.get("/calls/").text.split("<thead>")[1]
        alices_browser.get("/calls/", {"columns": ["callee", "started"]})
        assert alices_browser.get("/calls/").context["columns"] == ["callee", "started"]
        assert alices_browser.get("/calls/", {"columns": "turns"}).context["columns"] == ["turns"]

    def test_a_list_that_is_too_long_says_so_and_goes_on_by_its_day(
        self, alices_browser: Client, agent: Agent, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(pages, "MOST_COUNTED", 3)
        monkeypatch.setattr(pages, "PAGE_SIZE", 2)
        now = timezone.now()
        calls = [make_past_call(agent, started=now - timedelta(days=days)) for days in range(5)]
        page = alices_browser.get("/calls/", {"page": 2})
        assert "More than 3 calls" in page.text and "Page 2 of 2" in page.text
        assert list(page.context["page"]) == calls[2:4]
        day = timezone.localtime(calls[3].created_at).date()
        assert f'href="/calls/?to={day}"' in page.text
        assert listed(alices_browser, to=day)[0] == calls[3]

    def test_it_says_when_only_the_newest_calls_with_common_words_are_looked_at(
        self, alices_browser: Client, agent: Agent, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(pages, "MOST_COUNTED", 2)
        for _ in range(3):
            make_past_call(agent)
        told = "only the newest 2 of them are looked at"
        assert told in alices_browser.get("/calls/", {"q": "open", "agent": agent.slug}).text
        assert told not in alices_browser.get("/calls/", {"q": "open"}).text
        assert told not in alices_browser.get("/calls/", {"q": "bicycle", "agent": agent.slug}).text

    def test_the_pages_of_a_filtered_list_stay_filtered(self, alices_browser: Client, agent: Agent) -> None:
        for _ in range(51):
            make_call(agent, ended(spoken(TURNS[:1])))
        page = alices_browser.get("/calls/", {"outcome": "caller_hung_up"}).text
        assert 'href="?outcome=caller_hung_up&amp;page=2"' in page and "51 calls" in page
        assert "Page 2 of 2" in alices_browser.get("/calls/", {"outcome": "caller_hung_up", "page": "2"}).text

    @pytest.mark.parametrize("query, count", [({}, 8), ({"q": "open"}, 9), ({"q": "555 0112"}, 10)])
    def test_it_asks_the_same_of_the_database_for_one_call_and_for_thirty(
        self, alices_browser: Client, agent: Agent, django_assert_num_queries: Any, query: Any, count: int
    ) -> None:
        # session, user, count, calls, tags of these, agents, tags, live calls;
        # words: hits, their lines; digits: live calls that match
        make_past_call(agent)
        with django_assert_num_queries(count):
            alices_browser.get("/calls/", query)
        for _ in range(29):
            tag_call(call=make_past_call(agent), name="Call back")
        with django_assert_num_queries(count):
            alices_browser.get("/calls/", query)

    def test_none_yet_differs_from_none_found(self, alices_browser: Client, agent: Agent) -> None:
        assert "No calls yet" in alices_browser.get("/calls/").text
        assert "No calls match" in alices_browser.get("/calls/", {"q": "nobody"}).text

    def steps(self, browser: Client, **query: Any) -> list[tuple[str, str]]:
        page = browser.get("/calls/", query)
        assert list(page.context["page"]) == []
        return [(step.text, step.query) for step in page.context["steps"]]

    def test_where_no_call_has_the_words_it_says_how_they_are_looked_for_and_what_to_try(
        self, alices_browser: Client, agent: Agent
    ) -> None:
        call = make_past_call(agent, "Where can I park my bicycle?")
        assert listed(alices_browser, q="bicycle park") == [call]
        assert self.steps(alices_browser, q="bicycle parking") == [
            ("Search for “bicycle park”", "q=bicycle+park"),
            ("Search for “bicycle”", "q=bicycle"),
        ]
        page = alices_browser.get("/calls/", {"q": "bicycle parking"}).text
        assert "In no call was a word said that begins with “parking”." in page
        assert "“parking” does not find “park”" in page and "Clear filters" in page
        for _text, query in self.steps(alices_browser, q="bicycle parking"):
            assert list(alices_browser.get(f"/calls/?{query}").context["page"]) == [call]

    def test_advice_takes_few_looks_at_the_database(
        self, alices_browser: Client, agent: Agent, django_assert_max_num_queries: Any
    ) -> None:
        make_past_call(agent)
        words = " ".join(f"{letter * 24}" for letter in "bdfhjkm")
        with django_assert_max_num_queries(60):  # where there was one for each letter
            assert not list(alices_browser.get("/calls/", {"q": words}).context["page"])

    def test_no_is_an_answer_to_a_filter(self, alices_browser: Client, agent: Agent) -> None:
        call = make_past_call(agent)
        page = alices_browser.get("/calls/", {"slow": "0"})
        assert list(page.context["page"]) == [call] and "not understood" not in page.text

    def test_words_that_were_said_in_different_calls_are_offered_one_by_one(
        self, alices_browser: Client, agent: Agent
    ) -> None:
        make_past_call(agent, "My bicycle.")
        make_past_call(agent, "Good morning.")
        assert [text for text, _query in self.steps(alices_browser, q="bicycle morning")] == [
            "Search for “morning”",
            "Search for “bicycle”",
        ]

    def test_words_that_other_filters_hide_are_offered_without_them(
        self, alices_browser: Client, agent: Agent
    ) -> None:
        make_past_call(agent, "My bicycle.")
        hotel = make_agent("Hotel", slug="hotel")
        assert self.steps(alices_browser, q="bicycle", agent=hotel.slug) == [
            ("Search all calls for these words", "q=bicycle")
        ]

    def test_filters_that_exclude_each_other_are_told(self, alices_browser: Client, agent: Agent) -> None:
        make_past_call(agent)
        days = {"from": "2026-02-01", "to": "2026-01-01"}
        assert "“From” is later than “To”" in alices_browser.get("/calls/", days).text
        assert "The least duration is longer" in alices_browser.get("/calls/?longer=9&shorter=5").text

    def test_a_filter_is_read_as_it_is_written(self) -> None:
        text = (
            "q=a+b&number=5&agent=x&outcome=failed&longer=90&slow=1&from=2026-01-02&to=2026-02-03&sort=oldest"
        )
        assert filters.Filters.read(QueryDict(text)).as_query() == text
