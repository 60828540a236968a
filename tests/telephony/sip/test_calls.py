"""Calls over SIP lines, with a real registrar and a telephone that is not ours."""

from __future__ import annotations

import wave

import numpy as np
import pytest

from telephony.models import Call
from tests.telephony.conftest import kinds_of, wait_until

from .conftest import Lab
from .lab import Phone, chirp, signal_to_noise

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.alone]


def ended(call: Call) -> bool:
    call.refresh_from_db()
    return call.ended_at is not None and call.held_at is None


def the_call() -> Call:
    return wait_until(lambda: Call.objects.filter(answered_at__isnull=False).first())  # type: ignore[return-value]


def test_a_caller_and_an_agent_hear_each_other(lab: Lab, phone: Phone) -> None:
    phone.dial("agent")
    call = the_call()
    wait_until(lambda: "caller_said" in kinds_of(call))
    phone.press("5")
    wait_until(lambda: call.events.filter(kind="digits_pressed", payload__digits="5").exists())
    phone.hang_up()
    wait_until(lambda: ended(call))

    assert (call.line, call.sip_line, call.direction) == ("sip", lab.line, "inbound")
    assert (call.caller, call.callee, call.status) == ("phone", "agent", "completed")
    assert call.end_reason == "caller_hung_up"
    with wave.open(call.recording.file.path) as recording:
        both = np.frombuffer(recording.readframes(10**7), "<i2")
    assert signal_to_noise(chirp(2.0), both[0::2]) > 25
    tone = np.sin(2 * np.pi * 440 * np.arange(4800) / 8000) * 8000
    assert signal_to_noise(tone, phone.heard()) > 25
