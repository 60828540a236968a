"""Calls held against the provider's records."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.cache import caches
from django.utils import timezone

from telephony.actions import ringing
from telephony.lines.reconciling import ask_about_ringing, compare, compare_all
from telephony.models import Call, Credential, PhoneNumber
from tests import trail
from tests.factories import make_agent

pytestmark = pytest.mark.django_db


@pytest.fixture
def call(twilio, account):
    """Makes one that began so many minutes ago; the provider has it as told."""
    number = PhoneNumber.objects.create(number="+14155550123", credential=account)
    agent = make_agent()

    def make(minutes: float, *, sid: str = "CA1", ended: bool = True, **told) -> Call:
        began = timezone.now() - timedelta(minutes=minutes)
        if told:
            twilio.calls[sid] = {"sid": sid, "status": "completed", "duration": "61", **told}
        fields = ringing(agent, line="twilio", direction="inbound", caller="+14155550199")
        fields |= {
            "phone_number": number,
            "line": "twilio",
            "provider_call_id": sid,
            "status": "completed" if ended else "in-progress",
            "created_at": began,
            "answered_at": began,
            "ended_at": began if ended else None,
        }
        return Call.objects.create(**fields)

    return make


def test_what_a_call_cost_is_taken_over_once(call, account, twilio):
    made = call(10, price="-0.0280", price_unit="USD")
    assert compare(account) == 1
    made.refresh_from_db()
    assert (made.price, made.price_currency) == (Decimal("0.02800"), "USD")
    assert compare(account) == 0


def test_one_that_we_did_not_hear_gets_its_length_and_one_that_we_heard_keeps_ours(call, account):
    unheard, heard = call(10, sid="CA1", price="-0.02"), call(10, sid="CA2", price="-0.02")
    Call.objects.filter(pk=unheard.pk).update(duration_seconds=0.0)
    Call.objects.filter(pk=heard.pk).update(duration_seconds=58.5)
    compare(account)
    unheard.refresh_from_db()
    heard.refresh_from_db()
    assert (unheard.duration_seconds, heard.duration_seconds) == (61.0, 58.5)


def test_one_that_is_over_there_and_goes_on_here_is_ended(call, account):
    made = call(30, ended=False, price=None)
    assert compare(account) == 1
    made.refresh_from_db()
    assert (made.status, made.end_reason) == ("completed", "line_lost")


def test_one_that_the_provider_does_not_know_is_ended(call, account):
    made = call(30, ended=False)
    compare(account)
    made.refresh_from_db()
    assert made.end_reason == "line_lost"


def test_one_that_goes_on_there_too_is_left(call, account):
    made = call(30, ended=False, status="in-progress", duration="")
    compare(account)
    made.refresh_from_db()
    assert made.ended_at is None and made.compared_at


@pytest.fixture
def placed(call):
    """Makes one that we placed so many seconds ago, and of which nothing was told since."""

    def make(seconds: float, **told) -> Call:
        made = call(0, ended=False, **told)
        began = timezone.now() - timedelta(seconds=seconds)
        unheard = {"direction": "outbound", "status": "initiated", "created_at": began, "answered_at": None}
        Call.objects.filter(pk=made.pk).update(**unheard)
        return made

    return make


@pytest.mark.parametrize(
    ("there", "status", "outcome"),
    [
        ({"status": "no-answer", "duration": "0"}, "no-answer", "no_answer"),
        ({"status": "busy", "duration": "0"}, "busy", "busy"),
        ({}, "no-answer", "no_answer"),
        ({"status": "completed", "duration": "20"}, "completed", "cut_off"),
    ],
    ids=["no answer", "busy", "not known there", "answered and over"],
)
def test_a_placed_call_of_which_nothing_is_told_is_asked_about_once_it_must_have_rung_out(
    placed, account, there, status, outcome
):
    made = placed(100, **there)
    assert ask_about_ringing() == f"Main: {len(there) // 2} of 1"
    made.refresh_from_db()
    assert (made.status, made.outcome) == (status, outcome)
    assert made.ended_at


def test_one_that_may_ring_or_waits_at_the_provider_is_left(placed, account, twilio):
    young = placed(60, status="ringing")
    assert ask_about_ringing() == "" and not twilio.asked
    Call.objects.filter(pk=young.pk).update(created_at=timezone.now() - timedelta(seconds=100))
    twilio.calls["CA1"]["status"] = "queued"
    assert ask_about_ringing() == "Main: 1 of 1"
    young.refresh_from_db()
    assert young.ended_at is None and young.is_live


def test_that_the_account_was_asked_is_written_down_once_a_day(call, account):
    caches["noted"].clear()
    call(1, ended=False)
    compare(account)
    assert trail.verbs() == []
    for minutes in (20, 30):
        call(minutes, sid=f"CA{minutes}", price="-0.01")
        compare(account)
    told = trail.last()
    assert trail.verbs() == ["account.compared"]
    assert (told.name, told.label) == ("VoiceForge itself", "Main")


def test_young_calls_are_not_asked_about(call, account, twilio):
    call(1, ended=False)
    assert compare(account) == 0 and not twilio.asked


def test_an_account_that_does_not_answer_keeps_no_other_from_being_compared(call, account, settings):
    call(10, price="-0.01", price_unit="USD")
    Credential.objects.create(provider="twilio", account="AC2", label="Broken", secret="nonsense")
    other = PhoneNumber.objects.create(
        number="+14155550124", credential=Credential.objects.get(account="AC2")
    )
    an_hour_ago = timezone.now() - timedelta(hours=1)
    fields = ringing(make_agent(), line="twilio", direction="inbound", caller="")
    fields |= {"created_at": an_hour_ago, "ended_at": an_hour_ago, "provider_call_id": "CA9"}
    Call.objects.create(**fields, phone_number=other, line="twilio", status="completed")
    told = compare_all()
    assert "Main: 1" in told and "Broken: " in told and "CREDENTIALS_KEY" in told
