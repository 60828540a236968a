"""Calls that go out by SIP lines: planned, guarded, paid for and waited for like those of accounts."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from agents.models import Agent
from telephony import actions
from telephony.cost import cost_of
from telephony.credentials import save_credential
from telephony.deleting import delete_calls
from telephony.models import Call, DoNotCall, OtherCost, PlannedCall, SipLine
from telephony.outbound import dialler, other_costs
from telephony.outbound.actions import cancel_planned, is_with_people, plan_call, plan_of
from telephony.outbound.guard import NotAllowed, spent_since
from telephony.sip import records
from telephony.sip.accounts import save_line
from tests.factories import make_agent, make_number

from .dialling import dialled

pytestmark = pytest.mark.django_db
TO = "+14155550111"
DAY = timedelta(days=1)


@pytest.fixture
def agent() -> Agent:
    return make_agent("Caller", max_call_seconds=570)  # ten minutes, with the grace


@pytest.fixture
def line(agent: Agent) -> SipLine:
    line = save_line(
        label="Desk", host="pbx.example.org", user="100", agent=agent, countries=["US"], max_calls=50
    )
    records.set_state(line.pk, SipLine.State.READY)
    line.refresh_from_db()
    return line


@pytest.fixture
def plan(line: SipLine, agent: Agent):
    def planned(to: str = TO, **how) -> PlannedCall:
        return plan_call(to=to, agent=agent, line=SipLine.objects.get(), by="alice", **how)

    return planned


def states() -> list[str]:
    return list(PlannedCall.objects.order_by("at").values_list("state", flat=True))


def test_the_gateway_gets_it_with_all_that_it_was_asked_for(line, plan, agent):
    planned = plan(values={"name": "Ann"}, send_digits="1w2#", operator="bob")
    assert not Call.objects.exists() and records.claim({line.pk: 1}) == []
    assert dialled() == 1
    planned.refresh_from_db()
    call = Call.objects.get()
    assert (planned.state, planned.call) == ("placed", call)
    assert (call.line, call.sip_line, call.direction, call.caller) == ("sip", line, "outbound", "100")
    assert plan_of(call).values == {"name": "Ann"} and plan_of(call).operator == "bob"
    [outgoing] = records.claim({line.pk: 1})
    assert (outgoing.number, outgoing.send_digits, outgoing.most_seconds) == (TO, "1w2#", 4 * 3600)
    assert records.claim({line.pk: 1}) == []


def test_one_for_later_waits_and_can_be_canceled(plan):
    later = plan(due_at=timezone.now() + timedelta(hours=1))
    assert dialled() == 0
    assert cancel_planned(planned=later)
    PlannedCall.objects.update(due_at=timezone.now())
    assert dialled() == 0 and not Call.objects.exists()


def test_a_form_that_is_sent_twice_is_one_call(plan):
    once = uuid4()
    assert plan(once=once) == plan(once=once) and PlannedCall.objects.count() == 1


def test_a_line_that_is_full_is_waited_for(line, plan):
    SipLine.objects.update(max_calls=2)
    for _ in range(3):
        plan()
    assert dialled() == 2 and dialled() == 0
    assert states() == ["placed", "placed", "waiting"]
    actions.hang_up(Call.objects.first().pk, by="alice")
    assert dialled() == 1


def test_a_line_that_is_not_registered_is_waited_for_a_moment_and_then_the_reason_is_told(line, plan):
    records.set_state(line.pk, SipLine.State.FAILED, "403 Forbidden")
    plan()
    assert dialled() == 0 and states() == ["waiting"]
    PlannedCall.objects.update(due_at=timezone.now() - timedelta(seconds=30))
    assert dialled() == 1
    assert PlannedCall.objects.get().reason == "Desk is not registered: 403 Forbidden."
    SipLine.objects.update(held_at=None)
    again = plan()
    PlannedCall.objects.update(due_at=timezone.now() - timedelta(seconds=30))
    dialled()
    again.refresh_from_db()
    assert again.reason == "Desk is off, or no gateway carries it." and not Call.objects.exists()


def test_one_process_at_a_time_has_a_line(plan):
    plan()
    [mine] = dialler.taken()
    assert dialler.taken() == []
    dialler.let_go(mine)
    assert len(dialler.taken()) == 1


@pytest.mark.parametrize(
    ("how", "field"),
    [
        ({"machine": "hang_up"}, "machine"),
        ({"machine": "message", "message": "Hello."}, "machine"),
        ({"telephone": "100"}, "telephone"),
    ],
)
def test_what_a_line_cannot_do_is_refused_by_field(plan, how, field):
    with pytest.raises(ValidationError) as refused:
        plan(**how)
    assert field in refused.value.message_dict and not PlannedCall.objects.exists()


def test_a_call_goes_out_by_one_way(line, plan, agent):
    number = make_number("+14155550123")
    for ways in ({}, {"caller_id": number, "line": line}):
        with pytest.raises(ValidationError, match="Choose the number that is shown, or the line"):
            plan_call(to=TO, agent=agent, by="alice", **ways)
    with pytest.raises(IntegrityError), transaction.atomic():
        PlannedCall.objects.create(to=TO, agent=agent, line=line, caller_id=number)


class TestWhoIsCalled:
    @pytest.mark.parametrize(
        ("to", "why"),
        [
            ("+442071234567", "Desk may call United States, and not United Kingdom"),
            ("+19005551234", "costs its callers extra"),
            ("4155550111", "no number with"),
            ("112", "an emergency number"),
            ("911", "an emergency number"),
            ("sip:100@elsewhere", "no number with"),
        ],
    )
    def test_nobody_who_may_not_be(self, plan, to, why):
        with pytest.raises(ValidationError, match=why):
            plan(to)

    def test_nobody_on_the_list_also_once_it_waits(self, line, plan):
        plan()
        placed = plan()
        dialled()
        DoNotCall.objects.create(number=TO)
        waiting = PlannedCall.objects.create(to=TO, agent=placed.agent, line=line)
        dialled()
        waiting.refresh_from_db()
        assert waiting.state == "refused" and "do-not-call" in waiting.reason
        assert records.claim({line.pk: 5}) == []
        assert set(Call.objects.values_list("status", flat=True)) == {"failed"}

    def test_extensions_of_its_own_exchange_and_at_a_provider_no_other_short_number(self, line, plan):
        assert plan("100") and plan("18880") and plan("reception")
        SipLine.objects.update(account=save_credential(provider="zadarma", account="KEY", secret="hush"))
        assert plan("100")
        with pytest.raises(ValidationError, match="no extension"):
            plan("18880")


class TestWhatItCosts:
    """Ten minutes at 0.02 are 0.20."""

    @pytest.fixture(autouse=True)
    def priced(self, line: SipLine) -> None:
        SipLine.objects.update(price_per_minute=Decimal("0.02"), daily_cap=Decimal("0.50"), currency="EUR")

    def test_one_that_goes_on_counts_as_its_longest_however_many_are_asked_for_at_once(self, line, plan):
        for _ in range(5):
            plan()
        dialled()
        assert states() == ["placed", "placed", "refused", "refused", "refused"]
        assert PlannedCall.objects.filter(reason__contains="0.40 of the 0.50").count() == 3
        assert spent_since(line, timezone.now() - DAY) == Decimal("0.40")

    def test_what_was_set_aside_is_free_again_as_far_as_it_was_not_used(self, line, plan):
        plan()
        plan()
        dialled()
        short, long = Call.objects.order_by("created_at")
        assert (short.rate, short.most_seconds) == (Decimal("0.02"), 600)
        records.told(short.pk, Call.Status.BUSY)
        Call.objects.filter(pk=long.pk).update(answered_at=timezone.now() - timedelta(seconds=61))
        actions.end_call(long.pk, reason="caller_hung_up")
        assert spent_since(line, timezone.now() - DAY) == Decimal("0.04")
        long.refresh_from_db()
        assert (cost_of(long).amount, cost_of(long).currency) == (Decimal("0.04"), "EUR")
        plan()
        plan()
        plan()
        dialled()
        assert states()[2:] == ["placed", "placed", "refused"]

    def test_a_restart_forgets_nothing(self, line, plan):
        plan()
        plan()
        dialled()
        PlannedCall.objects.update(state="dialling")  # as a process leaves them that dies at that moment
        SipLine.objects.update(dialling_until=timezone.now() - timedelta(seconds=1))
        plan()
        dialled()
        assert PlannedCall.objects.filter(reason__contains="0.40 of the 0.50").count() == 1
        assert PlannedCall.objects.filter(reason__contains="may be ringing").count() == 2

    def test_one_in_which_somebody_of_ours_speaks_counts_as_hours(self, plan):
        plan(operator="bob")
        dialled()
        assert states() == ["refused"]

    def test_one_that_somebody_takes_over_counts_as_hours_from_then_on(self, line, plan):
        plan()
        dialled()
        call = Call.objects.get()
        with pytest.raises(NotAllowed, match=r"0\.20 of the 0\.50"):
            is_with_people(call.pk)
        assert spent_since(line, timezone.now() - DAY) == Decimal("0.20")
        SipLine.objects.update(daily_cap=Decimal("4.80"))
        is_with_people(call.pk)
        is_with_people(call.pk)
        assert spent_since(line, timezone.now() - DAY) == Decimal("4.80")
        assert records.may_last(call.pk) == 4 * 3600

    def test_one_that_was_put_through_counts_as_its_longest(self, line, plan):
        plan()
        dialled()
        Call.objects.update(answered_at=timezone.now())
        actions.end_call(Call.objects.get().pk, reason="transferred", transfer_to="+14155550188")
        assert spent_since(line, timezone.now() - DAY) == Decimal("0.20")

    def test_one_that_is_deleted_still_counts_until_the_day_is_over(self, line, plan):
        plan()
        dialled()
        call = Call.objects.get()
        Call.objects.update(answered_at=timezone.now() - timedelta(seconds=61))
        actions.end_call(call.pk, reason="caller_hung_up")
        assert delete_calls(call_ids=[call.pk]) == 1
        assert spent_since(line, timezone.now() - DAY) == Decimal("0.04")
        OtherCost.objects.update(at=timezone.now() - DAY)
        assert spent_since(line, timezone.now() - DAY) == 0
        delete_calls(call_ids=[])
        assert not OtherCost.objects.exists()

    def test_whoever_is_put_through_counts_as_an_hour(self, line):
        SipLine.objects.update(countries=["US"], daily_cap=Decimal("2.00"))
        first, second = uuid4(), uuid4()
        for _ in range(2):  # as a peer asks once more
            assert records.why_not(line.pk, first, transfer_to="+14155550188") == ""
        assert "1.20 of the 2.00" in records.why_not(line.pk, second, transfer_to="+14155550188")
        assert records.why_not(line.pk, second, transfer_to="100") == ""

    def test_a_first_one_who_is_free_opens_no_way_to_those_who_are_not(self, line):
        SipLine.objects.update(countries=["US"], daily_cap=Decimal("2.00"))
        call = uuid4()
        assert records.why_not(line.pk, call, transfer_to="100") == ""
        assert records.why_not(line.pk, call, transfer_to="+14155550188") == ""
        assert "1.20 of the 2.00" in records.why_not(line.pk, call, transfer_to="+14155550189")

    def test_who_is_not_reached_costs_nothing_and_who_is_reached_once_more_costs_again(self, line):
        SipLine.objects.update(countries=["US"], daily_cap=Decimal("2.00"))
        call = uuid4()
        assert records.why_not(line.pk, call, transfer_to="+14155550188") == ""
        records.not_passed_on(line.pk, call, transfer_to="+14155550188")
        assert spent_since(line, timezone.now() - DAY) == 0
        assert records.why_not(line.pk, call, transfer_to="+14155550188") == ""
        OtherCost.objects.update(of=str(call))
        other_costs.transfer_began(of=str(call), to="+14155550188")
        assert "1.20 of the 2.00" in records.why_not(line.pk, call, transfer_to="+14155550188")

    def test_a_longest_call_that_is_changed_meanwhile_changes_nothing_that_goes_on(self, line, plan):
        plan()
        dialled()
        Agent.objects.update(max_call_seconds=60)
        assert spent_since(line, timezone.now() - DAY) == Decimal("0.20")

    def test_extensions_cost_nothing(self, line, plan):
        for _ in range(4):
            plan("100")
        dialled()
        assert states() == ["placed"] * 4

    def test_a_cap_without_a_price_lets_nothing_through(self, line, plan):
        with pytest.raises(ValidationError, match="needs the price of a minute"):
            save_line(label="Desk", price_per_minute=None)
        SipLine.objects.update(price_per_minute=None)
        plan()
        dialled()
        assert "nobody knows what a minute costs" in PlannedCall.objects.get().reason

    def test_yesterday_is_forgiven(self, plan):
        plan()
        plan()
        dialled()
        Call.objects.update(created_at=timezone.now() - DAY)
        plan()
        dialled()
        assert states() == ["placed"] * 3


class TestDeleted:
    """What waited for it is refused in words, and what came of others stays."""

    @pytest.mark.parametrize("what", ["agent", "line", "number", "account"])
    def test_what_a_call_needs(self, line, agent, plan, what):
        other = make_agent("Other")
        number = make_number("+14155550123")
        how = {"line": line} if what == "line" else {"caller_id": number}
        who = agent if what == "agent" else other
        for state in ("waiting", "refused"):
            planned = plan_call(to=TO, agent=who, by="alice", due_at=timezone.now() + DAY, **how)
            PlannedCall.objects.filter(pk=planned.pk).update(state=state)
        SipLine.objects.update(agent=None)
        {"agent": agent, "line": line, "number": number, "account": number.credential}[what].delete()
        dialled()
        assert states() == ["refused", "refused"]
        waited = PlannedCall.objects.order_by("at").first()
        assert (
            "agent was deleted" in waited.reason if what == "agent" else "line that it was" in waited.reason
        )
        assert waited.agent_name == who.name
        assert waited.called_from == ("Desk" if what == "line" else "+14155550123")


def test_an_account_pays_also_when_its_number_is_gone(agent, line):
    account = save_credential(provider="zadarma", account="KEY", secret="hush", label="London")
    SipLine.objects.update(account=account, price_per_minute=Decimal("0.02"))
    type(account).objects.update(daily_cap=Decimal("0.30"))
    for _ in range(2):
        plan_call(to=TO, agent=agent, line=SipLine.objects.get(), by="alice")
    dialled()
    assert states() == ["placed", "refused"], "the account's cap holds for its line"
    SipLine.objects.all().delete()
    assert spent_since(account, timezone.now() - DAY) == Decimal("0.20")
