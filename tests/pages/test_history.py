"""The call history: found, filtered, sorted, chosen, exported and deleted."""

from __future__ import annotations

import csv
import io
import os
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings as project
from django.http import QueryDict
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from agents.models import Agent
from telephony import filters, pages, search, tasks
from telephony.actions import CannotDelete, delete_calls, tag_call
from telephony.models import Call, CallEvent, CallExport, CallNote, CallText, Recording, Tag
from telephony.session.events import EngineFailed, StepNoted
from tests.factories import ended, make_agent, make_call, make_recording, spoken
from voiceforge_site.models import User

TURNS = [("When are you open?", "From eight to six."), ("Thank you.", "You're welcome.")]


@pytest.fixture
def agent(db: None) -> Agent:
    return make_agent("Front desk", slug="front-desk")


def over(agent: Agent, words: str = "When are you open?", reason: Any = "caller_hung_up", **how: Any) -> Call:
    call = make_call(agent, ended(spoken([(words, "Certainly.")]), reason), **how)
    search.index(call.pk)
    return call


def listed(browser: Client, **query: Any) -> list[Call]:
    return list(browser.get("/calls/", query).context["page"])


class TestList:
    def test_calls_are_found_by_words_with_the_line_in_which_they_were_said(
        self, alices_browser: Client, agent: Agent
    ) -> None:
        call = over(agent, "Where can I park <b>my</b> bicycle?")
        over(agent, "Good morning.")
        page = alices_browser.get("/calls/", {"q": "park bicy"})
        assert list(page.context["page"]) == [call]
        assert "Where can I <mark>park</mark> &lt;b&gt;my&lt;/b&gt; <mark>bicycle</mark>?" in page.text
        assert f'href="{call.get_absolute_url()}#at=3.00"' in page.text

    def test_a_number_is_found_as_people_write_it_while_the_call_goes_on_too(
        self, alices_browser: Client, agent: Agent
    ) -> None:
        call = over(agent, caller="+14155550112")
        live = make_call(agent, spoken(TURNS), caller="+14155550112")
        over(agent, caller="+14155559999")
        assert listed(alices_browser, q="(415) 555-0112") == [live, call]
        assert listed(alices_browser, number="555 0112") == [live, call]

    def test_each_filter_keeps_what_it_names(self, alices_browser: Client, agent: Agent) -> None:
        other = make_agent("Hotel")
        now = timezone.now()
        kept = over(other, started=now - timedelta(days=3), reason="transferred", direction="outbound")
        tag_call(call=kept, name="Call back")
        Call.objects.filter(pk=kept.pk).update(slow_turns=2, duration_seconds=95.0)
        over(agent, started=now)
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
        kept = over(other, "My bicycle.")
        over(agent, "My bicycle.")
        over(other, "Good morning.")
        assert listed(alices_browser, q="bicycle", agent=other.slug) == [kept]

    @pytest.mark.parametrize(
        "query",
        [
            "outcome=x", "direction=x", "longer=abc", "longer=9999999999999999999999", "from=yesterday",
            "to=9999-12-31", "from=0001-01-01", "sort=x", "page=x", "page=999999999999999999999", "page=-1",
            "columns=x", "q=%00", "q=%F0%9F%99%82&page=2", "number=%22", "slow=maybe", "longer=:",
            "longer=1:²",
        ],
    )  # fmt: skip
    def test_nonsense_in_the_address_is_left_out(
        self, alices_browser: Client, agent: Agent, query: str
    ) -> None:
        over(agent)
        assert alices_browser.get(f"/calls/?{query}").status_code == 200

    def test_how_a_call_ended_is_one_word(self, agent: Agent) -> None:
        def outcome(reason: Any, events: Any = None) -> str:
            call = make_call(agent, ended(spoken([]) if events is None else events, reason))
            return Call.objects.get(pk=call.pk).outcome

        failed = [*spoken([]), EngineFailed(engine="tts", error="down", remedy="gave_up")]
        assert outcome("agent_hung_up") == "completed"
        assert outcome("caller_hung_up") == "caller_hung_up"
        assert outcome("transferred") == "transferred"
        assert outcome("engine_failure", failed) == "failed"
        assert outcome("line_lost") == outcome("server_restarted") == "cut_off"
        assert outcome("silence") == "silent", "nobody said a word"
        assert outcome("silence", spoken([("Hello", "Hello")])) == "fell_silent"
        assert outcome("never_connected", [StepNoted(note="x", name="x")]) == "no_answer"
        live = make_call(agent, spoken([]))
        assert Call.objects.get(pk=live.pk).outcome == "live"

    def test_it_is_sorted_by_what_its_heads_name(self, alices_browser: Client, agent: Agent) -> None:
        calls = [over(agent, started=timezone.now() - timedelta(hours=hours)) for hours in (3, 2, 1)]
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
        over(agent)
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
        calls = [over(agent, started=now - timedelta(days=days)) for days in range(5)]
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
            over(agent)
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
        over(agent)
        with django_assert_num_queries(count):
            alices_browser.get("/calls/", query)
        for _ in range(29):
            tag_call(call=over(agent), name="Call back")
        with django_assert_num_queries(count):
            alices_browser.get("/calls/", query)

    def test_none_yet_differs_from_none_found(self, alices_browser: Client, agent: Agent) -> None:
        assert "No calls yet" in alices_browser.get("/calls/").text
        assert "No calls match" in alices_browser.get("/calls/", {"q": "nobody"}).text

    def test_a_filter_is_read_as_it_is_written(self) -> None:
        text = (
            "q=a+b&number=5&agent=x&outcome=failed&longer=90&slow=1&from=2026-01-02&to=2026-02-03&sort=oldest"
        )
        assert filters.Filters.read(QueryDict(text)).as_query() == text


