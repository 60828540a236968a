from __future__ import annotations

import json
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from django.db.models import F
from django.utils import timezone
from rest_framework.renderers import JSONRenderer

from agents.models import Agent, Flow, FlowVersion
from telephony import orders
from telephony.eventlog import record_now
from telephony.models import Call, CallEvent, Tag
from telephony.rest.call_fields import OF_A_LIST, CallFields
from telephony.search import index
from telephony.session.events import OperatorWhispered
from tests.factories import ended, make_agent, make_call, make_number, make_recording, spoken

CALLS = "/api/telephony/calls"


@pytest.fixture
def call(db: None) -> Call:
    over = make_call(make_agent("Front desk"), ended(spoken([("When are you open?", "At nine.")])))
    index(over.pk)
    return over


@pytest.fixture
def live(db: None) -> Call:
    return make_call(make_agent("Night desk"), spoken([("Hello?", "Good evening.")]))


def test_calls_are_listed_by_pages_and_filtered_as_in_the_history(alices, call, live):
    told = alices.get(f"{CALLS}?limit=1").json()
    assert [each["id"] for each in told["results"]] == [str(live.pk)]
    (older,) = alices.get(told["next"]).json()["results"]
    assert (older["id"], older["agent"], older["turns"]) == (str(call.pk), call.agent.slug, 1)
    for asked in ("q=open", f"agent={call.agent.slug}", "sort=duration", "outcome=handled", "search=open"):
        found = alices.get(f"{CALLS}?{asked}").json()["results"]
        assert [each["id"] for each in found] == [str(call.pk)], asked
    oldest = [each["id"] for each in alices.get(f"{CALLS}?ordering=created_at").json()["results"]]
    assert oldest == [str(call.pk), str(live.pk)]


def test_what_makes_no_sense_is_told_with_what_would(alices):
    asked = "agent=nobody&outcome=asleep&from=2026-13-01&longer=x&slow=yes"
    told = alices.get(f"{CALLS}?{asked}").json()["fields"]
    assert set(told) == {"agent", "outcome", "from", "longer", "slow"}
    assert told["from"] == "Write the day like 2026-03-05."
    assert told["outcome"].startswith("Use one of handled, ")
    assert told["slow"] == "Use one of 0, 1."
    order = alices.get(f"{CALLS}?ordering=secret").json()["fields"]["ordering"]
    assert order.startswith("Use created_at, duration_seconds, response_ms, with - before it")


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata"])
def test_a_list_tells_what_is_described(alices, alice, call, live, zone):
    alice.time_zone = zone
    alice.save()
    tags = [Tag.objects.create(name=name) for name in ("urgent", "billing")]
    call.tags.set(tags)
    live.tags.set(tags[:1])
    Call.objects.filter(pk=call.pk).update(phone_number=make_number("+14155550101"), duration_seconds=2.5)
    found = alices.get(CALLS).json()["results"]
    with timezone.override(zone):
        described = CallFields(Call.objects.order_by("-created_at"), many=True).data
    assert found == json.loads(JSONRenderer().render(described))
    assert [list(each) for each in found] == [list(OF_A_LIST)] * 2


def test_a_list_costs_the_same_however_long(alices, call, django_assert_max_num_queries):
    for _ in range(5):
        make_call(make_agent(), ended(spoken([("Hello?", "Yes.")])))
    with django_assert_max_num_queries(6):
        alices.get(CALLS)


def test_no_more_of_a_call_is_loaded_than_is_told(alices, call, django_assert_num_queries):
    make_recording(call, seconds=1)
    flow = Flow.objects.create(name="Hours", slug="hours", draft={"nodes": [], "edges": []})
    version = FlowVersion.objects.create(flow=flow, number=1, graph=flow.draft)
    number = make_number("+14155550101")
    Call.objects.filter(pk=call.pk).update(phone_number=number, flow_version=version)
    with django_assert_num_queries(4):  # who asks, the call, its events, its tags
        assert alices.get(f"{CALLS}/{call.pk}").json()["flow"]


def test_all_of_a_call_is_told(alices, call):
    make_recording(call, seconds=1)
    told = alices.get(f"{CALLS}/{call.pk}").json()
    assert (told["status"], told["has_recording"], told["cost"]["minutes"] >= 0) == ("completed", True, True)
    lines = alices.get(f"{CALLS}/{call.pk}/transcript").json()["lines"]
    assert [(line["who"], line["text"]) for line in lines][-2:] == [
        ("caller", "When are you open?"),
        ("agent", "At nine."),
    ]
    sound = alices.get(f"{CALLS}/{call.pk}/recording")
    assert sound["Content-Type"] == "audio/wav"
    part = alices.send("GET", f"{CALLS}/{call.pk}/recording", Range="bytes=0-3")
    assert (part.status_code, part["Content-Length"]) == (206, "4")


def test_what_was_not_recorded_says_so(alices):
    call = make_call(make_agent(record=False), spoken([("Hello?", "Yes.")]))
    refused = alices.get(f"{CALLS}/{call.pk}/recording")
    assert (refused.status_code, refused.json()["detail"]) == (404, "This agent does not record its calls.")
    Agent.objects.update(record=True)
    assert "There is no recording" in alices.get(f"{CALLS}/{call.pk}/recording").json()["detail"]


