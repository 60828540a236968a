"""What becomes of callers when the web server dies. The last of this folder: it takes the server with it."""

from __future__ import annotations

import numpy as np
import pytest

from agents.models import Agent
from telephony import prompts
from telephony.models import SipLine
from tests.telephony.conftest import kinds_of, wait_until

from .conftest import Lab, answered
from .lab import Phone, signal_to_noise

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.alone, pytest.mark.sip]


def test_a_caller_whose_web_server_dies_is_told_and_put_through(
    line: SipLine, phone: Phone, lab: Lab, agent: Agent
) -> None:
    elsewhere = {"on_failure": Agent.OnFailure.TRANSFER, "fallback_number": "+14155550177"}
    Agent.objects.filter(pk=agent.pk).update(**elsewhere)
    phone.dial("agent")
    call = answered()
    wait_until(lambda: "agent_heard" in kinds_of(call))
    lab.server.kill()
    phone.said("sip:+14155550177@sip.test")
    call.refresh_from_db()
    assert (call.status, call.end_reason, call.transfer_to) == ("completed", "line_lost", "+14155550177")
    phone.hang_up()
    said = np.frombuffer(prompts.load("en", 8000)["one_moment"], "<i2")
    assert signal_to_noise(said[2000:-2000], phone.heard()) > 15
