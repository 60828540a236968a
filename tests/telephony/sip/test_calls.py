"""Calls over SIP lines, with a real registrar and a telephone that is not ours."""

from __future__ import annotations

import asyncio
import io
import wave

import numpy as np
import pytest
from django.core.management import call_command
from django.db import transaction
from django.urls import reverse

from agents.models import Agent
from telephony import actions
from telephony.models import Call, SipLine
from telephony.outbound.actions import plan_call
from tests.telephony.conftest import kinds_of, wait_until
from tests.telephony.outbound.dialling import dialled
from tests.telephony.test_two_servers import Operator
from voiceforge_site.models import User

from .conftest import HUM, SPEECH, Lab, answered, is_over
from .lab import Phone, signal_to_noise

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.alone]


def place(line: SipLine, agent: Agent, number: str, **how: object) -> Call:
    """As the web server's dialler does, once it was asked to."""
    planned = plan_call(to=number, agent=agent, line=line, by="alice", **how)

    def call() -> Call | None:
        planned.refresh_from_db()
        return planned.call

    placed = wait_until(call)
    assert isinstance(placed, Call)
    return placed


def test_a_caller_and_an_agent_hear_each_other(line: SipLine, phone: Phone, lab: Lab) -> None:
    phone.dial("agent")
    call = answered()
    wait_until(lambda: "caller_said" in kinds_of(call))
    phone.press("9")
    wait_until(lambda: call.events.filter(kind="digits_pressed", payload__digits="9").exists())
    phone.said("received event: '#' (end=1)")  # the agent's own keys
    phone.hang_up()
    wait_until(lambda: is_over(call))
    lab.registrar.said("BYE of phone to agent along its route")

    assert (call.line, call.sip_line, call.direction) == ("sip", line, "inbound")
    assert (call.caller, call.callee, call.status) == ("phone", "agent", "completed")
    assert call.end_reason == "caller_hung_up"
    with wave.open(call.recording.file.path) as recording:
        both = np.frombuffer(recording.readframes(10**7), "<i2")
    assert signal_to_noise(SPEECH, both[0::2]) > 25
    assert signal_to_noise(HUM, phone.heard()) > 25


def test_somebody_is_called(line: SipLine, phone: Phone, agent: Agent, lab: Lab, bob: User) -> None:
    call = place(line, agent, "phone")
    wait_until(lambda: "agent_heard" in kinds_of(call))
    asyncio.run(Operator(bob, lab.server).post(reverse("telephony:hang_up", args=[call.pk])))
    phone.said("terminated")
    wait_until(lambda: is_over(call))
    for passed in ("401 for agent", "407 for agent", "BYE of agent to phone along its route"):
        lab.registrar.said(passed)

    assert (call.direction, call.caller, call.callee) == ("outbound", "agent", "phone")
    assert (call.status, call.end_reason) == ("completed", "operator_hung_up")
    assert signal_to_noise(HUM, phone.heard()) > 25


def test_calls_that_are_not_answered_say_why(line: SipLine, agent: Agent) -> None:
    told = {
        "busy": ("busy", "486 Busy Here"),
        "decline": ("busy", "603 Decline"),
    }
    said = io.StringIO()
    call_command("sip_call", "agent", "nobody", agent=agent.slug, stdout=said)
    assert said.getvalue().splitlines()[-1] == "Failed: 404 Not Found"
    calls = [place(line, agent, number) for number in told]
    wait_until(lambda: all(is_over(call) for call in calls))
    for call in calls:
        status, words = told[call.callee]
        assert (call.status, call.end_reason) == (status, "never_connected")
        assert call.events.filter(payload__detail=words).exists()


def redialled(phone: Phone) -> bool:
    """Whether this time the agent answers. A line is free a moment after its call was given up."""
    refused = phone.log.read_text().count("486 Busy Here")
    phone.dial("agent")
    wait_until(
        lambda: (
            Call.objects.filter(answered_at__isnull=False).exists()
            or phone.log.read_text().count("486 Busy Here") > refused
        )
    )
    return Call.objects.filter(answered_at__isnull=False).exists()


def test_one_call_more_than_a_line_takes_hears_that_it_is_busy_until_others_are_given_up(
    line: SipLine, phone: Phone, agent: Agent, lab: Lab
) -> None:
    waiting = [place(line, agent, "ringing") for _ in range(2)]
    wait_until(lambda: all(Call.objects.get(pk=call.pk).status == "ringing" for call in waiting))
    phone.dial("agent")
    phone.said("486 Busy Here")
    assert Call.objects.count() == 2
    for call in waiting:
        actions.hang_up(call.pk, by="alice")
        lab.gateway.said(f"Call {call.pk} is no longer wanted")
    wait_until(lambda: redialled(phone))


def test_keys_are_pressed_once_it_is_answered(line: SipLine, phone: Phone, agent: Agent) -> None:
    call = place(line, agent, "phone", send_digits="4w2")
    phone.said("received event: '4' (end=1)")
    phone.said("received event: '2' (end=1)")
    wait_until(lambda: "agent_heard" in kinds_of(call))


def test_a_call_that_nobody_ends_is_hung_up_once_it_has_lasted_as_long_as_it_may(
    line: SipLine, phone: Phone, agent: Agent, lab: Lab
) -> None:
    with transaction.atomic():  # the gateway sees it when it may last no longer already
        planned = plan_call(to="phone", agent=agent, line=line, by="alice")
        assert dialled() == 1 and Call.objects.filter(planned=planned).update(most_seconds=2)
    call = answered()
    Call.objects.filter(pk=call.pk).update(most_seconds=4)  # an operator has taken it over
    phone.said("terminated")
    lab.gateway.said("it had lasted as long as it may")
    wait_until(lambda: is_over(call))
    assert call.end_reason == "max_duration"
    assert call.duration_seconds and call.duration_seconds > 3
