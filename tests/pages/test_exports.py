"""Lists of calls as files: ordered, written, fetched, and gone in time."""

from __future__ import annotations

import csv
import io
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as project
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape

from agents.models import Agent
from telephony import tasks
from telephony.annotation_actions import tag_call
from telephony.models import CallExport
from tests.factories import make_agent, make_past_call
from voiceforge_site.models import User


@pytest.fixture
def agent(db: None) -> Agent:
    return make_agent("Front desk", slug="front-desk")


@pytest.fixture
def ordered(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The jobs that were put in the queue."""
    jobs: list[Any] = []
    monkeypatch.setattr("telephony.export_actions.async_task", lambda *job: jobs.append(job))
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
        tag_call(call=make_past_call(agent, "My bicycle.", caller="+14155550001"), name="Lead")
        make_past_call(
            agent, "My bicycle.", caller="+14155550002", started=timezone.now() - timedelta(hours=1)
        )
        make_past_call(make_agent("Hotel"), "My bicycle.")
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
        calls = {str(make_past_call(agent, started=moment).pk) for _ in range(5)}
        export = self.export(bobs_browser, ordered, django_capture_on_commit_callbacks, columns=["id"])
        rows = self.rows(bobs_browser, export)[1:]
        assert len(rows) == 5 and {row[0] for row in rows} == calls

    def test_what_was_said_is_a_column_and_no_cell_is_a_formula(
        self, bobs_browser: Client, agent: Agent, ordered: list[Any], django_capture_on_commit_callbacks: Any
    ) -> None:
        make_past_call(agent, "Hello.", caller='=HYPERLINK("http://evil.example")')
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
        chosen, _other = make_past_call(agent), make_past_call(agent)
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
        make_past_call(agent)
        bob.language = "de"
        bob.save()
        form = {"columns": ["line", "direction", "outcome"]}
        export = self.export(bobs_browser, ordered, django_capture_on_commit_callbacks, **form)
        assert self.rows(bobs_browser, export) == [
            ["Leitung", "Richtung", "Ergebnis"],
            ["Twilio", "Eingehend", "Anrufer hat aufgelegt"],
        ]

    @pytest.mark.parametrize(
        ("query", "name", "file"),
        [
            ("", "All calls", "calls-all-calls"),
            (
                "agent=front-desk&outcome=failed&from=2026-11-01&to=2026-11-30",
                "Front desk, Failed, 1–30 November 2026",
                "calls-front-desk-failed-1-30-november-2026",
            ),
            ("from=2026-11-03&to=2026-11-03", "3 November 2026", "calls-3-november-2026"),
            ("from=2026-10-31&to=2026-11-03", "31 Oct 2026 – 3 Nov 2026", "calls-31-oct-2026-3-nov-2026"),
            (
                "q=Zo%C3%AB+%22x%22%0d%0a&longer=90",
                '“Zoë "x"”, Duration at least 1:30',
                "calls-zoe-x-duration-at-least-1-30",
            ),
            ("q=%E5%81%9C%E8%BD%A6", "“停车”", "calls"),
            (f"q={'word+' * 30}", "", "calls-word-word-word-word-word-word-word-word-word-word-word-word"),
        ],
    )
    def test_one_is_called_by_its_filters_in_words(
        self, bobs_browser: Client, bob: Any, agent: Agent, query: str, name: str, file: str
    ) -> None:
        export = self.waiting(bob, query=query)
        tasks.write_export(str(export.pk))
        assert escape(name) in bobs_browser.get("/calls/exports/").text
        answer = bobs_browser.get(reverse("telephony:export_file", args=[export.pk]))
        day = timezone.localdate().isoformat()
        assert answer["Content-Disposition"] == f'attachment; filename="{file}-{day}.csv"'

    def test_chosen_calls_are_called_by_their_number(self, bobs_browser: Client, bob: Any) -> None:
        self.waiting(bob, calls=["x", "y"], query="agent=front-desk")
        assert "2 chosen calls" in bobs_browser.get("/calls/exports/").text

    def test_one_without_columns_is_refused(self, bobs_browser: Client, agent: Agent) -> None:
        answer = bobs_browser.post("/calls/exports/", {"all": "1", "columns_shown": "1"})
        assert answer.status_code == 422 and "at least one column" in answer.text

    def test_one_that_is_canceled_leaves_no_file(
        self, bobs_browser: Client, agent: Agent, monkeypatch: pytest.MonkeyPatch, bob: Any
    ) -> None:
        make_past_call(agent)
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

        make_past_call(agent)
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
            self.waiting(bob, query="agent=front-desk")
        with django_assert_num_queries(5):  # session, user, exports, agents they are of, live calls
            bobs_browser.get("/calls/exports/")
