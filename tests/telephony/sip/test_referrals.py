"""Peers that pass our agent on to somebody else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from baresip.call import TransferRequest

from telephony.models import Call, SipLine
from telephony.sip.referrals import host_of, refusal
from tests.telephony.conftest import kinds_of, wait_until

from .conftest import DICTION, HUM, Lab, answered, is_over
from .lab import Phone, signal_to_noise
from .test_dialling import FACTS


def asked(target: str, method: str = "INVITE") -> TransferRequest:
    return TransferRequest(target=target, raw=f"<{target}>", replaces=False, method=method)


def test_a_line_is_passed_on_only_if_it_may_and_within_its_own_exchange() -> None:
    facts = replace(FACTS, takes_transfers=True)
    assert refusal(asked("sip:200@sip.example.org"), FACTS) == "the line does not take transfers."
    assert refusal(asked("sip:200@sip.example.org"), facts) == ""
    assert refusal(asked("sip:200@sip.example.org:5060;user=phone"), facts) == ""
    assert "leads away" in refusal(asked("sip:200@203.0.113.5"), facts)
    assert "leads away" in refusal(asked("tel:+14155550100"), facts)
    assert "something else" in refusal(asked("sip:200@sip.example.org", "BYE"), facts)


def test_a_host_is_read_from_any_address() -> None:
    assert host_of("sip:200@sip.example.org:5060;transport=tcp") == "sip.example.org"
    assert host_of("sip:200@[2001:db8::1]:5060") == "[2001:db8::1]"
    assert host_of("sip:sip.example.org") == ""


def transferred(phone: Phone, target: str) -> Call:
    """The call whose agent is passed on by the phone, which hangs up where that is refused."""
    phone.dial("agent")
    call = answered()
    wait_until(lambda: "agent_heard" in kinds_of(call))
    phone.order("transfer", target)
    return call


@pytest.mark.django_db(transaction=True)
@pytest.mark.alone
@pytest.mark.sip
def test_the_agent_goes_on_with_whom_its_peer_passes_it_on_to(
    line: SipLine, phone: Phone, lab: Lab, tmp_path: Path
) -> None:
    colleague = Phone(tmp_path / "colleague", lab.registrar, DICTION, user="colleague")
    try:
        call = transferred(phone, "sip:colleague@sip.test")
        lab.gateway.said("the line does not take transfers.")
        wait_until(lambda: is_over(call))

        SipLine.objects.filter(pk=line.pk).update(takes_transfers=True)
        call = transferred(phone, "sip:+19005550100@sip.test")
        lab.gateway.said("costs its callers extra")
        wait_until(lambda: is_over(call))
        assert "transfer_started" not in kinds_of(call)

        call = transferred(phone, "sip:colleague@sip.test")
        colleague.said("Call established")
        wait_until(lambda: "transfer_started" in kinds_of(call))
        said = call.events.filter(kind="agent_heard").count()
        wait_until(lambda: call.events.filter(kind="agent_heard").count() > said)
        colleague.hang_up()
        wait_until(lambda: is_over(call))
    finally:
        colleague.stop()
    passed_on = call.events.get(kind="transfer_started").payload
    assert (passed_on["number"], passed_on["reason"]) == ("colleague", "peer")
    assert (call.status, call.end_reason) == ("completed", "caller_hung_up")
    assert signal_to_noise(HUM, colleague.heard()) > 25
