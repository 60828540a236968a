"""Edits by If-Match: 412 names who was faster, and what goes on by itself is no change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from agents.actions import save_agent
from mlservices.secret_box import sealed
from telephony.lines.actions import note_use
from telephony.lines.number_actions import block_caller
from telephony.models import (
    BlockedCaller,
    Call,
    CallMessage,
    Credential,
    DoNotCall,
    SipLine,
)
from tests.factories import ended, make_agent, make_call, make_number, spoken
from voiceforge_site.audit.words import CHANGE_NOTHING, VERBS
from voiceforge_site.hooks.models import Webhook
from voiceforge_site.models import User

TELEPHONY = "/api/telephony"


@dataclass(frozen=True, slots=True)
class Case:
    """Where it is, and two changes of it."""

    address: str
    one: dict[str, Any]
    other: dict[str, Any]


def _agent() -> Case:
    agent = save_agent(agent=make_agent("Desk"), by="nobody yet", facts=[])
    return Case(f"/api/agents/{agent.slug}", {"description": "One"}, {"description": "Another"})


def _account() -> Case:
    account = make_number("+14155550100").credential
    return Case(f"{TELEPHONY}/credentials/{account.pk}", {"label": "One"}, {"label": "Another"})


def _number() -> Case:
    number = make_number("+14155550100")
    return Case(f"{TELEPHONY}/numbers/{number.number}", {"label": "One"}, {"label": "Another"})


def _line() -> Case:
    fields = {"label": "Desk", "host": "pbx.example.org", "user": "100"}
    line = SipLine.objects.create(**fields, password=sealed("its password"))
    return Case(f"{TELEPHONY}/lines/{line.pk}", {"label": "One"}, {"label": "Another"})


def _message() -> Case:
    call = make_call(make_agent(), ended(spoken([("When?", "At six.")])))
    sure = dict.fromkeys(("number_confirmed", "complete", "confirmed"), True)
    message = CallMessage.objects.create(call=call, at=timezone.now(), ordinal=1, words="Call me", **sure)
    return Case(f"{TELEPHONY}/messages/{message.pk}", {"done": True}, {"done": False})


def _webhook() -> Case:
    webhook = Webhook.objects.create(description="CRM", url="https://example.com/x", kinds=["call.ended"])
    return Case(f"/api/webhooks/{webhook.pk}", {"description": "One"}, {"description": "Another"})


def _person() -> Case:
    eve = User.objects.create_user("eve", "eve@example.org", "password", role="operator")
    return Case(f"/api/users/{eve.pk}", {"role": "viewer"}, {"role": "operator"})


CASES = {
    "agent": _agent,
    "account": _account,
    "number": _number,
    "line": _line,
    "message": _message,
    "webhook": _webhook,
    "person": _person,
}


@pytest.fixture
def doras(program):
    return program(User.objects.create_user("dora", "dora@example.org", "password", role="administrator"))


@pytest.mark.parametrize("name", CASES)
def test_who_was_faster_is_named(alices, doras, name):
    case = CASES[name]()
    read = alices.get(case.address)["ETag"]
    faster = doras.send("PATCH", case.address, case.one, If_Match=read)
    assert faster.status_code == 200, faster.text
    late = alices.send("PATCH", case.address, case.other, If_Match=read)
    assert (late.status_code, late.json()["detail"][:16]) == (412, "dora has changed"), late.text
    now = alices.get(case.address)["ETag"]
    assert now == faster["ETag"]
    assert alices.send("PATCH", case.address, case.other, If_Match=now).status_code == 200


def test_somebody_who_only_looked_is_not_named(alices, doras):
    case = _person()
    read = alices.get(case.address)["ETag"]
    doras.send("PATCH", case.address, case.one)
    eve = User.objects.get(username="eve")
    Client().post("/login/", {"username": "eve", "password": "password"})
    assert User.objects.get(pk=eve.pk).last_login
    late = alices.send("PATCH", case.address, case.other, If_Match=read)
    assert late.json()["detail"].startswith("dora has")


@pytest.mark.parametrize("what", ["checked", "compared", "priced", "limited", "fetched", "removed"])
def test_who_only_asked_an_account_is_not_named(alices, doras, what):
    case = _account()
    read = alices.get(case.address)["ETag"]
    doras.send("PATCH", case.address, case.one)
    note_use(Credential.objects.get(), what, by="bob")
    late = alices.send("PATCH", case.address, case.other, If_Match=read)
    assert late.json()["detail"].startswith("dora has")


def test_how_an_account_answers_is_no_change_of_it(alices):
    case, account = _account(), Credential.objects.get()
    read = alices.get(case.address)["ETag"]
    Credential.objects.filter(pk=account.pk).update(
        facts={"balance": "1"}, checked_at=timezone.now(), problem="Away"
    )
    changed = alices.send("PATCH", case.address, case.one, If_Match=read)
    assert (changed.status_code, changed.json()["numbers"]) == (200, 1)


def test_a_new_secret_is_a_change(alices, doras):
    for case, field in ((_account(), "secret"), (_line(), "secret")):
        read = alices.get(case.address)["ETag"]
        assert doras.send("PATCH", case.address, {field: "f" * 32}).status_code == 200
        assert alices.send("PATCH", case.address, case.one, If_Match=read).status_code == 412


def test_how_a_line_stands_at_its_registrar_is_no_change_of_it(alices):
    case = _line()
    read = alices.get(case.address)["ETag"]
    SipLine.objects.update(state="ready", state_at=timezone.now(), reason="")
    assert alices.send("PATCH", case.address, case.one, If_Match=read).status_code == 200


def test_that_a_blocked_caller_rang_again_is_no_change(alices):
    block_caller(pattern="+4490*", note="", by="alice")
    address = f"{TELEPHONY}/blocked/+4490*"
    [told] = alices.get(f"{TELEPHONY}/blocked").json()["results"]
    assert told["turned_away"] == 0
    BlockedCaller.objects.update(turned_away=3)
    late = alices.send("DELETE", address, If_Match='"0000000000000000"')
    assert (late.status_code, late.json()["detail"][:9]) == (412, "alice has")


def test_who_put_a_number_on_the_do_not_call_list_is_named(alices, doras):
    doras.send("POST", f"{TELEPHONY}/do-not-call", {"numbers": ["+14155550123"]})
    late = alices.send("DELETE", f"{TELEPHONY}/do-not-call/+14155550123", If_Match='"0000000000000000"')
    assert (late.status_code, late.json()["detail"][:8]) == (412, "dora has")
    assert DoNotCall.objects.exists()


def test_nobody_is_named_for_what_goes_on_by_itself(alices):
    call = make_call(make_agent(), ended(spoken([("When?", "At six.")])))
    address = f"{TELEPHONY}/calls/{call.pk}"
    alices.send("POST", f"{address}/notes", {"text": "Was kind."})
    late = alices.send("DELETE", address, If_Match='"0000000000000000"')
    assert (late.status_code, late.json()["detail"][:12]) == (412, "Somebody has")
    assert Call.objects.exists()


def test_what_changes_nothing_is_what_the_trail_knows():
    assert set(VERBS) >= CHANGE_NOTHING
