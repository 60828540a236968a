"""Calls that Zadarma places for us, known again by its notices."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from agents.models import Agent
from telephony import actions
from telephony.models import Call, PhoneNumber

from .conftest import new_call_back
from .notices import END, OUT, credential, number, post

__all__ = ["credential", "number"]  # fixtures

pytestmark = pytest.mark.django_db


@pytest.fixture
def call_back(number: PhoneNumber, agent: Agent) -> Call:
    return new_call_back(number, agent, extension="100", callee="+442037691880")


@pytest.mark.parametrize("order", ["SAE", "ESA", "E", "SSAAEE", "AES"])
def test_a_call_back_is_known_by_its_first_notice(call_back: Call, order: str) -> None:
    events = {"S": "NOTIFY_OUT_START", "A": "NOTIFY_ANSWER", "E": "NOTIFY_OUT_END"}
    for letter in order:
        fields = OUT | (END if letter == "E" else {})
        assert post(call_back.phone_number.credential, events[letter], **fields).json() == {}
    call = Call.objects.get()
    assert (call.provider_call_id, call.status, call.duration_seconds) == ("out_1", "completed", 42)
    assert call.answered_at is not None


def test_two_call_backs_to_one_number_are_two_calls(call_back: Call, agent: Agent) -> None:
    second = new_call_back(call_back.phone_number, agent, extension="100", callee="+442037691880")
    later = f"{datetime.now(UTC) + timedelta(seconds=3):%Y-%m-%d %H:%M:%S}"
    credential = call_back.phone_number.credential
    post(credential, "NOTIFY_OUT_START", **OUT)
    post(credential, "NOTIFY_OUT_START", **OUT | {"pbx_call_id": "out_2", "call_start": later})
    found = dict(Call.objects.values_list("provider_call_id", "pk"))
    assert found == {"out_1": call_back.pk, "out_2": second.pk}


@pytest.mark.parametrize("fields", [{"destination": "442037691899"}, {"internal": "101"}, {"internal": ""}])
def test_somebody_elses_call_out_of_the_pbx_is_not_ours(call_back: Call, fields: dict[str, str]) -> None:
    credential = call_back.phone_number.credential
    assert post(credential, "NOTIFY_OUT_START", **OUT | fields).status_code == 200
    assert post(credential, "NOTIFY_OUT_END", **OUT | fields, **END).status_code == 200
    call_back.refresh_from_db()
    assert (call_back.status, call_back.provider_call_id) == ("queued", "")


def test_a_call_that_was_asked_for_long_ago_is_another(call_back: Call) -> None:
    Call.objects.update(created_at=timezone.now() - timedelta(seconds=301))
    post(call_back.phone_number.credential, "NOTIFY_OUT_START", **OUT)
    assert Call.objects.get().provider_call_id == ""


def test_a_call_that_people_speak_on_is_no_orphan(call_back: Call) -> None:
    credential = call_back.phone_number.credential
    post(credential, "NOTIFY_OUT_START", **OUT)
    post(credential, "NOTIFY_ANSWER", **OUT)
    Call.objects.update(created_at=timezone.now() - timedelta(hours=1))
    assert actions.end_orphans() == 0
    Call.objects.update(created_at=timezone.now() - timedelta(hours=5))
    assert actions.end_orphans() == 1
