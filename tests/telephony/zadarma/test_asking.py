"""What is asked of Zadarma in an account's name."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from agents.models import Agent
from telephony import actions
from telephony import zadarma as asking
from telephony.models import Call, Credential, DoNotCall, PhoneNumber, PlannedCall, SipLine
from telephony.outbound.actions import plan_call
from telephony.providers.zadarma.errors import ZadarmaError
from telephony.providers.zadarma.events import read
from telephony.zadarma_calls import take_notice
from tests import trail
from tests.fakes.zadarma import Zadarma
from tests.telephony.conftest import kinds_of
from tests.telephony.outbound.dialling import dialled

HOUR = timedelta(hours=1)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("asked_here")]


@pytest.mark.django_db(transaction=True)
def test_a_call_back_from_asking_to_its_end(
    zadarma: Zadarma, number: PhoneNumber, live_server: Any, settings: Any
) -> None:
    """Over HTTP both ways: Zadarma tries our address, is asked to call, and tells of the call."""
    settings.PUBLIC_URL = live_server.url
    done = asking.set_webhooks(number.credential, by="alice")
    assert (done.before.url, any(done.before.notifications.values())) == ("", False)
    assert done.after.url == zadarma.webhook == asking.webhook_url(number.credential)
    assert all(done.after.notifications.values())
    asking.set_webhooks(number.credential, by="alice")
    assert zadarma.asked["POST /v1/pbx/callinfo/url/"] == 1, "it was set already"

    zadarma.calls_itself = True
    call = called_back(number)
    assert call
    assert (call.status, call.duration_seconds, call.direction) == ("completed", 42, "outbound")
    assert call.provider_call_id.startswith("out_")
    told = call.events.filter(kind="provider_status_received").values_list("payload__status", flat=True)
    assert list(told) == ["ringing", "in-progress", "completed"]


def called_back(number: PhoneNumber, *, to: str = "+442037691880", telephone: str = "100") -> Call | None:
    planned = plan_call(to=to, agent=number.agent, caller_id=number, telephone=telephone, by="alice")
    assert dialled() == 1
    planned.refresh_from_db()
    return planned.call


def test_an_address_that_zadarma_cannot_reach_is_not_set(
    zadarma: Zadarma, credential: Credential, settings: Any
) -> None:
    settings.PUBLIC_URL = zadarma.url + "/v1/info"  # answers, but not with the echo
    with pytest.raises(ZadarmaError, match="zd_echo"):
        asking.set_webhooks(credential, by="alice")
    assert zadarma.webhook == ""


def test_a_call_back_waits_for_its_notices(zadarma: Zadarma, number: PhoneNumber) -> None:
    call = called_back(number)
    assert call
    assert (call.status, call.provider_call_id, call.card["status"]) == ("initiated", "", "initiated")
    assert (call.caller, call.callee, call.paid_by) == ("100", "+442037691880", number.credential)
    [asked] = zadarma.called_back
    assert (asked["from"], asked["to"], asked["sip"]) == ("100", "442037691880", "100")


@pytest.mark.parametrize("internal", ["100", "442037691870", "+442037691870"])
def test_a_telephone_that_is_no_extension_may_be_rung_first(
    zadarma: Zadarma, number: PhoneNumber, internal: str
) -> None:
    call = called_back(number, telephone="+442037691870")
    assert call
    assert (zadarma.called_back[0]["from"], zadarma.called_back[0]["sip"]) == ("442037691870", "100")
    out = {"pbx_call_id": "out_1", "call_start": zadarma.here(), "internal": internal}
    form = {**out, "event": "NOTIFY_OUT_START", "destination": "442037691880"}
    for _ in range(2):
        take_notice(number.credential, read(form))
    call.refresh_from_db()
    assert (call.provider_call_id, call.status) == ("out_1", "ringing")


def test_a_call_back_that_is_refused_has_failed(zadarma: Zadarma, number: PhoneNumber) -> None:
    zadarma.instead = [(400, b'{"status":"error","message":"No money"}', {})]
    call = called_back(number)
    assert call
    assert (call.status, call.outcome, call.end_reason) == ("failed", "failed", "not_placed")
    assert kinds_of(call).count("call_ended") == 1
    planned = PlannedCall.objects.get()
    assert planned.state == "refused" and "No money" in planned.reason


def test_a_call_back_that_may_ring_all_the_same_goes_on(zadarma: Zadarma, number: PhoneNumber) -> None:
    zadarma.instead = [(502, b"", {})]
    call = called_back(number)
    assert call
    assert (call.status, call.ended_at) == ("queued", None)
    assert "may be ringing" in PlannedCall.objects.get().reason


def test_a_call_back_rings_a_telephone_where_somebody_answers(
    zadarma: Zadarma, number: PhoneNumber, agent: Agent
) -> None:
    DoNotCall.objects.create(number="+442037691889")
    SipLine.objects.create(
        label="Desk", host="pbx.zadarma.com", user="123456-101", account=number.credential, agent=agent
    )
    for telephone, why in {
        "": "rings a telephone of yours first",
        "101": "an agent answers, by the SIP line Desk",
        "+442037691889": "do-not-call",
        "+19005551234": "costs its callers extra",
        "+4930901820": "not Germany",
    }.items():
        with pytest.raises(ValidationError, match=why) as refused:
            called_back(number, telephone=telephone)
        assert list(refused.value.message_dict) == ["telephone"]
    for how in (
        {"operator": "alice"},
        {"values": {"name": "Ann"}},
        {"send_digits": "1"},
        {"machine": "hang_up"},
    ):
        with pytest.raises(ValidationError, match="no agent takes part"):
            plan_call(to="+442037691880", agent=agent, caller_id=number, telephone="100", by="alice", **how)
    assert not PlannedCall.objects.exists()


def test_who_may_not_be_called_is_not_called_back(zadarma: Zadarma, number: PhoneNumber) -> None:
    DoNotCall.objects.create(number="+442037691880")
    for to in ("+442037691880", "+49301234567"):
        with pytest.raises(ValidationError):
            called_back(number, to=to)
    assert not Call.objects.exists() and not zadarma.called_back


def test_what_is_done_in_an_accounts_name_is_written_down(zadarma: Zadarma, number: PhoneNumber) -> None:
    called_back(number)
    told = trail.last()
    assert (told.verb, told.name, told.detail) == ("account.called", "alice", "+442037691880")


def test_a_call_back_is_held_against_the_cap_as_two_calls_until_its_end_is_told(
    zadarma: Zadarma, number: PhoneNumber
) -> None:
    """Zadarma ends no call for us, and nothing else does: four hours at 0.009 are 2.16, for each side."""
    Credential.objects.update(daily_cap=Decimal("4.40"))
    number.refresh_from_db()
    first = called_back(number, telephone="+442037691870")
    assert first
    assert (first.rate, first.most_seconds) == (Decimal("0.018"), 14400)
    assert called_back(number) is None
    assert "could cost more" in PlannedCall.objects.latest("at").reason
    actions.hang_up(first.pk, by="alice")
    assert called_back(number) is None, "it may go on for all that we know"
    out = {"pbx_call_id": "out_1", "call_start": zadarma.here(), "internal": "100"}
    end = {"event": "NOTIFY_OUT_END", "destination": "442037691880", "duration": "61"}
    take_notice(number.credential, read({**out, **end, "disposition": "answered"}))
    assert called_back(number)
