"""What no peer should send: SIP_FUZZ messages of each kind, some hundreds by themselves.

SIP_FUZZ=10000 .venv/bin/pytest tests/telephony/sip/test_fuzz.py
"""

from __future__ import annotations

import asyncio
import os
import random
import socket
import time
from pathlib import Path

import numpy as np
import orjson
import pytest
from asgiref.sync import sync_to_async

from agents.models import Agent
from telephony.models import Call, SipLine
from telephony.providers.base import WireEvent
from telephony.providers.sip.codec import SipCodec
from telephony.sip import records
from telephony.switchboard import Switchboard
from tests.telephony.conftest import kinds_of, wait_until
from tests.telephony.test_sockets import Socket, exchange

from .conftest import HUM, Lab, answered, is_over, state_of
from .lab import Phone, chirp, free_sip_port, signal_to_noise, silence
from .mutations import Mutator

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.alone]

COUNT = int(os.environ.get("SIP_FUZZ", "400"))
SEED = int(os.environ.get("SIP_FUZZ_SEED", "1"))
ASK_EVERY = 100  # messages, a good one is to be answered
TCP_SHARE = 0.1


class Attacker:
    """Sends by UDP, and some by TCP; asks in between whether anybody is still there."""

    def __init__(self, user: str, gateway_port: int) -> None:
        self._port = free_sip_port()
        self._there = ("127.0.0.1", gateway_port)
        self._udp = socket.socket(type=socket.SOCK_DGRAM)
        self._udp.bind(("127.0.0.1", self._port))
        self._mutator = Mutator(SEED, user=user, port=self._port, gateway_port=gateway_port)
        self._random = random.Random(SEED)

    def send(self, count: int) -> None:
        for number in range(count):
            if self._random.random() < TCP_SHARE:
                self._by_tcp()
            else:
                self._udp.sendto(self._mutator.message("UDP")[:60_000], self._there)
            if number % ASK_EVERY == 0:
                self.ask(f"ask-{number}")

    def _by_tcp(self) -> None:
        with socket.create_connection(self._there, timeout=5) as stream:
            for _ in range(self._random.randint(1, 4)):
                try:
                    stream.sendall(self._mutator.message("TCP"))
                except OSError:  # the gateway has had enough of it
                    return

    def ask(self, call_id: str) -> None:
        """Fails if a good OPTIONS is not answered in time."""
        question = self._mutator.good("UDP", "OPTIONS", call_id=call_id, to_tag="")
        self._udp.settimeout(5)
        self._udp.sendto(question, self._there)
        deadline = time.monotonic() + 5
        while f"Call-ID: {call_id}".encode() not in (answer := self._udp.recv(65_536)):
            assert time.monotonic() < deadline
        assert answer.startswith(b"SIP/2.0 ")

    def close(self) -> None:
        self._udp.close()


@pytest.fixture
def talkative(line: SipLine, lab: Lab, tmp_path: Path) -> object:
    phone = Phone(tmp_path / "talkative", lab.registrar, np.concatenate([silence(1.0), chirp(1.0)] * 200))
    yield phone
    phone.stop()


@pytest.mark.sip
def test_a_call_outlives_whatever_messages_come_and_no_other_is_stuck(
    line: SipLine, talkative: Phone, lab: Lab, agent: Agent
) -> None:
    trunk = lab.line(agent, user="trunk", registers=False, allowed_peers="127.0.0.1", max_calls=3)
    wait_until(lambda: state_of(trunk) == "ready")
    logged = lab.gateway.log.stat().st_size
    talkative.dial("agent")
    call = answered()
    attacker = Attacker("trunk", lab.port)
    try:
        attacker.send(COUNT)
        attacker.ask("the-last")
    finally:
        attacker.close()

    others = Call.objects.exclude(pk=call.pk)
    wait_until(lambda: not others.filter(ended_at=None).exists(), seconds=60)
    said = call.events.filter(kind="caller_said").count()
    wait_until(lambda: call.events.filter(kind="caller_said").count() > said)
    talkative.hang_up()
    wait_until(lambda: is_over(call))
    assert call.end_reason == "caller_hung_up"
    assert signal_to_noise(HUM, talkative.heard()) > 25

    talkative.dial("agent")
    again = answered()
    wait_until(lambda: "agent_heard" in kinds_of(again))
    talkative.hang_up()
    wait_until(lambda: is_over(again))
    assert lab.gateway.process.poll() is None
    assert b"Traceback" not in lab.gateway.log.read_bytes()[logged:]


# ---- the gateway's own socket -------------------------------------------------------------------

_WORDS = ("start", "mark", "digit", "stop", "hold", "keys", "", "x" * 9000)
_VALUES = (None, True, 0, -1, 2**63, 1.5, "", "5", "é\0", [], [[]], {}, {"type": "stop"}, "9" * 70_000)
_TEXTS = ("{", "null", "[]", "[" * 5000, '{"type":', "\0", "1e999", '"\\ud800"')
MOST_ON_A_SOCKET = 100


def odd_message(chance: random.Random) -> str | bytes:
    match chance.randrange(4):
        case 0:
            return chance.randbytes(chance.choice((1, 2, 319, 320, 321, 5000)))
        case 1:
            return chance.choice(_TEXTS)
        case _:
            names = [name for name in ("token", "name", "digit", "held") if chance.random() < 0.6]
            message = {name: chance.choice(_VALUES) for name in names}
            return orjson.dumps({**message, "type": chance.choice((*_WORDS, *_VALUES))}).decode()


def test_the_codec_reads_whatever_comes() -> None:
    chance, codec = random.Random(SEED), SipCodec()
    for _ in range(max(COUNT, 10_000)):
        assert isinstance(codec.decode(odd_message(chance)), WireEvent)


async def one_socket(board: Switchboard, line: SipLine, chance: random.Random, messages: int) -> Call:
    """Admitted, it says so many of them, and leaves if it has not been closed by then."""
    called = f"{chance.getrandbits(64):x}@there"
    told = await sync_to_async(records.announce)(line.pk, sip_call_id=called, caller="+1", callee="100")
    assert told
    socket = Socket("sip", board)
    socket.say({"type": "start", "token": told.token, "provider_call_id": called})
    for _ in range(messages):
        socket.say(odd_message(chance))
    socket.leave()
    async with asyncio.timeout(10):
        await socket.task
        while board.calls:
            await asyncio.sleep(0.01)
    return await Call.objects.aget(pk=told.call_id)


async def test_a_socket_ends_its_call_whatever_it_says(agent: Agent) -> None:
    chance, board = random.Random(SEED), exchange()
    line = await SipLine.objects.acreate(label="Desk", host="sip.example.org", user="100", agent=agent)
    left = COUNT
    while left > 0:
        messages = min(left, chance.randint(1, MOST_ON_A_SOCKET))
        call = await one_socket(board, line, chance, messages)
        assert call.ended_at
        assert call.end_reason in ("caller_hung_up", "line_lost")
        left -= messages
