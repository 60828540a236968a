"""Lines as people give them, and what service checks say of them."""

from __future__ import annotations

import io
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.utils import timezone

from agents.models import Agent
from mlservices.checks.probing import ask
from telephony import checks
from telephony.models import BlockedCaller, Call, DoNotCall, PhoneNumber, SipLine
from telephony.outbound.actions import plan_call
from telephony.sip import records
from telephony.sip.accounts import save_line, seed_from_environment
from tests.telephony.outbound.dialling import dialled

pytestmark = pytest.mark.django_db


def given(agent: Agent, **fields: Any) -> SipLine:
    return save_line(**{"label": "Desk", "host": "sip.example.org", "user": "100", "agent": agent, **fields})


def placed(line: SipLine, agent: Agent, number: str) -> Call:
    records.set_state(line.pk, SipLine.State.READY)
    planned = plan_call(to=number, agent=agent, line=line, by="alice")
    assert dialled() == 1
    planned.refresh_from_db()
    assert planned.call
    return planned.call


def test_a_line_is_made_and_changed_from_the_shell(agent: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("hush hush\n"))
    quiet = {"stdout": io.StringIO()}
    call_command("sip_line", "Desk", host="sip.example.org", user="100", agent="front-desk", **quiet)
    line = SipLine.objects.get()
    assert (line.clear_password(), line.agent, line.port, line.registers) == ("hush hush", agent, 5060, True)
    assert "hush" not in line.password

    call_command("sip_line", "Desk", max_calls=7, off=True, **quiet)
    line.refresh_from_db()
    assert (line.max_calls, line.enabled, line.clear_password()) == (7, False, "hush hush")
    with pytest.raises(CommandError, match="allowed_peers: Write addresses"):
        call_command("sip_line", "Desk", allowed_peers="example.org")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("host", "sip.example.org;transport=tcp"),
        ("domain", "a b"),
        ("user", "100@sip.example.org"),
        ("auth_user", "a>b"),
        ("port", 0),
        ("password", 'say "please"'),
        ("user", ""),
    ],
)
def test_what_no_line_can_be_is_told_by_field(agent: Agent, field: str, value: object) -> None:
    with pytest.raises(ValidationError) as refused:
        given(agent, **{field: value})
    assert list(refused.value.message_dict) == [field]


def test_the_environment_gives_a_first_line_and_then_the_database_rules(agent: Agent, settings: Any) -> None:
    assert seed_from_environment(agent) is None
    settings.ZADARMA_SIP_USERNAME, settings.ZADARMA_SIP_PASSWORD = "123456-100", "first"
    line = seed_from_environment(agent)
    assert line is not None
    assert (line.host, line.user, line.agent) == ("sip.zadarma.com", "123456-100", agent)
    settings.ZADARMA_SIP_PASSWORD = "second"
    assert seed_from_environment(agent) == line
    assert line.clear_password() == "first"


def test_the_service_check_tells_how_a_line_stands(agent: Agent) -> None:
    line = given(agent)

    def told() -> tuple[str, str]:
        [service] = checks.sip_lines()
        [outcome] = async_to_sync(ask)(service).outcomes
        return str(outcome.status), outcome.words

    assert told() == ("fail", "No gateway carries it")
    records.set_state(line.pk, SipLine.State.REGISTERING)
    assert told() == ("warn", "Is being registered")
    records.set_state(line.pk, SipLine.State.FAILED, "401 Unauthorized")
    assert told() == ("fail", "Not registered: 401 Unauthorized")
    records.set_state(line.pk, SipLine.State.READY)
    assert told() == ("pass", "Takes calls")
    SipLine.objects.update(held_at=timezone.now() - timedelta(seconds=60))
    assert told() == ("fail", "No gateway carries it")


def test_calls_wait_for_a_free_line_and_are_claimed_once(agent: Agent) -> None:
    line = given(agent)
    first, second = (placed(line, agent, number) for number in ("1", "2"))
    assert [outgoing.call_id for outgoing in records.claim({line.pk: 1})] == [first.pk]
    assert [outgoing.call_id for outgoing in records.claim({line.pk: 5})] == [second.pk]
    assert records.claim({line.pk: 5}) == []

    assert records.told(first.pk, Call.Status.RINGING)
    assert not records.told(first.pk, Call.Status.INITIATED)
    waiting = placed(line, agent, "3")
    records.end_left_over()
    assert set(Call.objects.values_list("pk", "status")) == {
        (first.pk, "failed"),
        (second.pk, "failed"),
        (waiting.pk, "queued"),
    }


