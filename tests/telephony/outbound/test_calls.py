"""Calls that we place: guarded, paced, placed once, and told as they go."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4
from xml.etree import ElementTree

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone
from django.utils.module_loading import import_string

from telephony import actions
from telephony.actions import hang_up
from telephony.capacity import capacity
from telephony.lines.twilio import TwilioAccount
from telephony.models import Call, Credential, OtherCost, PhoneNumber, PlannedCall
from telephony.outbound import dialler
from telephony.outbound.actions import cancel_planned, do_not_call, may_be_called, plan_call, plan_of
from telephony.outbound.guard import DAY, spent_since
from tests import trail
from tests.factories import make_agent
from tests.fakes.twilio_rest import SID, Refusal

from .dialling import dialled

pytestmark = pytest.mark.django_db
TO = "+14155550111"


@pytest.fixture
def number(twilio, account) -> PhoneNumber:
    twilio.own("+14155550123")
    return PhoneNumber.objects.create(number="+14155550123", credential=account)


@pytest.fixture
def plan(number):
    agent = make_agent("Caller", max_call_seconds=600)

    def planned(to: str = TO, **how) -> PlannedCall:
        return plan_call(to=to, agent=agent, caller_id=number, by="alice", **how)

    return planned


def test_a_call_is_placed_and_followed_to_its_end(twilio, plan):
    planned = plan(values={"name": "Ann"})
    assert dialled() == 1
    (sid,) = twilio.calls
    placed = twilio.calls[sid]
    call = Call.objects.get()
    assert (placed["to"], placed["from"], placed["time_limit"]) == (TO, "+14155550123", "630")
    assert placed["status_callback_event"] == ["initiated", "ringing", "answered", "completed"]
    assert (call.direction, call.status, call.provider_call_id, call.other_party) == (
        "outbound",
        "queued",
        sid,
        TO,
    )
    assert plan_of(call).values == {"name": "Ann"}
    for status in ("initiated", "ringing"):
        assert twilio.goes_on(Client(), sid, status).status_code == 204
    call.refresh_from_db()
    assert call.status == "ringing"
    verbs = [each.tag for each in ElementTree.fromstring(twilio.is_answered(Client(), sid))]
    assert verbs == ["Connect", "Redirect"]
    twilio.goes_on(Client(), sid, "no-answer")
    call.refresh_from_db()
    planned.refresh_from_db()
    assert (call.status, call.outcome, planned.state) == ("no-answer", "no_answer", "placed")


@pytest.mark.parametrize("status", ["completed", "busy", "failed", "no-answer", "canceled"])
def test_each_end_stays_what_it_is_also_when_told_twice_and_late(twilio, plan, status):
    plan()
    dialled()
    (sid,) = twilio.calls
    twilio.goes_on(Client(), sid, "initiated")
    twilio.goes_on(Client(), sid, status, sequence=3)
    twilio.goes_on(Client(), sid, "ringing", sequence=1)
    twilio.goes_on(Client(), sid, status, sequence=3)
    assert Call.objects.get().status == status


def test_a_callback_that_is_faster_than_the_answer_to_our_request_finds_its_call(twilio, plan):
    plan()
    dialled()
    Call.objects.update(provider_call_id="")
    (sid,) = twilio.calls
    assert twilio.goes_on(Client(), sid, "initiated").status_code == 204
    assert Call.objects.get().provider_call_id == sid


@pytest.mark.parametrize(
    "machine, answered_by, verbs, reason",
    [
        ("hang_up", "human", ["Connect", "Redirect"], ""),
        ("hang_up", "unknown", ["Connect", "Redirect"], ""),
        ("hang_up", "machine_start", ["Hangup"], "machine"),
        ("hang_up", "fax", ["Hangup"], "machine"),
        ("message", "machine_end_beep", ["Connect", "Redirect"], ""),
        ("message", "machine_end_other", ["Connect", "Redirect"], ""),
        ("message", "unknown", ["Connect", "Redirect"], ""),
        ("message", "fax", ["Hangup"], "machine"),
        ("ignore", "machine_start", ["Connect", "Redirect"], ""),
    ],
)
def test_a_machine_is_left_alone_or_left_a_message(twilio, plan, machine, answered_by, verbs, reason):
    plan(machine=machine, message="Please call us back.")
    dialled()
    (sid,) = twilio.calls
    asked = {"ignore": None, "hang_up": "Enable", "message": "DetectMessageEnd"}[machine]
    assert twilio.calls[sid].get("machine_detection") == asked
    answer = ElementTree.fromstring(twilio.is_answered(Client(), sid, AnsweredBy=answered_by))
    assert [each.tag for each in answer] == verbs
    call = Call.objects.get()
    assert (call.answered_by, call.end_reason) == (answered_by, reason)


@pytest.fixture
def answered(twilio, plan) -> Call:
    """A machine has answered, and its beep is over."""
    plan(machine="message", message="Please call us back.")
    dialled()
    (sid,) = twilio.calls
    assert "<Connect>" in twilio.is_answered(Client(), sid, AnsweredBy="machine_end_beep")
    return Call.objects.get()


def after(twilio, call: Call) -> ElementTree.Element:
    url = f"https://voice.example.org/telephony/twilio/after/{call.pk}/"
    form = {"AccountSid": SID, "CallSid": call.provider_call_id}
    return ElementTree.fromstring(twilio.post(Client(), url, form).content)


@pytest.mark.parametrize(
    "reason", ["engine_failure", "server_restarted", ""], ids=["voice", "server", "socket"]
)
def test_twilio_says_the_message_where_we_could_not(twilio, answered, reason):
    if reason:
        actions.end_call(answered.pk, reason=reason)
    answer = after(twilio, answered)
    assert [each.tag for each in answer] == ["Say", "Hangup"]
    assert answer.findtext("Say") == "Please call us back."


def test_a_message_that_was_left_is_not_left_again(twilio, answered):
    actions.end_call(answered.pk, reason="machine")
    assert [each.tag for each in after(twilio, answered)] == ["Hangup"]


def test_twilio_says_the_message_while_all_our_lines_are_busy(twilio, plan, monkeypatch):
    monkeypatch.setattr(capacity, "lag_seconds", 0.2)
    plan(machine="message", message="Please call us back.")
    dialled()
    (sid,) = twilio.calls
    answer = ElementTree.fromstring(twilio.is_answered(Client(), sid, AnsweredBy="machine_end_beep"))
    assert answer.findtext("Say") == "Please call us back."
    assert Call.objects.get().end_reason == "machine"


def test_one_that_still_rings_is_stopped_at_the_provider_when_it_is_hung_up_here(
    twilio, plan, monkeypatch, django_capture_on_commit_callbacks
):
    plan()
    dialled()
    (sid,) = twilio.calls
    twilio.goes_on(Client(), sid, "ringing")
    jobs = []
    monkeypatch.setattr(actions, "async_task", lambda *job: jobs.append(job))
    with django_capture_on_commit_callbacks(execute=True):
        actions.hang_up(Call.objects.get().pk, by="bob")
    ((name, call_id),) = jobs
    assert import_string(name)(call_id) == "stopped"
    assert twilio.calls[sid]["status"] == "canceled"
    assert import_string(name)(call_id) == "stopped"  # one that is over already is no error


@pytest.mark.django_db(transaction=True)
def test_one_that_is_hung_up_while_it_is_being_placed_is_stopped_at_the_provider(twilio, plan, monkeypatch):
    plan()
    place, told = TwilioAccount.place, []
    monkeypatch.setattr(
        actions, "async_task", lambda name, call_id: told.append(import_string(name)(call_id))
    )

    def hung_up_meanwhile(account, dial):
        actions.hang_up(Call.objects.get().pk, by="bob")
        return place(account, dial)

    monkeypatch.setattr(TwilioAccount, "place", hung_up_meanwhile)
    dialled()
    assert told == ["not placed", "stopped"]
    assert [call["status"] for call in twilio.calls.values()] == ["canceled"]


def test_what_the_provider_refuses_is_told_and_not_tried_again(twilio, plan):
    twilio.refuses = Refusal(21215, "geo")
    planned = plan()
    assert dialled() == 1 and dialled() == 0
    planned.refresh_from_db()
    call = Call.objects.get()
    assert planned.state == "refused" and "Geo Permissions" in planned.reason
    assert (call.status, call.end_reason, call.outcome) == ("failed", "not_placed", "failed")


def test_a_process_that_died_over_a_call_leaves_it_and_nobody_places_it_again(twilio, plan):
    planned = plan()
    PlannedCall.objects.update(state="dialling")
    Credential.objects.update(dialling_until=timezone.now() + timedelta(seconds=5))
    assert dialled() == 0
    Credential.objects.update(dialling_until=timezone.now() - timedelta(seconds=1))
    assert dialled() == 0 and not twilio.calls
    planned.refresh_from_db()
    assert planned.state == "refused" and "may be ringing" in planned.reason


def test_one_process_at_a_time_has_an_account(twilio, plan):
    plan()
    (lost,) = dialler.taken()
    assert dialler.taken() == []
    Credential.objects.update(dialling_until=timezone.now() - timedelta(seconds=1))
    (mine,) = dialler.taken()
    assert not dialler.place_next(lost) and not twilio.calls
    dialler.let_go(lost)
    assert dialler.taken() == []
    assert dialler.place_next(mine) and len(twilio.calls) == 1


def test_a_request_without_an_answer_is_not_made_again_and_its_call_is_served(twilio, plan, monkeypatch):
    monkeypatch.setattr("telephony.lines.twilio.SECONDS", 0.2)
    planned = plan()
    twilio.seconds = 0.5
    assert dialled() == 1 and dialled() == 0
    planned.refresh_from_db()
    assert planned.state == "refused" and "may be ringing: look before you call again" in planned.reason
    twilio.seconds = 0
    while not twilio.calls:
        pass
    (sid,) = twilio.calls
    assert "<Connect>" in twilio.is_answered(Client(), sid)


def test_a_form_that_is_sent_twice_is_one_call(plan):
    once = uuid4()
    assert plan(once=once) == plan(once=once) and PlannedCall.objects.count() == 1


def test_nobody_is_rung_long_after_the_time_that_was_meant(twilio, plan):
    planned = plan()
    PlannedCall.objects.update(due_at=timezone.now() - timedelta(hours=1))
    assert dialled() == 0 and not twilio.calls
    planned.refresh_from_db()
    assert planned.state == "refused" and "too late" in planned.reason


def test_a_scheduled_call_waits_and_can_be_canceled(twilio, plan):
    later = plan(due_at=timezone.now() + timedelta(hours=1))
    assert dialled() == 0
    assert cancel_planned(planned=later) and not cancel_planned(planned=later)
    PlannedCall.objects.update(due_at=timezone.now())
    assert dialled() == 0 and not twilio.calls


@pytest.mark.parametrize("days", [-1, 400])
def test_another_time_than_of_the_next_year_is_refused(plan, days):
    with pytest.raises(ValidationError, match="from now on, within a year"):
        plan(due_at=timezone.now() + timedelta(days=days))


def test_a_call_that_is_hung_up_while_it_rings_is_canceled(twilio, plan):
    plan()
    dialled()
    call = Call.objects.get()
    assert hang_up(call.pk, by="bob")
    call.refresh_from_db()
    assert (call.status, call.card["status"]) == ("canceled", "canceled")


def test_the_board_shows_who_is_called_and_not_the_number_they_see(twilio, plan):
    plan()
    dialled()
    call = Call.objects.get()
    assert (call.card["caller"], call.callee, call.caller) == (TO, TO, call.phone_number.number)


class TestWhoIsCalled:
    def test_nobody_on_the_list_on_any_way(self, twilio, plan):
        waiting = plan(due_at=timezone.now() + timedelta(hours=1))
        direct = plan()
        assert do_not_call(numbers=[TO], reason="asked us", by="alice") == 1
        waiting.refresh_from_db()
        assert (waiting.state, "do-not-call" in waiting.reason) == ("canceled", True)
        assert (trail.verbs("telephony.plannedcall")[-1], trail.last().name) == ("planned.canceled", "alice")
        PlannedCall.objects.filter(pk=direct.pk).update(state="waiting")  # as if it had slipped through
        dialled()
        direct.refresh_from_db()
        assert direct.state == "refused" and not twilio.calls and not Call.objects.exists()
        with pytest.raises(ValidationError, match="do-not-call"):
            plan()
        assert may_be_called(number=TO) and plan()

    def test_only_countries_of_the_account_s_own_numbers_unless_others_are_named(self, plan, account):
        with pytest.raises(ValidationError, match=r"may call United States, and not United Kingdom"):
            plan("+442071234567")
        Credential.objects.update(countries=["GB"])
        assert plan_again(plan, "+442071234567")
        with pytest.raises(ValidationError, match=r"may call United Kingdom, and not United States"):
            plan_again(plan, TO)

    @pytest.mark.parametrize("dear", ["+19005551234", "+448712345678", "+447012345678", "+881612345678"])
    def test_no_number_that_costs_extra(self, plan, dear):
        Credential.objects.update(countries=["US", "GB"])
        with pytest.raises(ValidationError, match=r"costs its callers extra|, United States, and not"):
            plan_again(plan, dear)

    def test_no_call_that_could_cost_more_than_the_day_may(self, twilio, plan):
        Credential.objects.update(daily_cap=Decimal("2.50"))  # two calls of eleven minutes at most
        for _ in range(3):
            plan_again(plan, TO)
        dialled()
        states = list(PlannedCall.objects.order_by("at").values_list("state", flat=True))
        assert states == ["placed", "placed", "refused"]
        Call.objects.update(status="completed", ended_at=timezone.now(), duration_seconds=61)
        again = plan_again(plan, TO)  # what was set aside is free again
        dialled()
        again.refresh_from_db()
        assert again.state == "placed"

    def test_a_dear_country_is_held_against_the_cap_by_its_own_price(self, twilio, plan):
        Credential.objects.update(daily_cap=Decimal("2.50"))
        twilio.price = "0.80"
        planned = plan_again(plan, TO)
        dialled()
        planned.refresh_from_db()
        assert planned.state == "refused" and "could cost more than is left" in planned.reason
        assert not twilio.calls

    def test_nobody_is_put_through_to_what_may_not_be_called(self, twilio, number):
        def verbs(to: str) -> list[str]:
            PhoneNumber.objects.update(
                hours={"timezone": "UTC", "week": {}}, after="forward", after_number=to
            )
            form = {"AccountSid": SID, "CallSid": "CA1", "From": "+14155550199", "To": "+14155550123"}
            answer = twilio.post(Client(), "https://voice.example.org/telephony/twilio/voice/", form)
            return [each.tag for each in ElementTree.fromstring(answer.content)]

        assert verbs("+14155550188") == ["Dial"]
        assert verbs("+19005551234") == verbs("+442071234567") == ["Say", "Hangup"]

    def test_whom_callers_are_put_through_to_counts_against_the_cap_as_long_as_it_may_last(
        self, twilio, number
    ):
        def answer(path: str, sid: str, **more: str) -> list[str]:
            form = {"AccountSid": SID, "CallSid": sid, "From": "+14155550199", "To": "+14155550123"} | more
            given = twilio.post(Client(), f"https://voice.example.org/telephony/twilio/{path}/", form)
            return [each.tag for each in ElementTree.fromstring(given.content)]

        def spent() -> Decimal:
            return spent_since(Credential.objects.get(), timezone.now() - DAY)

        PhoneNumber.objects.update(
            hours={"timezone": "UTC", "week": {}}, after="forward", after_number="+14155550188"
        )
        assert answer("voice", "CA1") == ["Dial"] and not OtherCost.objects.exists()  # nothing is capped
        Credential.objects.update(daily_cap=Decimal("30.00"))
        rate = Decimal(twilio.price)
        assert (
            answer("voice", "CA2") == answer("voice", "CA2") == ["Dial"]
        )  # asked again, as its answer was lost
        assert spent() == 240 * rate
        assert answer("voice", "CA3") == ["Say", "Hangup"]
        assert answer("dialled", "CA2", DialCallStatus="completed", DialCallDuration="61") == ["Hangup"]
        assert spent() == 2 * rate
        assert answer("voice", "CA3") == ["Dial"]


def plan_again(plan, to: str) -> PlannedCall:
    """With the account as it is stored now."""
    number = PhoneNumber.objects.select_related("credential").get()
    return plan_call(to=to, agent=make_agent(max_call_seconds=600), caller_id=number, by="alice")
