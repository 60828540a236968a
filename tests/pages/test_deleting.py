"""Calls that are deleted, with all that belongs to them."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from agents.models import Agent
from telephony import search
from telephony.deleting import CannotDelete, delete_calls
from telephony.models import Call, CallEvent, CallNote, CallText, Recording
from tests.factories import make_agent, make_call, make_past_call, make_recording, spoken

TURNS = [("When are you open?", "From eight to six."), ("Thank you.", "You're welcome.")]


@pytest.fixture
def agent(db: None) -> Agent:
    return make_agent("Front desk", slug="front-desk")


class TestDeleting:
    def test_it_asks_first_and_names_how_many(self, alices_browser: Client, agent: Agent) -> None:
        calls = [make_past_call(agent), make_past_call(agent), make_call(agent, spoken(TURNS))]
        make_recording(calls[0], seconds=1)
        answer = alices_browser.post("/calls/delete/", {"call": [str(call.pk) for call in calls]})
        assert "Delete 2 calls?" in answer.text
        assert "1 recording goes with them" in answer.text
        assert "1 chosen call goes on and is left" in answer.text
        assert Call.objects.count() == 3

    def test_a_deleted_call_leaves_no_row_and_no_file(
        self, alices_browser: Client, agent: Agent, django_capture_on_commit_callbacks: Any
    ) -> None:
        call, kept = make_past_call(agent, "My bicycle."), make_past_call(agent, "My bicycle.")
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
        calls = [make_past_call(agent), make_past_call(agent)]
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
        live, held = make_call(agent, spoken(TURNS)), make_past_call(agent)
        Call.objects.filter(pk=held.pk).update(held_at=timezone.now())
        assert delete_calls(call_ids=[live.pk, held.pk, uuid4()]) == 0
        assert Call.objects.count() == 2

    def test_operators_may_not(self, bobs_browser: Client, agent: Agent) -> None:
        call = make_past_call(agent)
        assert bobs_browser.post("/calls/delete/", {"call": str(call.pk), "sure": "1"}).status_code == 403
        assert "Delete" not in bobs_browser.get("/calls/").text
