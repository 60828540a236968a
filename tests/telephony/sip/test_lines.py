"""How lines stand, who may ring them, and what becomes of their calls when a part of the whole dies."""

from __future__ import annotations

import asyncio
import io
import signal
import subprocess
import time
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from agents.models import Agent
from telephony.models import SipLine
from tests.telephony.conftest import kinds_of, wait_until
from tests.telephony.test_two_servers import Operator
from voiceforge_site.models import User

from .conftest import DICTION, HUM, Lab, answered, is_over, state_of
from .lab import Phone, Registrar, free_sip_port, signal_to_noise

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.alone]


def checked() -> str:
    """What `sipgateway --check` prints."""
    said = io.StringIO()
    try:
        call_command("sipgateway", "--check", stdout=said)
    except CommandError as error:
        said.write(str(error))
    return said.getvalue()


def rings(lab: Lab, user: str) -> bool:
    """Whether a call straight to the gateway is answered."""
    command = ["sipp", f"127.0.0.1:{lab.port}", "-sn", "uac", "-s", user, "-m", "1", "-nostdin"]
    done = subprocess.run(
        [*command, "-i", "127.0.0.1", "-p", str(free_sip_port())], capture_output=True, timeout=10
    )
    return done.returncode == 0


def test_a_line_tells_how_it_stands(line: SipLine, lab: Lab, agent: Agent) -> None:
    assert checked() == (
        f"agent (agent@127.0.0.1:{line.port}, udp): Ready for 0 s; answered by Front desk, at most 2 calls\n"
    )
    refused = lab.line(agent, user="intruder", password="wrong")
    port = free_sip_port()
    waiting = SipLine.objects.create(
        label="later", host="127.0.0.1", port=port, transport="tcp", user="later", domain="sip.test"
    )
    waiting.set_password("pw-later")
    waiting.save()
    wait_until(lambda: (state_of(refused), state_of(waiting)) == ("failed", "failed"))
    assert "401" in refused.reason
    assert "Failed for" in checked()
    assert "Not every line is ready." in checked()

    registrar = Registrar(lab.folder / "later", port)
    try:
        wait_until(lambda: state_of(waiting) == "ready")
    finally:
        registrar.stop()


@pytest.mark.sip
def test_a_trunk_is_rung_from_allowed_addresses_only(line: SipLine, lab: Lab, agent: Agent) -> None:
    trunk = lab.line(agent, user="trunk", registers=False, allowed_peers="192.0.2.0/24")
    wait_until(lambda: state_of(trunk) == "ready")
    assert not rings(lab, "trunk")
    lab.gateway.said("127.0.0.1 was turned away: add that address")
    SipLine.objects.filter(pk=trunk.pk).update(allowed_peers="192.0.2.0/24 127.0.0.1")
    wait_until(lambda: rings(lab, "trunk"))


@pytest.mark.sip
def test_a_caller_is_put_through(line: SipLine, phone: Phone, lab: Lab, bob: User) -> None:
    phone.dial("agent")
    call = answered()
    operator = Operator(bob, lab.server)
    path = reverse("telephony:transfer", args=[call.pk])
    asyncio.run(operator.post(path, number="+14155550100"))
    phone.said("sip:+14155550100@sip.test")
    wait_until(lambda: is_over(call))
    assert (call.end_reason, call.transfer_to) == ("transferred", "+14155550100")


def test_over_tls_a_line_is_encrypted(line: SipLine, lab: Lab, agent: Agent, tmp_path: Path) -> None:
    secure = lab.line(agent, user="secure", transport="tls", port=lab.registrar.tls_port)
    stranger = Registrar(lab.folder / "stranger", free_sip_port())
    unsure = lab.line(agent, user="unsure", transport="tls", port=stranger.tls_port)
    phone = Phone(tmp_path / "safe", lab.registrar, DICTION, user="safe", more="mediaenc=srtp-mand;")
    try:
        wait_until(lambda: state_of(secure) == "ready")
        wait_until(lambda: state_of(unsure) == "failed")
        phone.dial("secure")
        call = answered()
        wait_until(lambda: "agent_heard" in kinds_of(call))
        phone.hang_up()
        wait_until(lambda: is_over(call))
        assert signal_to_noise(HUM, phone.heard()) > 25
    finally:
        phone.stop()
        stranger.stop()


@pytest.mark.sip
def test_a_caller_who_holds_the_agent_is_left_alone_until_they_are_back(
    line: SipLine, phone: Phone, agent: Agent
) -> None:
    Agent.objects.filter(pk=agent.pk).update(silence_seconds=2.0)
    phone.dial("agent")
    call = answered()
    wait_until(lambda: "agent_heard" in kinds_of(call))
    phone.order("hold")
    time.sleep(3.5)  # longer than the agent's patience, and than sound may stay away
    assert "silence_prompted" not in kinds_of(call)
    phone.order("resume")
    wait_until(lambda: "silence_prompted" in kinds_of(call))
    phone.hang_up()
    wait_until(lambda: is_over(call))
    assert call.end_reason == "caller_hung_up"


def test_a_telephone_that_vanishes_is_a_lost_line(line: SipLine, phone: Phone) -> None:
    phone.dial("agent")
    call = answered()
    wait_until(lambda: "agent_heard" in kinds_of(call))  # sound came and went
    phone.process.send_signal(signal.SIGSTOP)
    wait_until(lambda: is_over(call))
    phone.process.send_signal(signal.SIGCONT)
    assert (call.status, call.end_reason) == ("completed", "line_lost")


@pytest.mark.sip
def test_a_gateway_that_stops_lets_calls_end_and_one_that_dies_ends_them(
    line: SipLine, phone: Phone, lab: Lab
) -> None:
    phone.dial("agent")
    call = answered()
    wait_until(lambda: "agent_said" in kinds_of(call))
    lab.gateway.process.terminate()
    phone.said("terminated")
    wait_until(lambda: is_over(call))
    assert call.end_reason == "server_restarted"
    wait_until(lambda: state_of(line) == "off")

    lab.gateway.stop()
    lab.start_gateway()
    wait_until(lambda: state_of(line) == "ready", seconds=30)
    phone.dial("agent")
    call = answered()
    lab.gateway.process.kill()
    killed = time.monotonic()
    wait_until(lambda: is_over(call))
    assert call.end_reason == "line_lost"
    assert time.monotonic() - killed < 3
    phone.process.kill()  # it would wait for an answer to its BYE
    lab.start_gateway()
    wait_until(lambda: state_of(line) == "ready", seconds=30)