class TestTagsAndNotes:
    def test_a_tag_is_put_on_and_taken_off(self, bobs_browser: Client, agent: Agent) -> None:
        call = over(agent)
        address = reverse("telephony:call_tags", args=[call.pk])
        assert (
            "Call back"
            in bobs_browser.post(address, {"add": " Call  back "}, headers={"HX-Request": "true"}).text
        )
        assert "Call back" in bobs_browser.get("/calls/").text
        assert bobs_browser.post(address, {"add": "Call back"}).status_code == 302  # without JavaScript
        assert call.tags.count() == 1
        bobs_browser.post(address, {"remove": "Call back"}, headers={"HX-Request": "true"})
        assert not Tag.objects.exists(), "a tag that no call bears is gone"
        assert bobs_browser.post(address, {"add": " "}).status_code == 422

    def test_a_note_says_who_wrote_it_and_is_no_markup(self, bobs_browser: Client, agent: Agent) -> None:
        address = reverse("telephony:call_notes", args=[over(agent).pk])
        page = bobs_browser.post(
            address, {"text": "<b>Rang back</b>\nat six"}, headers={"HX-Request": "true"}
        ).text
        assert "&lt;b&gt;Rang back&lt;/b&gt;<br>at six" in page and "bob, " in page

    def test_only_its_author_or_an_administrator_deletes_a_note(
        self, bobs_browser: Client, alices_browser: Client, agent: Agent
    ) -> None:
        call = over(agent)
        address = reverse("telephony:call_notes", args=[call.pk])
        alices = CallNote.objects.create(call=call, author="alice", text="Hers")
        bobs = CallNote.objects.create(call=call, author="bob", text="His")
        assert bobs_browser.post(address, {"remove": alices.pk}).status_code == 403
        bobs_browser.post(address, {"remove": bobs.pk})
        assert list(CallNote.objects.all()) == [alices]
        assert bobs_browser.post(address, {"remove": bobs.pk}).status_code == 422
        alices_browser.post(address, {"remove": alices.pk})
        assert not CallNote.objects.exists()

    def test_a_note_that_is_empty_or_too_long_is_refused_and_kept_in_the_form(
        self, bobs_browser: Client, agent: Agent
    ) -> None:
        address = reverse("telephony:call_notes", args=[over(agent).pk])
        assert bobs_browser.post(address, {"text": "  "}).status_code == 422
        answer = bobs_browser.post(address, {"text": "long " * 1000})
        assert answer.status_code == 422 and "long long" in answer.text

    def test_many_calls_are_tagged_at_once(self, bobs_browser: Client, agent: Agent) -> None:
        calls = [over(agent) for _ in range(3)]
        chosen = {
            "call": [str(call.pk) for call in calls[:2]],
            "name": "Lead",
            "back": "agent=front-desk&page=1",
        }
        answer = bobs_browser.post("/calls/tag/", chosen)
        assert answer["Location"] == "/calls/?agent=front-desk&page=1"
        assert set(Call.objects.filter(tags__name="Lead")) == set(calls[:2])

    def test_going_back_leads_nowhere_else(self, bobs_browser: Client, agent: Agent) -> None:
        answer = bobs_browser.post("/calls/tag/", {"name": "x", "back": "https://evil.example/?q=1"})
        assert answer["Location"].startswith("/calls/")


