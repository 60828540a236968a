"""Accounts and numbers over the API, with a Twilio of our own making."""

from __future__ import annotations

import pytest

from telephony.models import BlockedCaller, Credential, PhoneNumber
from tests.factories import make_agent, make_call, spoken
from tests.fakes.twilio_rest import SID, TOKEN
from tests.telephony.lines.conftest import account, twilio

__all__ = ["account", "twilio"]  # fixtures

ACCOUNTS, NUMBERS = "/api/telephony/credentials", "/api/telephony/numbers"
NUMBER = "+14155550100"


def test_an_account_is_added_asked_at_once_and_its_secret_never_told(alices, twilio):
    sent = {"provider": "twilio", "label": "Main", "account": SID, "secret": TOKEN, "countries": ["US"]}
    added = alices.send("POST", ACCOUNTS, sent)
    assert added.status_code == 201, added.text
    told = added.json()
    assert (told["problem"], told["countries"], bool(told["facts"])) == ("", ["US"], True)
    assert TOKEN not in added.text and SID not in added.text
    address = f"{ACCOUNTS}/{told['id']}"
    trail = alices.get(f"/api/audit?kind=telephony.credential&thing={told['id']}").json()["results"]
    assert {entry["verb"] for entry in trail} == {"account.added", "account.changed", "account.checked"}
    assert {entry["name"] for entry in trail} == {"alice"}
    assert TOKEN not in str(trail)
    wrong = alices.send("PATCH", address, {"daily_cap": "-1", "countries": ["XX"]}).json()["fields"]
    assert set(wrong) == {"daily_cap", "countries"}
    assert alices.send("PATCH", address, {"account": "AC1"}).status_code == 400
    assert alices.send("PATCH", address, {"daily_cap": "20.00"}).json()["daily_cap"] == "20.00"
    assert list(alices.send("PATCH", address, {"secret": "k\u00e9y"}).json()["fields"]) == ["secret"]
    replaced = alices.send("PATCH", address, {"secret": "wrong"})
    assert "wrong" not in replaced.text and replaced.json()["problem"], "it is asked at once"
    assert alices.send("POST", f"{address}/check").json()["problem"]
    again = alices.send("POST", ACCOUNTS, sent)
    assert (again.status_code, "already" in again.json()["detail"]) == (409, True)
    assert alices.send("DELETE", address).status_code == 204
    assert not Credential.objects.exists()


def test_no_more_of_a_number_is_loaded_than_is_told(alices, account, django_assert_num_queries):
    agent = make_agent("Front desk")
    PhoneNumber.objects.create(credential=account, number=NUMBER, agent=agent, after_agent=agent)
    for address in (NUMBERS, f"{NUMBERS}/{NUMBER}"):
        with django_assert_num_queries(2):  # who asks, and the number
            assert agent.slug in alices.get(address).text


@pytest.mark.parametrize("field", ["account", "secret"])
def test_what_cannot_stand_in_a_header_is_no_account_and_no_secret(alices, field):
    sent = {"provider": "zadarma", "label": "Second", "account": "key", "secret": "secret", field: "k\u00e9y"}
    answer = alices.send("POST", ACCOUNTS, sent)
    assert answer.status_code == 400 and list(answer.json()["fields"]) == [field]


