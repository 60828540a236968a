"""Calls that are placed over the API, numbers that nobody calls, and SIP lines."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from telephony.models import DoNotCall, PhoneNumber, PlannedCall, SipLine
from tests.factories import make_agent
from tests.telephony.lines.conftest import account, twilio
from voiceforge_site.models import ApiKey, Done

__all__ = ["account", "twilio"]  # fixtures

PLANNED = "/api/telephony/outbound-calls"
NEVER = "/api/telephony/do-not-call"
LINES = "/api/telephony/lines"
TO, OURS = "+14155550123", "+14155550100"


@pytest.fixture
def wanted(account):
    PhoneNumber.objects.create(number=OURS, credential=account)
    return {"to": "+1 415 555 0123", "agent": make_agent().slug, "caller_id": OURS}


def test_a_call_is_planned_once_and_canceled(bobs, wanted):
    later = {
        **wanted,
        "variables": {"name": "Ann"},
        "due_at": (timezone.now() + timedelta(days=1)).isoformat(),
    }
    made = bobs.send("POST", PLANNED, later, Idempotency_Key="one")
    assert made.status_code == 201, made.text
    told = made.json()
    assert (told["to"], told["state"], told["variables"], told["by"]) == (
        TO,
        "waiting",
        {"name": "Ann"},
        "bob",
    )
    assert bobs.send("POST", PLANNED, later, Idempotency_Key="one")["Idempotent-Replayed"] == "true"
    assert ApiKey.objects.get(prefix=PlannedCall.objects.get().key).person.username == "bob"
    address = f"{PLANNED}/{told['id']}"
    assert bobs.get(f"{PLANNED}?state=waiting").json()["results"] == [bobs.get(address).json()]
    assert bobs.send("DELETE", address).status_code == 204
    assert bobs.get(address).json()["state"] == "canceled"
    assert bobs.send("DELETE", address).status_code == 409


def test_a_server_that_forgot_the_answer_places_no_second_call(bobs, wanted):
    first = bobs.send("POST", PLANNED, wanted, Idempotency_Key="one").json()
    Done.objects.all().delete()  # as if it had died before it could keep the answer
    assert bobs.send("POST", PLANNED, wanted, Idempotency_Key="one").json()["id"] == first["id"]
    assert PlannedCall.objects.count() == 1


def test_a_key_that_is_used_again_after_a_day_places_another_call(bobs, wanted):
    first = bobs.send("POST", PLANNED, wanted, Idempotency_Key="one").json()
    for days in (1, 2):
        long_ago = timezone.now() - timedelta(days=days, minutes=1)
        Done.objects.update(at=long_ago)
        PlannedCall.objects.update(at=long_ago)
        other = {**wanted, "to": f"+1 415 555 019{days}"}
        second = bobs.send("POST", PLANNED, other, Idempotency_Key="one").json()
        assert (second["to"], second["id"] != first["id"]) == (f"+1415555019{days}", True)
        Done.objects.all().delete()  # as if it had died before it could keep the answer
        assert bobs.send("POST", PLANNED, other, Idempotency_Key="one").json()["id"] == second["id"]
    assert PlannedCall.objects.count() == 3


def test_what_may_not_be_called_is_refused_in_the_words_of_the_page(bobs, wanted):
    DoNotCall.objects.create(number=TO)
    assert "do-not-call" in str(bobs.send("POST", PLANNED, wanted).json()["fields"]["to"]).lower()
    abroad = bobs.send("POST", PLANNED, {**wanted, "to": "+442071838750"}).json()["fields"]
    assert set(abroad) == {"to"}
    wrong = {**wanted, "to": "12", "agent": "nobody", "caller_id": "+1", "machine": "shout"}
    assert set(bobs.send("POST", PLANNED, wrong).json()["fields"]) >= {"agent", "caller_id", "machine"}
    assert set(bobs.send("POST", PLANNED, {**wanted, "to": "12"}).json()["fields"]) == {"to"}
    assert set(bobs.send("POST", PLANNED, {**wanted, "variables": {"a b": "x"}}).json()["fields"]) == {
        "variables"
    }
    assert not PlannedCall.objects.exists()


def test_numbers_that_nobody_calls(bobs):
    added = bobs.send("POST", NEVER, {"numbers": ["+1 415 555 0123", "+14155550124"], "reason": "asked"})
    assert added.json() == {"added": 2}
    assert {row["number"] for row in bobs.get(NEVER).json()["results"]} == {TO, "+14155550124"}
    wrong = bobs.send("POST", NEVER, {"numbers": ["+14155550125", "12"]})
    assert (wrong.status_code, set(wrong.json()["fields"])) == (400, {"numbers.1"})
    assert bobs.send("DELETE", f"{NEVER}/{TO}").status_code == 204
    assert bobs.send("DELETE", f"{NEVER}/{TO}").status_code == 404
    assert DoNotCall.objects.count() == 1


def test_a_sip_line_is_added_changed_and_deleted_and_its_password_never_told(alices, bobs):
    sent = {"label": "Main desk", "host": "pbx.example.org", "user": "123456-100", "secret": "its password"}
    made = alices.send("POST", LINES, sent)
    assert made.status_code == 201, made.text
    assert "its password" not in made.text
    told = made.json()
    assert (told["port"], told["shown_state"], told["countries"]) == (5060, "off", [])
    assert SipLine.objects.get().clear_password() == "its password"
    address = f"{LINES}/{told['id']}"
    changed = alices.send("PATCH", address, {"countries": ["US"], "max_calls": 5}).json()
    assert (changed["countries"], changed["max_calls"], changed["host"]) == (["US"], 5, "pbx.example.org")
    assert SipLine.objects.get().clear_password() == "its password"
    wrong = alices.send("PATCH", address, {"host": "a b", "port": 70000}).json()["fields"]
    assert set(wrong) == {"host", "port"}
    assert bobs.get(LINES).status_code == 403
    assert alices.send("DELETE", address).status_code == 204


def test_sip_lines_are_listed_by_whether_they_are_on(alices):
    for label, enabled in (("Desk", True), ("Old", False)):
        SipLine.objects.create(label=label, host="pbx.example.org", user=label, enabled=enabled)
    for asked, labels in (("", ["Desk", "Old"]), ("?enabled=true", ["Desk"]), ("?enabled=false", ["Old"])):
        assert [line["label"] for line in alices.get(f"{LINES}{asked}").json()["results"]] == labels