class TestDeleting:
    def test_it_asks_first_and_names_how_many(self, alices_browser: Client, agent: Agent) -> None:
        calls = [over(agent), over(agent), make_call(agent, spoken(TURNS))]
        make_recording(calls[0], seconds=1)
        answer = alices_browser.post("/calls/delete/", {"call": [str(call.pk) for call in calls]})
        assert "Delete 2 calls?" in answer.text
        assert "1 recording goes with them" in answer.text
        assert "1 chosen call goes on and is left" in answer.text
        assert Call.objects.count() == 3

    def test_a_deleted_call_leaves_no_row_and_no_file(
        self, alices_browser: Client, agent: Agent, django_capture_on_commit_callbacks: Any
    ) -> None:
        call, kept = over(agent, "My bicycle."), over(agent, "My bicycle.")
        path = Path(make_recording(call, seconds=1).file.path)
        CallNote.objects.create(call=call, author="bob", text="Gone")
        with django_capture_on_commit_callbacks(execute=True):
            answer = alices_browser.post("/calls/delete/", {"call": str(call.pk), "sure": "1"}, follow=True)
        assert "1 call deleted." in answer.text
        assert list(Call.objects.all()) == [kept]
        assert not any(
            rows.objects.filter(call=call.pk).exists() for rows in (CallEvent, CallText, CallNote, Recording)
        )
        assert [hit.call_id for hit in search.find(search.Search(words="bicycle"), limit=10)] == [kept.pk]
        assert not path.exists() and not list(path.parent.glob(f"*{path.name}"))

    def test_a_file_that_cannot_be_deleted_is_said_and_nothing_is_half_done(
        self, alices_browser: Client, agent: Agent, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        calls = [over(agent), over(agent)]
        files = [Path(make_recording(call, seconds=1).file.path) for call in calls]
        stuck = max(files)
        rename = Path.rename

        def refused(path: Path, target: Path) -> Path:
            if path == stuck:
                raise PermissionError(13, "Permission denied", str(path))
            return rename(path, target)

        monkeypatch.setattr(Path, "rename", refused)
        chosen = {"call": [str(call.pk) for call in calls], "sure": "1"}
        answer = alices_browser.post("/calls/delete/", chosen)
        assert answer.status_code == 422
        assert f"{stuck.name} could not be removed (Permission denied)" in answer.text
        assert Call.objects.count() == 2 and all(path.exists() for path in files)
        assert all(call.events.exists() for call in calls)
        with pytest.raises(CannotDelete):
            delete_calls(call_ids=[call.pk for call in calls])

    def test_a_call_that_goes_on_or_whose_recording_is_being_written_is_left(self, agent: Agent) -> None:
        live, held = make_call(agent, spoken(TURNS)), over(agent)
        Call.objects.filter(pk=held.pk).update(held_at=timezone.now())
        assert delete_calls(call_ids=[live.pk, held.pk, uuid4()]) == 0
        assert Call.objects.count() == 2

    def test_operators_may_not(self, bobs_browser: Client, agent: Agent) -> None:
        call = over(agent)
        assert bobs_browser.post("/calls/delete/", {"call": str(call.pk), "sure": "1"}).status_code == 403
        assert "Delete" not in bobs_browser.get("/calls/").text


@pytest.fixture
def ordered(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The jobs that were put in the queue."""
    jobs: list[Any] = []
    monkeypatch.setattr("telephony.exports.async_task", lambda *job: jobs.append(job))
    return jobs


class TestExport:
    def export(self, browser: Client, ordered: list[Any], commit: Any, **form: Any) -> CallExport:
        """Ordered on the page, and written as the worker would."""
        defaults = {"all": "1", "columns_shown": "1", "columns": ["caller", "agent", "outcome", "tags"]}
        with commit(execute=True):
            assert browser.post("/calls/exports/", {**defaults, **form}).status_code == 302
        [(task, export_id)] = ordered
        assert task == "telephony.tasks.write_export"
        tasks.write_export(export_id)
        return CallExport.objects.get()

    def rows(self, browser: Client, export: CallExport) -> list[list[str]]:
        answer = browser.get(reverse("telephony:export_file", args=[export.pk]))
        text = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
        return list(csv.reader(io.StringIO(text)))

    def test_the_list_as_it_is_filtered_becomes_a_file(
        self, bobs_browser: Client, agent: Agent, ordered: list[Any], django_capture_on_commit_callbacks: Any
    ) -> None:
        tag_call(call=over(agent, "My bicycle.", caller="+14155550001"), name="Lead")
        over(agent, "My bicycle.", caller="+14155550002", started=timezone.now() - timedelta(hours=1))
        over(make_agent("Hotel"), "My bicycle.")
        export = self.export(
            bobs_browser, ordered, django_capture_on_commit_callbacks, back="agent=front-desk&q=bicycle"
        )
        assert (export.state, export.written) == ("done", 2)
        assert self.rows(bobs_browser, export) == [
            ["Caller", "Agent", "Outcome", "Tags"],
            ["+14155550001", "Front desk", "Caller hung up", "Lead"],
            ["+14155550002", "Front desk", "Caller hung up", ""],
        ]
        assert "2 calls" in bobs_browser.get("/calls/exports/").text

    def test_every_call_is_written_once_however_many_there_are(
        self, bobs_browser: Client, agent: Agent, ordered: list[Any], monkeypatch: pytest.MonkeyPatch,
        django_capture_on_commit_callbacks: Any,
    ) -> None:  # fmt: skip
        monkeypatch.setattr(tasks, "BATCH", 2)
        moment = timezone.now()
        calls = {str(over(agent, started=moment).pk) for _ in range(5)}
        export = self.export(bobs_browser, ordered, django_capture_on_commit_callbacks, columns=["id"])
        rows = self.rows(bobs_browser, export)[1:]
        assert len(rows) == 5 and {row[0] for row in rows} == calls

    def test_what_was_said_is_a_column_and_no_cell_is_a_formula(
        self, bobs_browser: Client, agent: Agent, ordered: list[Any], django_capture_on_commit_callbacks: Any
    ) -> None:
        over(agent, "Hello.", caller='=HYPERLINK("http://evil.example")')
        export = self.export(
            bobs_browser, ordered, django_capture_on_commit_callbacks, columns=["caller", "transcript"]
        )
        [_, row] = self.rows(bobs_browser, export)
        assert row[0] == '\'=HYPERLINK("http://evil.example")'
        assert row[1] == "Agent: Hello, how can I help you?\nCaller: Hello.\nAgent: Certainly."

    @pytest.mark.parametrize("cell", ["=1+1", "+1-1", "-cmd", "@SUM(A1)", "\t=1", "\r=1", "+49 89 x", "%0"])
    def test_a_cell_that_a_spreadsheet_would_compute_is_text(self, cell: str) -> None:
        assert tasks.sheet.harmless(cell) == f"'{cell}"

    @pytest.mark.parametrize("cell", ["+14155550112", "-5", "12.5", "Front desk", "", "a=b"])
    def test_numbers_and_words_are_as_they_are(self, cell: str) -> None:
        assert tasks.sheet.harmless(cell) == cell

    def test_chosen_calls_alone_are_exported(
        self, bobs_browser: Client, agent: Agent, ordered: list[Any], django_capture_on_commit_callbacks: Any
    ) -> None:
        chosen, _other = over(agent), over(agent)
        page = bobs_browser.post("/calls/exports/", {"call": str(chosen.pk)}).text
        assert "Export 1 call" in page
        form = {"call": str(chosen.pk), "columns_shown": "1", "columns": "id"}
        with django_capture_on_commit_callbacks(execute=True):
            bobs_browser.post("/calls/exports/", form)
        tasks.write_export(ordered[0][1])
        assert self.rows(bobs_browser, CallExport.objects.get()) == [["Call"], [str(chosen.pk)]]

    def test_it_is_written_in_the_language_of_whoever_ordered_it(
        self,
        bobs_browser: Client,
        bob: User,
        agent: Agent,
        ordered: list[Any],
        django_capture_on_commit_callbacks: Any,
    ) -> None:
        over(agent)
        bob.language = "de"
        bob.save()
        form = {"columns": ["line", "direction", "outcome"]}
        export = self.export(bobs_browser, ordered, django_capture_on_commit_callbacks, **form)
        assert self.rows(bobs_browser, export) == [
            ["Leitung", "Richtung", "Ergebnis"],
            ["Twilio", "Eingehend", "Anrufer hat aufgelegt"],
        ]

    def test_one_without_columns_is_refused(self, bobs_browser: Client, agent: Agent) -> None:
        answer = bobs_browser.post("/calls/exports/", {"all": "1", "columns_shown": "1"})
        assert answer.status_code == 422 and "at least one column" in answer.text

    def test_one_that_is_canceled_leaves_no_file(
        self, bobs_browser: Client, agent: Agent, monkeypatch: pytest.MonkeyPatch, bob: Any
    ) -> None:
        over(agent)
        export = self.waiting(bob)
        lines = tasks.sheet.lines

        def canceled_meanwhile(*args: Any) -> Any:
            bobs_browser.post(reverse("telephony:cancel_export", args=[export.pk]))
            return lines(*args)

        monkeypatch.setattr(tasks.sheet, "lines", canceled_meanwhile)
        tasks.write_export(str(export.pk))
        export.refresh_from_db()
        assert (export.state, export.file.name) == ("canceled", "")
        assert not self.files(export)

    def waiting(self, person: Any, **fields: Any) -> CallExport:
        defaults = {"owner": person.pk, "columns": ["id"], "expires_at": timezone.now() + timedelta(days=1)}
        return CallExport.objects.create(**{**defaults, **fields})

    def files(self, export: CallExport) -> list[Path]:
        return list((Path(project.MEDIA_ROOT) / "exports").glob(f"{export.pk}*"))

    def test_one_that_fails_says_why_and_leaves_no_file(
        self, bobs_browser: Client, agent: Agent, monkeypatch: pytest.MonkeyPatch, bob: Any
    ) -> None:
        def full(*args: Any) -> Any:
            raise OSError(28, os.strerror(28))

        over(agent)
        export = self.waiting(bob)
        monkeypatch.setattr(tasks.sheet, "lines", full)
        tasks.write_export(str(export.pk))
        assert "No space left on device. Nothing is lost" in bobs_browser.get("/calls/exports/").text
        assert not self.files(export)

    def test_it_is_said_when_no_worker_runs(
        self, bobs_browser: Client, bob: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.waiting(bob)
        monkeypatch.setattr("telephony.exports.Stat.get_all", lambda: [])
        assert "The worker that writes exports is not running" in bobs_browser.get("/calls/exports/").text
        monkeypatch.setattr("telephony.exports.Stat.get_all", lambda: ["beats"])
        page = bobs_browser.get("/calls/exports/").text
        assert "is not running" not in page and "Waiting" in page

    def test_one_whose_worker_died_says_so(self, bobs_browser: Client, bob: Any) -> None:
        self.waiting(bob, state="running", beat_at=timezone.now() - timedelta(minutes=5))
        assert "has died" in bobs_browser.get("/calls/exports/").text

    def test_everybody_sees_their_own_alone(
        self, alices_browser: Client, bobs_browser: Client, bob: Any, agent: Agent
    ) -> None:
        export = self.waiting(bob)
        tasks.write_export(str(export.pk))
        address = reverse("telephony:export_file", args=[export.pk])
        assert bobs_browser.get(address).status_code == 200
        assert alices_browser.get(address).status_code == 404
        assert "No exports" in alices_browser.get("/calls/exports/").text

    def test_an_export_past_its_time_goes_with_its_file(self, bobs_browser: Client, bob: Any) -> None:
        export = self.waiting(bob)
        tasks.write_export(str(export.pk))
        assert self.files(export)
        CallExport.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
        assert bobs_browser.get(reverse("telephony:export_file", args=[export.pk])).status_code == 404
        tasks.forget_old_exports()
        assert not self.files(export) and not CallExport.objects.exists()

    def test_the_list_asks_little_of_the_database(
        self, bobs_browser: Client, bob: Any, django_assert_num_queries: Any
    ) -> None:
        for _ in range(5):
            self.waiting(bob)
        with django_assert_num_queries(4):  # session, user, exports, live calls
            bobs_browser.get("/calls/exports/")


class TestAfterwards:
    def part(self, browser: Client, call: Call) -> str:
        return browser.get(reverse("telephony:afterwards", args=[call.pk])).text

    def test_the_page_shows_what_was_collected_with_its_last_value(
        self, bobs_browser: Client, agent: Agent
    ) -> None:
        noted = [
            StepNoted(note="variable", name=name, data={"value": value})
            for name, value in (("name", "Ann"), ("number", "415"), ("name", "Anne"))
        ]
        call = make_call(agent, ended([*spoken([]), *noted]))
        page = bobs_browser.get(call.get_absolute_url()).text
        assert '<dt data-variable="name">name</dt><dd>Anne</dd>' in page
        assert "415" in page and "<dd>Ann</dd>" not in page

    def test_a_cost_is_minutes_begun_times_the_price(
        self, alices_browser: Client, bobs_browser: Client, agent: Agent, settings: Any
    ) -> None:
        call = over(agent)
        Call.objects.filter(pk=call.pk).update(duration_seconds=61)
        page = self.part(bobs_browser, call)
        assert "no price set" in page and "TWILIO_PRICE_PER_MINUTE" not in page
        assert "TWILIO_PRICE_PER_MINUTE" in self.part(alices_browser, call), "who can set it is told how"
        settings.TWILIO_PRICE_PER_MINUTE, settings.CURRENCY = Decimal("0.0085"), "EUR"
        page = self.part(bobs_browser, call)
        assert "2 minutes begun" in page and "0.0170 EUR" in page
        assert "free, through the browser" in self.part(bobs_browser, over(agent, line="browser"))

    def test_its_files_hold_the_whole_call(self, bobs_browser: Client, agent: Agent) -> None:
        call = over(agent, "My bicycle.")
        text = bobs_browser.get(reverse("telephony:transcript_file", args=[call.pk])).text
        assert "[0:03] Caller: My bicycle.\n[0:05] Agent: Certainly." in text
        events = bobs_browser.get(reverse("telephony:events_file", args=[call.pk])).json()["events"]
        assert [event["seq"] for event in events] == list(range(1, call.last_seq + 1))
        row = bobs_browser.get(reverse("telephony:csv_file", args=[call.pk])).text
        assert "Caller: My bicycle." in row

    def test_who_may_not_hear_is_not_offered_the_recording(
        self, bobs_browser: Client, bob: Any, agent: Agent
    ) -> None:
        call = over(agent)
        make_recording(call, seconds=1)
        assert "recording.wav" in self.part(bobs_browser, call)
        bob.role = "viewer"
        bob.save()
        page = self.part(bobs_browser, call)
        assert "recording.wav" not in page and "Delete" not in page

    def test_a_call_that_goes_on_has_no_afterwards(self, bobs_browser: Client, agent: Agent) -> None:
        assert self.part(bobs_browser, make_call(agent, spoken(TURNS))) == ""
