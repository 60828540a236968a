"""Each happening is told once, from where it happens: calls, flows, agents, services and jobs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from asgiref.sync import async_to_sync
from django.utils import timezone

from agents.actions import save_agent, set_statuses
from agents.demo_flow import DEMO_FLOW
from agents.flows.actions import create_flow, publish, roll_back
from agents.knowledge.actions import add_pairs, create_base
from agents.knowledge.tasks import read_source
from agents.models import Agent, Source
from mlservices.checks import alerts, outward
from mlservices.happenings import KINDS
from mlservices.models import ServiceAlert
from telephony import actions, tasks
from telephony.deleting import delete_calls
from telephony.eventlog import EventLog, record_now
from telephony.models import Call, CallExport, PhoneNumber, PlannedCall, Recording
from telephony.outbound.actions import (
    are_too_late,
    begin_call,
    cancel_planned,
    do_not_call,
    is_placed,
    is_refused,
    is_unsure,
)
from telephony.recorder import Saved
from telephony.session.events import (
    AgentSaid,
    CallerSaid,
    MessageTaken,
    StepNoted,
    TransferStarted,
    WordsForgotten,
)
from telephony.switchboard import save_recording
from tests.agents.fakes import WordEmbedder
from tests.factories import make_agent, make_number
from voiceforge_site.hooks import outbox
from voiceforge_site.hooks.models import Delivery, Webhook

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _somebody_wants_everything(db: None) -> None:
    Webhook.objects.create(description="All", url="https://example.com/", secret="sealed", kinds=list(KINDS))


@pytest.fixture
def agent() -> Agent:
    return make_agent("Front desk", slug="front-desk")


@pytest.fixture
def number(agent: Agent) -> PhoneNumber:
    return make_number("+14155550100", agent=agent)


def told() -> list[tuple[str, int | None]]:
    return [(row.kind, row.sequence) for row in Delivery.objects.order_by("pk")]


def data(kind: str) -> dict[str, Any]:
    return dict(orjson.loads(Delivery.objects.get(kind=kind).body)["data"])


def said(turn: int, text: str) -> CallerSaid:
    return CallerSaid(
        at_seconds=turn,
        turn=turn,
        text=text,
        start_seconds=turn,
        end_seconds=turn,
        confidence=1,
        language="en",
    )


# ---- calls ------------------------------------------------------------------------------------------


def a_call(agent: Agent, number: PhoneNumber | None = None) -> Any:
    how = {"provider_call_id": "CA1", "caller": "+14155550112", "callee": "+14155550100"}
    return actions.answer_call(line="twilio", agent=agent, number=number, **how)


MESSAGE = {"name": "Ada", "number": "+14155550112", "number_confirmed": True, "words": "Hi", "complete": True}


def a_whole_call(agent: Agent, number: PhoneNumber) -> Call:
    """With all that can happen in it, most of it told more than once."""
    call = a_call(agent, number)
    a_call(agent, number)
    actions.connect_call(call.pk, line="twilio")
    actions.connect_call(call.pk, line="twilio")
    record_now(call.pk, AgentSaid(turn=0, text="Hello.", sentence=0), said(1, "My name is Ada."))
    record_now(call.pk, StepNoted(note="variable", name="name", data={"value": "Ada"}))
    record_now(call.pk, MessageTaken(**MESSAGE))
    record_now(call.pk, TransferStarted(number="+14155550199", reason="operator", by="bob"))
    assert actions.end_call(call.pk, reason="transferred", transfer_to="+14155550199")
    assert not actions.end_call(call.pk, reason="line_lost")
    call.refresh_from_db()
    save_recording(call, Saved(12.5, 4000, {}), rate=8000)
    actions.let_go(call.pk)
    actions.let_go(call.pk)
    return call


def test_a_call_is_told_from_its_first_ring_to_its_transcript(agent, number, settings) -> None:
    settings.PUBLIC_URL, settings.TWILIO_PRICE_PER_MINUTE = "https://voice.example.org", 2
    call = a_whole_call(agent, number)
    assert told() == [
        ("call.ringing", 1),
        ("call.answered", 2),
        ("call.message_taken", 6),
        ("call.transferred", 7),
        ("call.ended", 8),
        ("call.recording_ready", 9),
        ("call.transcript_ready", 9),
    ]
    assert {row.about for row in Delivery.objects.all()} == {f"call:{call.pk}"}
    ended = data("call.ended")
    assert ended["call"] == {
        "id": str(call.pk),
        "url": f"https://voice.example.org/calls/{call.pk}/",
        "direction": "inbound",
        "line": "twilio",
        "status": "completed",
        "caller": "+14155550112",
        "callee": "+14155550100",
        "number": "+14155550100",
        "agent": {"slug": "front-desk", "name": "Front desk"},
        "flow_version": None,
        "started_at": call.created_at.isoformat(),
        "answered_at": call.answered_at.isoformat(),
        "ended_at": call.ended_at.isoformat(),
    }
    assert (ended["outcome"], ended["transfer_to"], ended["turns"]) == ("transferred", "+14155550199", 1)
    assert ended["cost"] == {"amount": "2", "currency": "USD", "minutes": 1}
    assert ended["variables"] == {"name": "Ada"}


def test_what_came_of_a_call_is_told_with_its_words_and_where_its_sound_is(agent, number) -> None:
    call = a_whole_call(agent, number)
    assert data("call.message_taken")["message"] == {**MESSAGE, "confirmed": True, "ordinal": 1}
    transfer = data("call.transferred")
    assert (transfer["to"], transfer["reason"], transfer["by"]) == ("+14155550199", "operator", "bob")
    recording = data("call.recording_ready")["recording"]
    assert recording["duration_seconds"] == 12.5
    assert recording["url"].endswith(f"/calls/{call.pk}/recording.wav")
    assert [(line["who"], line["text"]) for line in data("call.transcript_ready")["transcript"]] == [
        ("agent", "Hello."),
        ("caller", "My name is Ada."),
    ]


def test_what_is_documented_of_a_call_is_what_is_sent(agent, number) -> None:
    a_whole_call(agent, number)
    kinds = {row.kind for row in Delivery.objects.all()}
    assert len(kinds) == 7
    for kind in kinds:
        assert shape(data(kind)) == shape(KINDS[kind].example), kind


def shape(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items() if key not in ("variables", "flow_version")}
    return [shape(value[0])] if isinstance(value, list) else None


def test_a_call_that_is_never_answered_has_no_transcript(agent) -> None:
    call = a_call(agent)
    actions.end_call(call.pk, reason="never_connected")
    assert [kind for kind, _ in told()] == ["call.ringing", "call.ended"]
    assert data("call.ended")["outcome"] == "no_answer" and data("call.ended")["duration_seconds"] == 0


def test_a_flow_that_keeps_no_transcript_tells_none(agent) -> None:
    call = a_call(agent)
    actions.connect_call(call.pk, line="twilio")
    record_now(call.pk, said(1, "My number is 1234."), WordsForgotten())
    actions.end_call(call.pk, reason="agent_hung_up")
    actions.let_go(call.pk)
    assert [kind for kind, _ in told()] == ["call.ringing", "call.answered", "call.ended"]
    assert not Delivery.objects.filter(body__contains="1234").exists()


@pytest.mark.django_db(transaction=True)
def test_what_live_calls_record_is_told_alike(agent) -> None:
    call = a_call(agent)

    async def talk() -> EventLog:
        log = EventLog()
        for ordinal in (1, 2):
            log.record(call.pk, said(ordinal, "Hello."))
            about = {"name": "Ada", "number": "", "number_confirmed": False, "words": "", "complete": False}
            log.record(call.pk, MessageTaken(ordinal=ordinal, **about))
        await log.flush()
        return log

    async_to_sync(talk)().close()
    assert told() == [("call.ringing", 1), ("call.message_taken", 3), ("call.message_taken", 5)]


def test_words_of_turns_ask_nobody_what_they_want(agent, django_assert_max_num_queries) -> None:
    call = a_call(agent)
    with django_assert_max_num_queries(10) as captured:
        record_now(call.pk, said(1, "Hello."))
    assert not [query for query in captured.captured_queries if "webhook" in query["sql"]]


def test_with_a_deleted_call_goes_what_was_told_of_it(agent) -> None:
    call, other = a_call(agent), actions.start_browser_call(agent=agent, caller="alice")
    actions.end_call(call.pk, reason="never_connected")
    assert delete_calls(call_ids=[call.pk]) == 1
    assert {row.about for row in Delivery.objects.all()} == {f"call:{other.pk}"}
    assert not Recording.objects.exists()


# ---- calls that we place ----------------------------------------------------------------------------


@pytest.fixture
def plan(agent, number) -> Any:
    def planned(**more: Any) -> PlannedCall:
        fields = {"to": "+14155550111", "agent": agent, "caller_id": number, "by": "alice", **more}
        return PlannedCall.objects.create(**fields)

    return planned


def test_a_planned_call_is_placed_refused_or_canceled(plan) -> None:
    placed = plan()
    call = begin_call(placed, None)
    is_placed(placed, call, "CA1")
    assert [kind for kind, _ in told()] == ["call.ringing", "planned_call.placed"]
    assert data("planned_call.placed")["planned_call"] | {"due_at": 0} == {
        "id": str(placed.pk),
        "to": "+14155550111",
        "number": "+14155550100",
        "line": "",
        "agent": {"slug": "front-desk", "name": "Front desk"},
        "due_at": 0,
        "reason": "",
        "call": str(call.pk),
        "by": "alice",
    }
    Delivery.objects.all().delete()
    canceled = plan()
    assert cancel_planned(planned=canceled) and not cancel_planned(planned=canceled)
    is_refused(plan(), "No money.")
    is_unsure(plan(), "It did not answer.")
    assert [kind for kind, _ in told()] == ["planned_call.canceled", *["planned_call.refused"] * 2]


def test_many_that_are_canceled_or_late_are_told_one_by_one(plan) -> None:
    plan(), plan(), plan(to="+14155550222")
    do_not_call(numbers=["+14155550111"], reason="", by="alice")
    are_too_late(due_before=timezone.now() + timedelta(minutes=1))
    assert [kind for kind, _ in told()] == [*["planned_call.canceled"] * 2, "planned_call.refused"]
    assert "too late" in data("planned_call.refused")["planned_call"]["reason"]


# ---- agents and flows -------------------------------------------------------------------------------


def test_a_flow_is_told_of_when_what_is_live_changes(db) -> None:
    flow = create_flow(graph=DEMO_FLOW, by="alice", name="Front desk")
    assert told() == []
    first = publish(flow=flow, by="alice", note="First")
    publish(flow=flow, by="bob")
    roll_back(version=first, by="alice")
    assert told() == [("flow.published", 1), ("flow.published", 2), ("flow.rolled_back", 3)]
    assert data("flow.rolled_back") == {
        "flow": {"slug": flow.slug, "name": "Front desk"},
        "version": 3,
        "by": "alice",
        "note": "Back to version 1",
        "restored": 1,
    }


def test_an_agent_is_told_of_when_it_changes(db) -> None:
    agent = save_agent(agent=Agent(name="Sales", greeting="Hello."), by="alice")
    save_agent(agent=agent, by="alice")  # nothing has changed
    set_statuses(statuses={agent.slug: "paused"}, by="bob")
    assert told() == [("agent.changed", 1), ("agent.changed", 2)]
    bodies = [orjson.loads(row.body)["data"] for row in Delivery.objects.order_by("pk")]
    assert [(each["change"], each["status"], each["by"]) for each in bodies] == [
        ("created", "active", "alice"),
        ("paused", "paused", "bob"),
    ]


# ---- services and jobs ------------------------------------------------------------------------------


def test_an_alert_is_told_once_when_it_is_raised_and_once_when_it_is_over(db) -> None:
    about = {"service": "local-stt", "title": "Voice", "kind": "memory", "value": 0.99, "limit": 0.95}
    alert = ServiceAlert.objects.create(since=timezone.now(), **about)
    outward.tell_of(alert)
    alerts.clear_others(["another"])
    alerts.clear_others(["another"])
    assert [kind for kind, _ in told()] == ["service.alert", "service.recovered"]
    assert data("service.alert")["alert"]["cleared_at"] is None
    assert data("service.recovered")["alert"]["cleared_at"]


def test_an_export_is_told_of_when_it_is_written_or_has_failed(agent, monkeypatch) -> None:
    def export() -> CallExport:
        expires = timezone.now() + timedelta(days=1)
        return CallExport.objects.create(owner=1, columns=["id"], expires_at=expires)

    done, failed, canceled = export(), export(), export()
    tasks.write_export(str(done.pk))
    CallExport.objects.filter(pk=canceled.pk).update(state="canceled")
    tasks.write_export(str(canceled.pk))

    def full(*_args: Any) -> Iterator[None]:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tasks, "_write", full)
    tasks.write_export(str(failed.pk))
    assert [kind for kind, _ in told()] == ["job.finished", "job.failed"]
    assert data("job.failed")["problem"] == "No space left on device"
    assert data("job.finished")["job"]["id"] == str(done.pk) and data("job.finished")["done"] == 0


@pytest.mark.django_db(transaction=True)
def test_a_source_is_told_of_when_it_is_read_or_cannot_be(monkeypatch) -> None:
    monkeypatch.setattr("agents.knowledge.tasks.registry.embedder", WordEmbedder)
    base = create_base(name="Clinic")
    source = add_pairs(base=base, name="Parking", pairs=[("Is there parking?", "Yes.")], by="alice")
    read_source(source.pk)
    Source.objects.update(kind="page", address="http://10.0.0.7/prices")
    read_source(source.pk)
    assert [kind for kind, _ in told()] == ["job.finished", "job.failed"]
    assert data("job.finished") == {
        "job": {"kind": "knowledge", "id": str(source.pk), "name": "Parking"},
        "done": 1,
    }
    assert data("job.failed")["problem"]


def test_every_kind_is_told_here_but_that_of_the_test_button() -> None:
    """One that is added later is to be tested too."""
    tested = Path(__file__).read_text()
    assert [name for name in KINDS if f'"{name}"' not in tested] == [outbox.PING]
