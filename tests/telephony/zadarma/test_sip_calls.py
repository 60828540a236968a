"""Calls of a SIP line of Zadarma's, told of by our gateway and by Zadarma's notices: one row each."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from agents.models import Agent
from telephony import actions
from telephony import zadarma as asking
from telephony.credentials import save_credential
from telephony.models import Call, Credential, PhoneNumber, SipLine
from telephony.outbound.actions import plan_call
from telephony.outbound.guard import DAY, spent_since
from telephony.providers.zadarma import answers, wire
from telephony.providers.zadarma.events import read
from telephony.providers.zadarma.limits import Limits
from telephony.sip import records
from telephony.sip.accounts import save_line
from telephony.zadarma_calls import take_notice
from telephony.zadarma_matching import NotBelieved
from tests.fakes.zadarma import Zadarma
from tests.telephony.outbound.dialling import dialled

pytestmark = pytest.mark.django_db
CALLER, DID, CALLED = "442037691880", "442037691881", "442037691890"
OUT = {"pbx_call_id": "out_1", "internal": "100", "destination": CALLED, "caller_id": DID}
IN = {"pbx_call_id": "in_1", "caller_id": CALLER, "called_did": DID}
END = {"duration": "42", "disposition": "answered", "is_recorded": "0"}


@pytest.fixture(autouse=True)
def _asked_here(settings: Any, monkeypatch: pytest.MonkeyPatch, zadarma: Zadarma) -> None:
    settings.ZADARMA_API_URL = zadarma.url
    monkeypatch.setattr(wire, "limits_of", lambda url, key: Limits(statistics=100))  # or wait for minutes


@pytest.fixture
def credential(zadarma: Zadarma) -> Credential:
    return save_credential(provider="zadarma", account=zadarma.key, secret=zadarma.secret, label="Zadarma")


@pytest.fixture
def number(agent: Agent, credential: Credential) -> PhoneNumber:
    return PhoneNumber.objects.create(number=f"+{DID}", credential=credential, agent=agent, extension="100")


@pytest.fixture
def line(agent: Agent, credential: Credential) -> SipLine:
    line = save_line(
        label="Desk", host="pbx.zadarma.com", user="123456-100", agent=agent, countries=["GB"], max_calls=50
    )
    records.set_state(line.pk, SipLine.State.READY)
    assert line.account == credential, "the only one that it can belong to"
    return line


@pytest.fixture
def tell(zadarma: Zadarma, credential: Credential):
    def told(event: str, *, seconds_ago: float = 0, **fields: str) -> Any:
        form = {"event": event, "call_start": zadarma.here(seconds_ago), **fields}
        return take_notice(credential, read(form))

    return told


def called(line: SipLine, agent: Agent, to: str = f"+{CALLED}") -> Call:
    planned = plan_call(to=to, agent=agent, line=line, by="alice")
    assert dialled() == 1
    planned.refresh_from_db()
    assert planned.call
    return planned.call


def rung(line: SipLine, *, caller: str = CALLER, callee: str = "123456-100", name: str = "1@there") -> Call:
    announced = records.announce(line.pk, sip_call_id=name, caller=caller, callee=callee)
    assert announced
    return Call.objects.get(pk=announced.call_id)


# ---- out ------------------------------------------------------------------------------------


@pytest.mark.parametrize("zone", [-5 * 3600, 0, 5 * 3600 + 1800])
@pytest.mark.parametrize("order", ["".join(each) for each in itertools.permutations("SAE")] + ["E", "SSEEAA"])
def test_a_call_that_the_gateway_places_is_named_by_notices_and_not_changed(
    zadarma: Zadarma, line: SipLine, agent: Agent, tell: Any, order: str, zone: int
) -> None:
    zadarma.zone_seconds = zone
    call = called(line, agent)
    records.claim({line.pk: 1})
    records.told(call.pk, Call.Status.RINGING)
    events = {"S": ("NOTIFY_OUT_START", {}), "A": ("NOTIFY_ANSWER", {}), "E": ("NOTIFY_OUT_END", END)}
    for letter in order:
        event, more = events[letter]
        assert tell(event, **OUT, **more) == answers.AS_SET_THERE
    call = Call.objects.get()
    assert (call.line, call.pbx_call_id, call.status, call.ended_at) == ("sip", "out_1", "ringing", None)


def test_somebody_elses_call_and_an_old_one_name_none_of_ours(line: SipLine, agent: Agent, tell: Any) -> None:
    called(line, agent)
    tell("NOTIFY_OUT_START", **OUT | {"internal": "101"})
    tell("NOTIFY_OUT_START", **OUT | {"destination": "442037691899"})
    tell("NOTIFY_OUT_START", seconds_ago=200, **OUT)
    assert Call.objects.get().pbx_call_id == ""


def test_a_signature_names_one_call_and_no_second(line: SipLine, agent: Agent, tell: Any) -> None:
    called(line, agent)
    second = called(line, agent)
    tell("NOTIFY_OUT_START", seconds_ago=20, **OUT)
    with pytest.raises(NotBelieved):
        tell("NOTIFY_OUT_START", seconds_ago=20, **OUT | {"pbx_call_id": "out_2"})
    with pytest.raises(NotBelieved):
        tell("NOTIFY_OUT_START", **OUT | {"destination": "442037691899"})
    tell("NOTIFY_OUT_START", **OUT | {"pbx_call_id": "out_2"})
    assert set(Call.objects.values_list("pbx_call_id", flat=True)) == {"out_1", "out_2"}
    other = save_credential(provider="zadarma", account="OTHER", secret="hush", label="Other")
    form = {"event": "NOTIFY_OUT_START", "call_start": f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}", **OUT}
    with pytest.raises(NotBelieved):
        take_notice(other, read(form))
    assert second.sip_line == line


# ---- in -------------------------------------------------------------------------------------


def test_a_call_that_zadarma_tells_of_first_is_the_lines_once_it_rings_there(
    line: SipLine, number: PhoneNumber, tell: Any
) -> None:
    assert tell("NOTIFY_START", **IN) == answers.redirect("100", return_seconds=0)
    tell("NOTIFY_INTERNAL", internal="100", **IN)
    call = rung(line)
    assert Call.objects.get() == call
    assert (call.line, call.sip_line, call.phone_number) == ("sip", line, number)
    assert (call.provider_call_id, call.pbx_call_id, call.callee) == ("1@there", "in_1", f"+{DID}")
    assert actions.connect_call(call.pk, line="sip")
    for event, more in (("NOTIFY_ANSWER", {"destination": "100"}), ("NOTIFY_END", END), ("NOTIFY_END", END)):
        tell(event, **IN, **more)
    call.refresh_from_db()
    assert (call.status, call.ended_at) == ("in-progress", None), "the gateway sees its end"
    actions.end_call(call.pk, reason="caller_hung_up")
    tell("NOTIFY_END", **IN, **END)
    assert Call.objects.get().end_reason == "caller_hung_up"


@pytest.mark.parametrize("order", ["".join(each) for each in itertools.permutations("SIE")] + ["E", "SSEE"])
@pytest.mark.parametrize("callee", ["123456-100", DID])
def test_a_call_that_rings_before_zadarma_tells_of_it_is_named(
    line: SipLine, number: PhoneNumber, tell: Any, order: str, callee: str
) -> None:
    call = rung(line, callee=callee)
    events = {"S": ("NOTIFY_START", {}), "I": ("NOTIFY_INTERNAL", {}), "E": ("NOTIFY_END", END)}
    for letter in order:
        event, more = events[letter]
        tell(event, internal="100", **IN, **more)
    call.refresh_from_db()
    assert Call.objects.get() == call
    assert (call.pbx_call_id, call.phone_number, call.callee) == ("in_1", number, f"+{DID}")
    assert (call.status, call.ended_at) == ("ringing", None)


def test_another_callers_call_stays_another(line: SipLine, number: PhoneNumber, tell: Any) -> None:
    tell("NOTIFY_START", **IN)
    rung(line, caller="442037691877")
    assert Call.objects.count() == 2
    tell("NOTIFY_START", **IN | {"pbx_call_id": "in_2", "caller_id": "442037691866"})
    assert Call.objects.count() == 3


def test_two_calls_of_one_caller_are_two(line: SipLine, number: PhoneNumber, tell: Any) -> None:
    tell("NOTIFY_START", seconds_ago=5, **IN)
    tell("NOTIFY_START", **IN | {"pbx_call_id": "in_2"})
    first, second = rung(line), rung(line, name="2@there")
    assert (first.pbx_call_id, second.pbx_call_id) == ("in_1", "in_2")


def test_a_call_for_another_extension_is_not_taken(line: SipLine, number: PhoneNumber, tell: Any) -> None:
    PhoneNumber.objects.update(extension="101")
    tell("NOTIFY_START", **IN)
    rung(line)
    assert Call.objects.count() == 2


def test_a_caller_whom_another_telephone_answered_was_not_lost(
    line: SipLine, number: PhoneNumber, tell: Any
) -> None:
    tell("NOTIFY_START", **IN)
    call = rung(line)
    records.never_answered(call.pk)
    tell("NOTIFY_END", **IN, **END)
    call.refresh_from_db()
    assert (call.status, call.outcome, call.duration_seconds) == ("completed", "elsewhere", 42)


# ---- what they cost -------------------------------------------------------------------------


def bill(zadarma: Zadarma, began: datetime, **fields: Any) -> dict[str, Any]:
    there = f"{began + timedelta(seconds=zadarma.zone_seconds):%Y-%m-%d %H:%M:%S}"
    return {
        "id": "1", "sip": "100", "callstart": there, "from": int(DID), "to": int(CALLED),
        "disposition": "answered", "billseconds": 61, "billcost": 0.39, "currency": "USD",
    } | fields  # fmt: skip


@pytest.mark.parametrize("told", ["by notices", "by records alone"])
def test_records_tell_what_it_cost_and_nothing_else(
    zadarma: Zadarma, line: SipLine, agent: Agent, credential: Credential, told: str
) -> None:
    zadarma.zone_seconds = 3 * 3600
    call = called(line, agent)
    began = timezone.now() - timedelta(hours=1)
    Call.objects.update(created_at=began, answered_at=began + timedelta(seconds=8))
    actions.end_call(call.pk, reason="caller_hung_up", ended_at=began + timedelta(seconds=70))
    leg = {
        "call_id": "1.2", "sip": 100, "callstart": bill(zadarma, began)["callstart"], "clid": int(DID),
        "destination": int(CALLED), "disposition": "answered", "seconds": 61, "pbx_call_id": "out_1",
    }  # fmt: skip
    if told == "by notices":
        Call.objects.update(pbx_call_id="out_1", provider_started=leg["callstart"])
    zadarma.pbx, zadarma.billed = [leg], [bill(zadarma, began + timedelta(seconds=2))]
    now = timezone.now()
    done = asking.import_statistics(credential, since=now - timedelta(hours=2), until=now)
    assert (done.settled, done.priced) == (0, 1)
    call.refresh_from_db()
    assert (call.pbx_call_id, call.price, call.duration_seconds) == ("out_1", Decimal("0.39"), 62)
    assert (call.end_reason, call.line) == ("caller_hung_up", "sip")
    assert spent_since(credential, now - DAY) == Decimal("0.39")


def test_the_accounts_price_list_and_its_cap_hold_for_its_line(
    zadarma: Zadarma, line: SipLine, agent: Agent, credential: Credential
) -> None:
    """Of eleven minutes at 0.009."""
    Agent.objects.update(max_call_seconds=600)
    agent.refresh_from_db()
    assert called(line, agent).rate is None and zadarma.asked["GET /v1/info/price/"] == 0
    Credential.objects.update(daily_cap=Decimal("0.15"))
    call = called(line, agent)
    assert (call.rate, call.paid_by) == (Decimal("0.009"), credential)
    refused = plan_call(to=f"+{CALLED}", agent=agent, line=line, by="alice")
    dialled()
    refused.refresh_from_db()
    assert refused.reason.startswith("Zadarma has spent or set aside 0.10 of the 0.15")


def test_a_call_is_held_against_the_cap_at_the_price_for_the_number_that_it_shows(
    zadarma: Zadarma, line: SipLine, number: PhoneNumber, agent: Agent
) -> None:
    Credential.objects.update(daily_cap=Decimal("50"))
    assert called(line, agent).rate == Decimal("0.009")
    zadarma.dearer = {DID: "0.04"}
    assert called(line, agent).rate == Decimal("0.04")
