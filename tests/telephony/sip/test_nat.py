"""A gateway behind a router, which a server outside tells the address that the world sees."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator

import pytest
from django.core.exceptions import ValidationError

from agents.models import Agent
from telephony.models import SipLine
from telephony.sip.accounts import save_line
from tests.telephony.conftest import wait_until

from .conftest import Lab, state_of
from .lab import free_sip_port
from .mutations import Mutator

OUTSIDE, OUTSIDE_PORT = "203.0.113.9", 40_000
COOKIE = 0x2112A442
BINDING, BOUND, XOR_MAPPED_ADDRESS = 0x0001, 0x0101, 0x0020


def bound(request: bytes) -> bytes:
    """The answer to a STUN Binding request (RFC 8489)."""
    kind, _, cookie = struct.unpack_from("!HHI", request)
    assert (kind, cookie) == (BINDING, COOKIE)
    address = int.from_bytes(socket.inet_aton(OUTSIDE))
    value = struct.pack("!BBHI", 0, 1, OUTSIDE_PORT ^ (COOKIE >> 16), address ^ COOKIE)
    attribute = struct.pack("!HH", XOR_MAPPED_ADDRESS, len(value)) + value
    return struct.pack("!HHI", BOUND, len(attribute), COOKIE) + request[8:20] + attribute


@pytest.fixture
def stun_server() -> Iterator[str]:
    channel = socket.socket(type=socket.SOCK_DGRAM)
    channel.bind(("127.0.0.1", 0))
    channel.settimeout(0.1)
    over = threading.Event()

    def serve() -> None:
        while not over.is_set():
            try:
                request, peer = channel.recvfrom(2048)
            except TimeoutError:
                continue
            channel.sendto(bound(request), peer)

    thread = threading.Thread(target=serve)
    thread.start()
    yield f"127.0.0.1:{channel.getsockname()[1]}"
    over.set()
    thread.join()
    channel.close()


def described(lab: Lab, user: str) -> str:
    """The 200 with which the gateway answers a call straight to it; nobody acknowledges it."""
    port = free_sip_port()
    with socket.socket(type=socket.SOCK_DGRAM) as caller:
        caller.bind(("127.0.0.1", port))
        caller.settimeout(10)
        mutator = Mutator(1, user=user, port=port, gateway_port=lab.port)
        invite = mutator.good("UDP", "INVITE", to_tag="", call_id=user)
        caller.sendto(invite, ("127.0.0.1", lab.port))
        while not (answer := caller.recv(65_536).decode()).startswith("SIP/2.0 200"):
            pass
        return answer


@pytest.mark.django_db(transaction=True)
@pytest.mark.alone
@pytest.mark.sip
def test_sound_is_asked_for_at_the_address_outside(
    line: SipLine, lab: Lab, agent: Agent, stun_server: str
) -> None:
    inside = lab.line(agent, user="inside", registers=False, allowed_peers="127.0.0.1")
    behind = lab.line(
        agent,
        user="behind",
        registers=False,
        allowed_peers="127.0.0.1",
        nat="stun",
        stun_server=stun_server,
    )
    wait_until(lambda: (state_of(inside), state_of(behind)) == ("ready", "ready"))
    assert "c=IN IP4 127.0.0.1" in described(lab, "inside")
    answer = described(lab, "behind")
    assert f"c=IN IP4 {OUTSIDE}" in answer
    assert f"m=audio {OUTSIDE_PORT} " in answer


def test_a_way_through_a_router_needs_a_server_that_tells_the_address(db: None) -> None:
    known = {"host": "sip.example.org", "user": "100"}
    with pytest.raises(ValidationError, match="Name the server"):
        save_line(label="Desk", nat="stun", **known)
    for wrong in ("stun:stun.example.org", "stun.example.org;x=1", "two words", "a:1:2"):
        with pytest.raises(ValidationError, match="Write a name or an address"):
            save_line(label="Desk", nat="ice", stun_server=wrong, **known)
    for right in ("stun.example.org", "192.0.2.7:3478", "[2001:db8::1]:3478"):
        assert save_line(label="Desk", nat="ice", stun_server=right, **known).pk