def test_moments_are_told_to_the_millisecond(alices):
    call = make_call(make_agent(), spoken([("Hello?", "Yes.")]))
    CallEvent.objects.update(at_seconds=F("at_seconds") + 1 / 3)
    lines = alices.get(f"{CALLS}/{call.pk}/transcript").json()["lines"]
    assert all(line["at_seconds"] == round(line["at_seconds"], 3) for line in lines)


def test_events_go_on_where_one_left_off(alices, call):
    first = alices.get(f"{CALLS}/{call.pk}/events").json()
    assert [event["seq"] for event in first["events"]] == list(range(1, first["last_seq"] + 1))
    assert first["ended"] is True
    later = alices.get(f"{CALLS}/{call.pk}/events?after=2").json()
    assert later["events"] == first["events"][2:]
    assert alices.get(f"{CALLS}/{call.pk}/events?after=x").json()["fields"] == {
        "after": "Send the number of an event."
    }


def test_a_live_call_is_directed_and_one_that_is_over_is_not(bobs, live, call, monkeypatch):
    sent = []

    async def group_send(_group, order):
        sent.append((order["by"], order["type"]))

    layer = get_channel_layer()
    monkeypatch.setattr(layer, "group_send", group_send)
    monkeypatch.setattr(orders, "FOLLOWED_SECONDS", 0)  # nobody is there to tell
    assert bobs.send("POST", f"{CALLS}/{live.pk}/say", {"text": "One moment."}).status_code == 202
    assert bobs.send("POST", f"{CALLS}/{live.pk}/whisper", {"text": "Be brief."}).status_code == 202
    assert bobs.send("POST", f"{CALLS}/{live.pk}/transfer", {"number": "+14155550199"}).status_code == 202
    assert sent == [("bob", "say"), ("bob", "whisper"), ("bob", "transfer")]
    monkeypatch.undo()
    nobodys = bobs.send("POST", f"{CALLS}/{live.pk}/transfer", {"number": "+4990012345"})
    assert (nobodys.status_code, "check its digits" in nobodys.json()["fields"]["number"]) == (400, True)
    wrong = bobs.send("POST", f"{CALLS}/{live.pk}/transfer", {"number": "12"})
    assert "country code" in wrong.json()["fields"]["number"]
    assert bobs.send("POST", f"{CALLS}/{live.pk}/hang-up").status_code == 202
    live.refresh_from_db()
    assert live.end_reason == "operator_hung_up"
    for verb, body in (("say", {"text": "x"}), ("hang-up", None)):
        late = bobs.send("POST", f"{CALLS}/{call.pk}/{verb}", body)
        assert (late.status_code, late.json()["detail"]) == (409, "This call is over.")


@pytest.mark.parametrize("followed", [True, False], ids=["followed", "not followed"])
def test_what_an_agent_cannot_follow_is_refused(bobs, live, monkeypatch, followed):
    async def group_send(_group, order):
        told = OperatorWhispered(by=order["by"], text=order["text"], followed=followed)
        await sync_to_async(record_now)(live.pk, told)

    monkeypatch.setattr(get_channel_layer(), "group_send", group_send)
    answer = bobs.send("POST", f"{CALLS}/{live.pk}/whisper", {"text": "Be  brief."})
    if followed:
        assert answer.status_code == 202
    else:
        assert answer.status_code == 409
        cannot = "The agent cannot follow “Be brief.” (bob): it has no language model. Say it, or take over."
        assert answer.json()["detail"] == cannot


def test_tags_and_notes(bobs, alices, call):
    assert bobs.send("POST", f"{CALLS}/{call.pk}/tags", {"name": "urgent"}).json()["tags"] == ["urgent"]
    assert bobs.send("DELETE", f"{CALLS}/{call.pk}/tags/urgent").status_code == 204
    assert bobs.get(f"{CALLS}/{call.pk}").json()["tags"] == []
    note = alices.send("POST", f"{CALLS}/{call.pk}/notes", {"text": "Call back."}).json()
    assert (note["author"], note["text"]) == ("alice", "Call back.")
    assert bobs.send("DELETE", f"{CALLS}/{call.pk}/notes/{note['id']}").status_code == 403
    assert alices.send("DELETE", f"{CALLS}/{call.pk}/notes/{note['id']}").status_code == 204
    assert alices.get(f"{CALLS}/{call.pk}/notes").json()["results"] == []


def test_a_call_is_deleted_once_it_is_over(alices, bobs, call, live):
    assert bobs.send("DELETE", f"{CALLS}/{call.pk}").status_code == 403
    assert alices.send("DELETE", f"{CALLS}/{live.pk}").status_code == 409
    assert alices.send("DELETE", f"{CALLS}/{call.pk}").status_code == 204
    assert alices.get(f"{CALLS}/{call.pk}").status_code == 404
    assert alices.get(f"{CALLS}/{uuid4()}").status_code == 404