def test_numbers_are_imported_given_to_agents_and_brought_here(alices, account, twilio):
    twilio.own(NUMBER)
    assert alices.send("POST", f"{ACCOUNTS}/{account.pk}/import").json() == {"new": 1, "all": 1}
    agent = make_agent("Front desk")
    hours = {"timezone": "Europe/London", "week": {"monday": [["09:00", "17:00"]]}, "closed_on": []}
    changed = alices.send("PATCH", f"{NUMBERS}/{NUMBER}", {"agent": agent.slug, "hours": hours})
    assert changed.status_code == 200, changed.text
    told = changed.json()
    assert (told["agent"], told["hours"]["week"]["monday"]) == (agent.slug, [["09:00", "17:00"]])
    wrong = alices.send("PATCH", f"{NUMBERS}/{NUMBER}", {"after": "forward", "fallback_number": "1"}).json()
    assert set(wrong["fields"]) >= {"fallback_number"}
    wrong = alices.send("PATCH", f"{NUMBERS}/{NUMBER}", {"hours": {**hours, "garbage": 1}}).json()
    assert set(wrong["fields"]) == {"hours.garbage"}
    hooks = alices.send("POST", f"{NUMBERS}/{NUMBER}/hooks").json()
    assert hooks["after"]["voice_url"].startswith("https://voice.example.org/")
    late = alices.send("PATCH", f"{NUMBERS}/{NUMBER}", {"label": "x"}, If_Match=changed["ETag"])
    assert late.status_code == 412
    assert alices.send("DELETE", f"{NUMBERS}/{NUMBER}").status_code == 204
    assert not PhoneNumber.objects.exists()


def test_a_number_is_searched_and_bought_once(alices, account, twilio):
    offers = alices.get(f"{NUMBERS}/offers?account={account.pk}&country=US").json()["offers"]
    assert offers and offers[0]["price"]
    assert offers[0]["can"] == ["mms", "sms", "voice"]
    wanted = f"{NUMBERS}/offers?account={account.pk}&country=US&can=sms"
    assert alices.get(wanted).json()["offers"] == offers
    assert alices.get(f"{wanted}&can=fax").json()["offers"] == []
    assert "can" in alices.get(f"{wanted}&can=telex").json()["fields"]
    wanted = {"account": account.pk, "number": offers[0]["number"]}
    first = alices.send("POST", f"{NUMBERS}/buy", wanted, Idempotency_Key="one")
    again = alices.send("POST", f"{NUMBERS}/buy", wanted, Idempotency_Key="one")
    assert (first.status_code, again.status_code, again["Idempotent-Replayed"]) == (201, 201, "true")
    assert alices.send("POST", f"{NUMBERS}/buy", wanted).status_code == 409
    assert alices.send("POST", f"{NUMBERS}/{wanted['number']}/give-back").status_code == 204
    assert alices.get(f"{NUMBERS}/offers?account=0&country=XX").json()["fields"].keys() == {
        "account",
        "country",
    }


def test_callers_are_blocked_and_let_in_again(alices):
    blocked = alices.send("POST", "/api/telephony/blocked", {"pattern": "+44 90*", "note": "costs"})
    assert (blocked.status_code, blocked.json()["id"]) == (201, "+4490*")
    assert alices.send("POST", "/api/telephony/blocked", {"pattern": "x"}).json()["fields"]["pattern"]
    assert [each["by"] for each in alices.get("/api/telephony/blocked").json()["results"]] == ["alice"]
    assert alices.send("DELETE", "/api/telephony/blocked/+4490*").status_code == 204
    assert not BlockedCaller.objects.exists()


@pytest.mark.parametrize("path", [ACCOUNTS, NUMBERS])
def test_operators_see_no_accounts_and_numbers(bobs, path):
    assert bobs.get(path).status_code == 403


def test_messages_are_done_and_deleted(bobs):
    call = make_call(make_agent(), spoken([("Hello?", "Yes.")]))
    message = call.messages.create(
        ordinal=1, at=call.created_at, name="Ann", number="", number_confirmed=False, words="Call me.",
        complete=True, confirmed=True,
    )  # fmt: skip
    (told,) = bobs.get("/api/telephony/messages?done=false").json()["results"]
    assert (told["id"], told["words"]) == (message.pk, "Call me.")
    done = bobs.send("PATCH", f"/api/telephony/messages/{message.pk}", {"done": True}).json()
    assert done["done_by"] == "bob"
    assert bobs.get("/api/telephony/messages?done=false").json()["results"] == []
    assert bobs.send("DELETE", f"/api/telephony/messages/{message.pk}").status_code == 204
