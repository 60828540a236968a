"""Exports over the API: ordered, followed, fetched, canceled and deleted."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from uuid import UUID

import pytest
from django.utils import timezone

from telephony import tasks
from telephony.models import CallExport
from tests.factories import make_agent, make_past_call

EXPORTS = "/api/telephony/exports"


@pytest.fixture(autouse=True)
def _files_of_its_own(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def ordered(monkeypatch, django_capture_on_commit_callbacks):
    """Orders, and gives what the worker is asked for."""
    jobs = []
    monkeypatch.setattr("telephony.export_actions.async_task", lambda *job: jobs.append(job))

    def order(program, sent):
        with django_capture_on_commit_callbacks(execute=True):
            answer = program.send("POST", EXPORTS, sent)
        assert answer.status_code == 202, answer.text
        assert jobs.pop() == ("telephony.tasks.write_export", answer.json()["id"])
        return answer.json()

    return order


def rows(answer):
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text)))


def test_an_export_is_ordered_followed_fetched_and_deleted(bobs, alices, ordered):
    agent = make_agent("Front desk")
    make_past_call(agent, "My bicycle.", caller="+14155550001")
    make_past_call(make_agent("Hotel"), "My bicycle.")
    told = ordered(bobs, {"filters": {"agent": agent.slug, "q": "bicycle"}, "columns": ["agent", "caller"]})
    assert (told["state"], told["total"], told["bytes"], told["died"]) == ("waiting", None, None, False)
    assert told["filters"] == {"q": "bicycle", "agent": agent.slug}
    address = f"{EXPORTS}/{told['id']}"
    early = bobs.get(f"{address}/file")
    assert (early.status_code, "no file" in early.json()["detail"]) == (409, True)
    tasks.write_export(told["id"])
    done = bobs.get(address).json()
    assert (done["state"], done["written"], done["bytes"] > 0) == ("done", 1, True)
    assert done["title"] == "Front desk, “bicycle”"
    assert rows(bobs.get(f"{address}/file")) == [["Caller", "Agent"], ["+14155550001", "Front desk"]]
    assert [each["id"] for each in bobs.get(f"{EXPORTS}?state=done").json()["results"]] == [told["id"]]
    assert bobs.send("POST", f"{address}/cancel").status_code == 409
    assert bobs.send("DELETE", address).status_code == 204
    assert bobs.get(address).status_code == 404
    trail = alices.get(f"/api/audit?kind=telephony.callexport&thing={told['id']}").json()["results"]
    verbs = [entry["verb"] for entry in reversed(trail)]
    assert verbs == ["export.ordered", "export.downloaded", "export.canceled"]


def test_its_file_goes_with_it(bobs, ordered, tmp_path, django_capture_on_commit_callbacks):
    told = ordered(bobs, {})
    tasks.write_export(told["id"])
    assert list((tmp_path / "exports").iterdir())
    with django_capture_on_commit_callbacks(execute=True):
        bobs.send("DELETE", f"{EXPORTS}/{told['id']}")
    assert not list((tmp_path / "exports").iterdir())


def test_one_that_is_under_way_is_canceled_first(bobs, ordered):
    address = f"{EXPORTS}/{ordered(bobs, {})['id']}"
    refused = bobs.send("DELETE", address)
    assert (refused.status_code, "cancel it first" in refused.json()["detail"]) == (409, True)
    assert bobs.send("POST", f"{address}/cancel").json()["state"] == "canceled"
    assert bobs.send("POST", f"{address}/cancel").status_code == 409
    assert bobs.get(f"{address}/file").status_code == 409
    assert bobs.send("DELETE", address).status_code == 204


def test_who_knows_an_older_state_deletes_nothing(bobs, ordered):
    told = ordered(bobs, {})
    address = f"{EXPORTS}/{told['id']}"
    read = bobs.get(address)["ETag"]
    tasks.write_export(told["id"])
    assert bobs.send("DELETE", address, If_Match=read).status_code == 412
    assert bobs.send("DELETE", address, If_Match=bobs.get(address)["ETag"]).status_code == 204


def test_chosen_calls_alone_are_written_with_all_columns_but_the_transcript(bobs, ordered):
    chosen, _other = make_past_call(make_agent()), make_past_call(make_agent("Hotel"))
    told = ordered(bobs, {"calls": [str(chosen.pk)]})
    assert told["calls"] == [str(chosen.pk)] and told["title"] == "1 chosen call"
    assert "transcript" not in told["columns"] and "outcome" in told["columns"]
    tasks.write_export(told["id"])
    head, row = rows(bobs.get(f"{EXPORTS}/{told['id']}/file"))
    assert (head[0], row[0]) == ("Call", str(chosen.pk))


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"columns": ["price"]}, "columns.0"),
        ({"columns": []}, "columns"),
        ({"columns": "id"}, "columns"),
        ({"filters": {"agent": "nobody"}}, "filters.agent"),
        ({"filters": {"outcome": "lost"}}, "filters.outcome"),
        ({"filters": {"from": "March"}}, "filters.from"),
        ({"filters": {"from": "0001-01-01"}}, "filters.from"),
        ({"filters": {"longer": "90"}}, "filters.longer"),
        ({"filters": {"page": "1"}}, "filters.page"),
        ({"calls": [str(UUID(int=5))]}, "calls.0"),
        ({"calls": ["x"]}, "calls.0"),
        ({"owner": 1}, "owner"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_is_wrong_is_told_by_field(bobs, sent, field):
    refused = bobs.send("POST", EXPORTS, sent)
    assert refused.status_code == 400 and field in refused.json()["fields"], refused.text
    assert not CallExport.objects.exists()


def test_calls_and_filters_together_mean_nothing(bobs):
    call = make_past_call(make_agent())
    refused = bobs.send("POST", EXPORTS, {"calls": [str(call.pk)], "filters": {"slow": True}})
    assert set(refused.json()["fields"]) == {"filters"}


def test_every_filter_is_understood_and_told_as_it_was_sent(bobs, ordered):
    agent = make_agent()
    asked = {
        "q": "bicycle", "number": "555", "agent": agent.slug, "outcome": "handled", "direction": "inbound",
        "longer": 10, "shorter": 90, "slow": True, "from": "2026-03-01", "to": "2026-03-31", "sort": "oldest",
    }  # fmt: skip
    assert ordered(bobs, {"filters": asked})["filters"] == asked
    assert ordered(bobs, {"filters": {"slow": False, "shorter": 0}})["filters"] == {"shorter": 0}


def test_everybody_has_their_own_alone_and_for_three_days(alices, bobs, ordered):
    address = f"{EXPORTS}/{ordered(bobs, {})['id']}"
    for method, where in (("GET", address), ("GET", f"{address}/file"), ("POST", f"{address}/cancel")):
        assert alices.send(method, where).status_code == 404
    assert alices.send("DELETE", address).status_code == 404
    assert alices.get(EXPORTS).json()["results"] == []
    CallExport.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert bobs.get(address).status_code == 404 and bobs.get(EXPORTS).json()["results"] == []


def test_who_may_not_export_does_not(bob, charlie, program, ordered, bobs):
    address = f"{EXPORTS}/{ordered(bobs, {})['id']}"
    for each in (program(charlie), program(bob, scopes=["telephony.view_calls"])):
        assert each.get(EXPORTS).status_code == each.get(address).status_code == 403
        assert each.send("POST", EXPORTS, {}).status_code == 403
        assert each.send("POST", f"{address}/cancel").status_code == 403
        assert each.send("DELETE", address).status_code == 403
    assert program(bob, scopes=["telephony.export_calls"]).get(address).status_code == 200
