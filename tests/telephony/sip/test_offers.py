"""Calls as SIPp makes them: by one codec alone, thirty at once, and such as are given up."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import pytest

from agents.models import Agent
from telephony.models import Call, PhoneNumber, SipLine
from tests.fakes.speech_service import SpeechService
from tests.telephony.conftest import kinds_of, wait_until

from .conftest import Lab, state_of
from .lab import HERE, free_sip_port

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.alone]


@pytest.fixture
def trunk(line: SipLine, lab: Lab, agent: Agent) -> SipLine:
    """Of 127.0.0.1, for thirty calls."""
    trunk = lab.line(agent, user="trunk", registers=False, allowed_peers="127.0.0.1", max_calls=30)
    wait_until(lambda: state_of(trunk) == "ready")
    return trunk


UNTIL_WE_HANG_UP = """<recv request="BYE"/><send><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0
]]></send></scenario>"""


def scenario() -> str:
    """SIPp's own of a caller, who offers PCMU."""
    return subprocess.run(["sipp", "-sd", "uac"], capture_output=True, text=True, check=False).stdout


def rung(lab: Lab, folder: Path, text: str, *more: str, user: str = "trunk") -> int:
    (folder / "caller.xml").write_text(text)
    ours = ["-i", "127.0.0.1", "-p", str(free_sip_port()), "-s", user, "-nostdin", "-timeout", "20"]
    command = ["sipp", f"127.0.0.1:{lab.port}", "-sf", str(folder / "caller.xml"), *ours, *more]
    return subprocess.run(command, capture_output=True, timeout=30).returncode


def all_over(count: int) -> bool:
    return Call.objects.filter(ended_at__isnull=False, held_at=None).count() == count


@pytest.mark.parametrize(("kind", "name"), [("0", "PCMU"), ("8", "PCMA")])
def test_either_codec_alone_is_enough(trunk: SipLine, lab: Lab, tmp_path: Path, kind: str, name: str) -> None:
    offer = (
        scenario().replace("RTP/AVP 0", f"RTP/AVP {kind}").replace("rtpmap:0 PCMU", f"rtpmap:{kind} {name}")
    )
    assert f"{kind} {name}" in offer
    assert rung(lab, tmp_path, offer, "-m", "1", "-d", "300") == 0
    wait_until(lambda: all_over(1))
    assert Call.objects.get().status == "completed"


def test_thirty_calls_at_once_are_answered(trunk: SipLine, lab: Lab, tmp_path: Path) -> None:
    assert rung(lab, tmp_path, scenario(), "-m", "30", "-l", "30", "-r", "30", "-d", "1500") == 0
    wait_until(lambda: all_over(30), seconds=20)
    assert not Call.objects.exclude(status="completed").exists()


def test_callers_who_give_up_before_they_are_answered_leave_their_line_free(
    line: SipLine, lab: Lab, tmp_path: Path
) -> None:
    gives_up = (HERE / "gives_up.xml").read_text()
    one_more_than_the_line_takes = ("-m", str(line.max_calls + 1), "-l", "1", "-r", "10")
    lab.server.process.send_signal(signal.SIGSTOP)  # so that it takes its time, and callers hear it ring
    try:
        assert rung(lab, tmp_path, gives_up, *one_more_than_the_line_takes, user="agent") == 0
        wait_until(
            lambda: Call.objects.filter(ended_at__isnull=False).count() == line.max_calls + 1, seconds=2
        )
    finally:
        lab.server.process.send_signal(signal.SIGCONT)
    assert rung(lab, tmp_path, scenario(), "-m", "1", "-d", "100", user="agent") == 0  # by then it is awake
    wait_until(lambda: all_over(line.max_calls + 2))
    *given_up, taken = Call.objects.order_by("created_at")
    assert taken.status == "completed"
    for call in given_up:
        assert (call.status, call.end_reason, call.answered_at) == ("canceled", "never_connected", None)
        assert kinds_of(call) == ["call_ringing", "provider_status_received", "call_ended"]


def test_after_hours_a_caller_is_told_so_and_hung_up(
    trunk: SipLine, number: PhoneNumber, lab: Lab, voice: SpeechService, tmp_path: Path
) -> None:
    PhoneNumber.objects.update(hours={"timezone": "UTC", "week": {}})
    rings = scenario().replace("To: [service] <sip:[service]@", f"To: <sip:{number.number}@")
    assert number.number in rings
    assert rung(lab, tmp_path, rings.partition("<pause")[0] + UNTIL_WE_HANG_UP, "-m", "1") == 0
    assert [text for _voice, text in voice.said] == ["We're closed right now. Goodbye."]
    assert not Call.objects.exists()
