"""Zadarma's notices: who is believed, what changes when, and what is answered."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client, RequestFactory
from django.utils import timezone

from agents.models import Agent
from telephony import actions
from telephony.credentials import save_credential
from telephony.models import BlockedCaller, Call, CallMessage, Credential, PhoneNumber, PlannedCall
from telephony.providers.zadarma.signature import SIGNED_FIELDS
from telephony.zadarma_webhook import zadarma_webhook
from tests.fakes.zadarma import signature
from tests.telephony.conftest import kinds_of

from .notices import END, IN, NOW, OUT, SECRET, credential, number, post

__all__ = ["credential", "number"]  # fixtures

FORM_TYPE = "application/x-www-form-urlencoded"

pytestmark = pytest.mark.django_db


# ---- who is believed ------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["get", "post"])
def test_the_address_says_what_zadarma_has_it_say(credential: Credential, method: str) -> None:
    answer = getattr(Client(), method)(f"/webhooks/zadarma/{credential.pk}/?zd_echo=a1B2c3")
    assert (answer.status_code, answer.content) == (200, b"a1B2c3")
    assert answer["Content-Type"] == "text/plain"


@pytest.mark.parametrize("words", ["", "<script>", "a" * 65, "a b", "é"])
def test_nobody_else_puts_words_into_its_mouth(credential: Credential, words: str) -> None:
    answer = Client().get(f"/webhooks/zadarma/{credential.pk}/", {"zd_echo": words})
    assert answer.status_code == 400
    assert not words or words not in answer.text


@pytest.mark.parametrize(
    "signed",
    ["", "forged", signature({"event": "NOTIFY_START", **IN}, "another")],
    ids=["unsigned", "forged", "by another"],  # the same in each process
)
def test_what_zadarma_did_not_sign_is_refused_and_changes_nothing(number: PhoneNumber, signed: str) -> None:
    assert post(number.credential, "NOTIFY_START", signed, **IN).status_code == 403
    assert not Call.objects.exists()


def test_an_address_is_one_accounts(number: PhoneNumber) -> None:
    other = save_credential(provider="zadarma", account="KEY2", secret="another", label="Other")
    twilio = save_credential(provider="twilio", account="AC1", secret=SECRET)
    for account in (other, twilio, Credential(pk=10**30)):
        assert post(account, "NOTIFY_START", **IN).status_code == 403
    assert not Call.objects.exists()


def test_only_who_has_the_secret_changes_what_is_told_of_the_account(number: PhoneNumber) -> None:
    stored = Credential.objects.values().get()
    for signed in ("", "another's"):
        assert post(number.credential, "NOTIFY_START", signed, **IN).status_code == 403
        assert Credential.objects.values().get() == stored
    post(number.credential, "NOTIFY_START", **IN)
    assert Credential.objects.get().signed_at


def test_one_account_cannot_speak_of_anothers_call(number: PhoneNumber) -> None:
    post(number.credential, "NOTIFY_START", **IN)
    other = save_credential(provider="zadarma", account="KEY2", secret=SECRET, label="Other")
    PhoneNumber.objects.create(number="+442037691882", credential=other, agent=number.agent)
    taken = {**IN, "called_did": "442037691882"}
    assert post(other, "NOTIFY_END", **taken, **END).status_code == 403
    assert post(other, "NOTIFY_ANSWER", **OUT | {"pbx_call_id": "in_1"}).status_code == 403
    assert Call.objects.get().status == "ringing"


@pytest.mark.parametrize(
    "fields",
    [
        {"pbx_call_id": "in_2"},
        {"pbx_call_id": "in_2", "call_start": "2024-01-01 12:00:00"},
        {"pbx_call_id": "in_2", "call_start": "9999-99-99 99:99:99"},
        {"caller_id": "442037691899"},
        {"call_start": f"{datetime.now(UTC) - timedelta(hours=5):%Y-%m-%d %H:%M:%S}"},
    ],
)
def test_a_signature_is_good_for_one_call(number: PhoneNumber, fields: dict[str, str]) -> None:
    post(number.credential, "NOTIFY_START", **IN)
    assert post(number.credential, "NOTIFY_END", **IN | fields, **END).status_code == 403
    assert Call.objects.get().status == "ringing"


def test_a_leg_may_begin_later_than_its_call(number: PhoneNumber) -> None:
    later = {"call_start": f"{datetime.now(UTC) + timedelta(seconds=20):%Y-%m-%d %H:%M:%S}"}
    post(number.credential, "NOTIFY_INTERNAL", **IN | later)
    post(number.credential, "NOTIFY_START", **IN)
    post(number.credential, "NOTIFY_ANSWER", **OUT | later | {"pbx_call_id": "in_1"})
    assert Call.objects.get().status == "in-progress"


def test_a_field_that_is_not_as_documented_is_named(number: PhoneNumber) -> None:
    answer = post(number.credential, "NOTIFY_END", **IN, **END | {"duration": "long"})
    assert (answer.status_code, answer.text) == (400, "duration is no number of seconds.")


@pytest.mark.parametrize("event", ["SPEECH_RECOGNITION", "NOTIFY_INTERNAL_END", ""])
def test_what_is_not_signed_is_taken_and_nothing_done(number: PhoneNumber, event: str) -> None:
    answer = post(number.credential, event, "", **IN)
    assert (answer.status_code, answer.json()) == (200, {})


# ---- a call comes in ------------------------------------------------------------------------


def test_a_call_is_put_through_to_our_extension(number: PhoneNumber) -> None:
    answer = post(number.credential, "NOTIFY_START", **IN)
    assert answer.json() == {"redirect": "100", "return_timeout": 0}
    call = Call.objects.get()
    assert (call.line, call.direction, call.status) == ("zadarma", "inbound", "ringing")
    assert (call.caller, call.callee, call.agent) == ("+442037691880", "+442037691881", number.agent)
    assert post(number.credential, "NOTIFY_START", **IN).json() == answer.json(), "told again, the same call"
    assert post(number.credential, "NOTIFY_IVR", **IN).json() == answer.json()
    assert Call.objects.count() == 1


def test_a_number_that_no_agent_answers_goes_where_it_is_set_to_go(number: PhoneNumber) -> None:
    Agent.objects.update(status=Agent.Status.PAUSED)
    assert post(number.credential, "NOTIFY_START", **IN).json() == {}
    PhoneNumber.objects.update(agent=None)
    assert post(number.credential, "NOTIFY_START", **IN).json() == {}
    assert post(number.credential, "NOTIFY_START", **IN | {"called_did": "442099"}).json() == {}
    assert not Call.objects.exists()


def test_telephones_that_ring_at_zadarma_show_who_calls_where_that_is_known(number: PhoneNumber) -> None:
    def shown() -> Any:
        return post(number.credential, "NOTIFY_START", **IN).json()

    assert shown() == {"redirect": "100", "return_timeout": 0}, "we answer"
    PhoneNumber.objects.update(extension="")
    assert shown() == {}
    call = Call.objects.filter(caller="+442037691880").first()
    message = {
        "call": call,
        "at": timezone.now(),
        "number_confirmed": True,
        "complete": True,
        "name": "Ann\nSmith",
    }
    left = CallMessage.objects.create(ordinal=1, confirmed=False, **message)
    assert shown() == {}, "the caller did not confirm it"
    CallMessage.objects.update(confirmed=True)
    assert shown() == {"caller_name": "Ann Smith"}
    PlannedCall.objects.create(to="+442037691880", values={"topic": "a visit"})
    PlannedCall.objects.create(to="+442037691881", values={"name": "Bob"})
    assert shown() == {"caller_name": "Ann Smith"}
    planned = PlannedCall.objects.create(to="+442037691880", values={"name": "Anna Smith"})
    assert shown() == {"caller_name": "Ann Smith"}, "that call has not been placed"
    PlannedCall.objects.filter(pk=planned.pk).update(state="placed")
    assert shown() == {"caller_name": "Anna Smith"}
    assert post(number.credential, "NOTIFY_IVR", **IN).json() == {}, "it is shown from the beginning on"
    PlannedCall.objects.all().delete()
    left.delete()
    assert shown() == {}


def test_a_blocked_caller_hears_that_it_is_busy_and_is_counted_once(number: PhoneNumber) -> None:
    BlockedCaller.objects.create(pattern="+442037691880")
    assert post(number.credential, "NOTIFY_START", **IN).json() == {"redirect": "blacklist"}
    post(number.credential, "NOTIFY_END", **IN, **END | {"disposition": "busy"})
    assert not Call.objects.exists()
    assert BlockedCaller.objects.get().turned_away == 1


def test_outside_opening_hours_another_agent_answers(number: PhoneNumber) -> None:
    night = Agent.objects.create(name="Night desk", slug="night-desk", greeting="Hello.")
    never = {"timezone": "UTC", "week": {}, "closed_on": []}
    PhoneNumber.objects.update(hours=never, after=PhoneNumber.After.AGENT, after_agent=night)
    assert post(number.credential, "NOTIFY_START", **IN).json()["redirect"] == "100"
    assert Call.objects.get().agent == night


def test_without_an_extension_zadarmas_own_scenario_decides(number: PhoneNumber) -> None:
    PhoneNumber.objects.update(extension="")
    assert post(number.credential, "NOTIFY_START", **IN).json() == {}
    assert Call.objects.get().status == "ringing"


@pytest.mark.parametrize("caller", ["anonymous", "", "100"])
def test_a_caller_who_hides_is_kept_as_told(number: PhoneNumber, caller: str) -> None:
    post(number.credential, "NOTIFY_START", **IN | {"caller_id": caller})
    assert Call.objects.get().caller == caller


# ---- how it goes ----------------------------------------------------------------------------


def told_in_order(credential: Credential, order: list[int]) -> Call:
    notices = [
        ("NOTIFY_START", IN),
        ("NOTIFY_INTERNAL", IN | {"internal": "100"}),
        ("NOTIFY_ANSWER", IN | {"destination": "100", "internal": "100"}),
        ("NOTIFY_END", IN | END),
    ]
    for index in order:
        event, fields = notices[index]
        assert post(credential, event, **fields).status_code == 200
    return Call.objects.get()


@pytest.mark.parametrize(
    "order", [[0, 1, 2, 3], [3, 2, 1, 0], [2, 3, 0], [3], [0, 0, 2, 2, 3, 3, 0, 1, 2], [1, 3, 0]]
)
def test_notices_that_come_late_twice_and_out_of_order_end_alike(
    number: PhoneNumber, order: list[int]
) -> None:
    call = told_in_order(number.credential, order)
    assert (call.status, call.end_reason, call.duration_seconds) == ("completed", "spoken_elsewhere", 42)
    assert kinds_of(call).count("call_ended") == 1
    assert (call.card["status"], call.outcome) == ("completed", "elsewhere"), (
        "and is no success of the agent's"
    )


def test_an_answer_is_seen_before_the_end(number: PhoneNumber) -> None:
    assert told_in_order(number.credential, [0, 2, 1]).status == "in-progress"
    assert post(number.credential, "NOTIFY_START", **IN).json()["redirect"]
    assert Call.objects.get().status == "in-progress"


def test_a_call_ends_though_nobody_has_its_number_any_more(number: PhoneNumber) -> None:
    post(number.credential, "NOTIFY_START", **IN)
    PhoneNumber.objects.update(agent=None)
    post(number.credential, "NOTIFY_END", **IN, **END)
    assert Call.objects.get().status == "completed"


def test_a_call_that_is_over_is_not_put_through(number: PhoneNumber) -> None:
    told_in_order(number.credential, [3])
    assert post(number.credential, "NOTIFY_START", **IN).json() == {"hangup": 1}


@pytest.mark.parametrize(
    ("disposition", "status", "outcome"),
    [
        ("busy", "busy", "busy"),
        ("cancel", "canceled", "canceled"),
        ("no answer", "no-answer", "no_answer"),
        ("no money", "failed", "failed"),
        ("call failed", "failed", "failed"),
    ],
)
def test_the_ways_in_which_a_call_does_not_come_about_are_kept_apart(
    number: PhoneNumber, disposition: str, status: str, outcome: str
) -> None:
    post(number.credential, "NOTIFY_START", **IN)
    post(number.credential, "NOTIFY_END", **IN, **END | {"disposition": disposition, "duration": "0"})
    call = Call.objects.get()
    assert (call.status, call.outcome, call.end_reason) == (status, outcome, "never_connected")
    assert call.duration_seconds == 0


def test_a_call_whose_sound_we_have_is_as_long_as_we_heard_it(number: PhoneNumber) -> None:
    post(number.credential, "NOTIFY_START", **IN)
    call = Call.objects.get()
    assert actions.connect_call(call.pk, line="zadarma")
    assert actions.end_call(call.pk, reason="agent_hung_up")
    post(number.credential, "NOTIFY_END", **IN, **END)
    call.refresh_from_db()
    assert (call.status, call.end_reason) == ("completed", "agent_hung_up")
    assert call.duration_seconds is not None and call.duration_seconds < 5


# ---- what nobody would send -----------------------------------------------------------------


WHOLE = IN | OUT | IN | END | {"call_id_with_rec": "1.2", "wait_dtmf": '{"digits":"1"}'}
VALUES = [
    "",
    "\x00",
    "0" * 64,
    "é" * 64,
    "9" * 70,
    "📞",
    "-1",
    "in_1",
    "+",
    "+1",
    "442037691881",
    NOW,
    "\u0660",
]


def test_no_form_brings_it_to_its_knees(number: PhoneNumber, rf: RequestFactory) -> None:
    """Signed, so that what is in them reaches the database; test_events reads 10,000 of them."""
    chance = random.Random(11)
    post(number.credential, "NOTIFY_START", **IN)
    path = f"/webhooks/zadarma/{number.credential_id}/"
    seen = set()
    for _ in range(1_000):
        form = {**WHOLE, "event": chance.choice(list(SIGNED_FIELDS))}
        for name in chance.sample(list(WHOLE), chance.randrange(4)):
            form[name] = chance.choice(VALUES)
        headers = {"Signature": signature(form, SECRET)}
        request = rf.post(path, urlencode(form), content_type=FORM_TYPE, headers=headers)
        seen.add(zadarma_webhook(request, credential_id=number.credential_id).status_code)
    assert seen == {200, 400, 403}


def test_what_is_no_form_is_no_failure_of_ours(number: PhoneNumber) -> None:
    chance = random.Random(12)
    client = Client(raise_request_exception=False)
    kinds = [
        FORM_TYPE,
        FORM_TYPE + "; charset=utf-16",
        "multipart/form-data; boundary=x",
        "multipart/form-data",
        "text/x",
    ]
    for _ in range(300):
        body = chance.randbytes(chance.randrange(200)) + chance.choice(
            [b"", b"event=NOTIFY_END&", b"--x\r\n"]
        )
        answer = client.generic(
            "POST",
            f"/webhooks/zadarma/{number.credential_id}/",
            body,
            content_type=chance.choice(kinds),
            headers={"Signature": "x"},
        )
        assert answer.status_code in (200, 400, 403)