def test_a_line_calls_what_it_may_and_nobody_who_does_not_want_to_be(agent: Agent) -> None:
    line = given(agent, countries=["DE"])
    for number, why in {
        "+14155550123": "not United States",
        "+499001234567": "costs its callers extra",
        "030901820": "no number with",
    }.items():
        with pytest.raises(ValidationError, match=why):
            plan_call(to=number, agent=agent, line=line, by="alice")
    assert placed(line, agent, "100")
    call = placed(line, agent, "+4930901820")
    DoNotCall.objects.create(number="+4930901820")
    assert [outgoing.number for outgoing in records.claim({line.pk: 5})] == ["100"]
    call.refresh_from_db()
    assert (call.status, call.end_reason) == ("failed", "never_connected")
    assert "do-not-call" in records.why_not(line.pk, call.pk, transfer_to="+4930901820")
    assert records.why_not(line.pk, call.pk, transfer_to="+4930901821") == ""


def test_who_is_blocked_rings_no_line_and_a_number_of_ours_has_its_own_agent(
    agent: Agent, number: PhoneNumber
) -> None:
    line = given(agent)
    other = Agent.objects.create(name="Night desk", slug="night-desk", greeting="Hello.")
    PhoneNumber.objects.filter(pk=number.pk).update(agent=other)

    def ring(call_id: str, caller: str, callee: str) -> Call | None:
        announced = records.announce(line.pk, sip_call_id=call_id, caller=caller, callee=callee)
        return Call.objects.get(pk=announced.call_id) if isinstance(announced, records.Announced) else None

    BlockedCaller.objects.create(pattern="+4930*")
    assert ring("1@there", "004930901820", "100") is None
    call = ring("2@there", "14155550199", number.number.removeprefix("+"))
    assert call
    assert (call.caller, call.agent, call.phone_number) == ("+14155550199", other, number)
    call = ring("3@there", "anonymous", "100")
    assert call
    assert (call.caller, call.agent, call.phone_number) == ("anonymous", agent, None)


def test_after_hours_a_caller_is_passed_on_where_the_number_says(agent: Agent, number: PhoneNumber) -> None:
    line = given(agent)
    never = {"timezone": "UTC", "week": {}}
    PhoneNumber.objects.filter(pk=number.pk).update(hours=never, after="forward", after_number="+14155550188")
    called = {"caller": "14155550199", "callee": number.number.removeprefix("+")}
    passed_on = records.announce(line.pk, sip_call_id="1@there", **called)
    assert isinstance(passed_on, records.Forward)
    assert (passed_on.of, passed_on.number) == ("1@there", "+14155550188") and passed_on.sorry
    assert not Call.objects.exists()


def test_else_they_hear_that_it_is_closed_in_the_voice_of_who_answers_at_other_hours(
    agent: Agent, number: PhoneNumber
) -> None:
    line = given(agent)
    Agent.objects.update(speaking_rate=1.2)
    PhoneNumber.objects.filter(pk=number.pk).update(hours={"timezone": "UTC", "week": {}})
    called = {"caller": "14155550199", "callee": number.number.removeprefix("+")}
    told = records.announce(line.pk, sip_call_id="1@there", **called)
    assert isinstance(told, records.Sentence)
    assert "closed right now" in told.text and (told.voice, told.speed) == ("default", 1.2)
    PhoneNumber.objects.filter(pk=number.pk).update(agent=None, hours={})
    told = records.announce(line.pk, sip_call_id="1@there", **called)
    assert isinstance(told, records.Sentence) and "not in service" in told.text
    assert not Call.objects.exists()


@pytest.mark.parametrize(
    ("field", "value", "why"),
    [
        ("calls_per_second", Decimal(-1), "Between 0.1 and 100"),
        ("calls_per_second", Decimal(0), "Between 0.1 and 100"),
        ("price_per_minute", Decimal("-0.01"), "Not below 0"),
        ("daily_cap", Decimal(-5), "Not below 0"),
        ("countries", ["UK"], "No country has the code UK"),
    ],
    ids=str,
)
def test_limits_that_would_be_none_are_refused(agent: Agent, field: str, value: object, why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        given(agent, **{field: value})
    assert not SipLine.objects.exists()
