"""A registrar, a telephone, a web server and the gateway between them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from agents.models import Agent
from telephony.models import SipLine
from tests.telephony.conftest import Server, free_port, server_environment, start_server, wait_until

from .lab import GatewayProcess, Phone, Registrar, chirp, refuse_what_is_missing, silence


@dataclass
class Lab:
    registrar: Registrar
    server: Server
    gateway: GatewayProcess
    line: SipLine
    folder: Path

    def phone(self, codec: str = "pcma") -> Phone:
        """Its owner lets the agent finish its greeting."""
        speech = np.concatenate([silence(1.5), chirp(2.0), silence(20.0)])
        return Phone(self.folder / "phone", self.registrar, speech, (free_port(), free_port()), codec)


def make_line(
    agent: Agent, port: int, *, user: str = "agent", password: str = "", **fields: object
) -> SipLine:
    line = SipLine(
        label=user, host="127.0.0.1", port=port, domain="sip.test", user=user, agent=agent, **fields
    )
    line.set_password(password or f"pw-{user}")
    line.save()
    return line


def gateway_environment() -> dict[str, str]:
    return {
        **server_environment(),
        "SIP_ADDRESS": "127.0.0.1",
        "SIP_PORT": str(free_port()),
        "SIP_RTP_TIMEOUT": "3",
    }


def is_ready(line: SipLine) -> bool:
    line.refresh_from_db()
    return line.state == SipLine.State.READY


@pytest.fixture
def registrar(tmp_path: Path) -> Iterator[Registrar]:
    refuse_what_is_missing()
    registrar = Registrar(tmp_path / "registrar", free_port())
    yield registrar
    registrar.stop()


@pytest.fixture
def lab(transactional_db: None, agent: Agent, registrar: Registrar, tmp_path: Path) -> Iterator[Lab]:
    """Its line is registered."""
    line = make_line(agent, registrar.port)
    server = start_server()
    gateway = GatewayProcess(tmp_path, gateway_environment(), server=server.url)
    try:
        wait_until(lambda: is_ready(line))
        yield Lab(registrar, server, gateway, line, tmp_path)
    finally:
        gateway.stop()
        server.kill()


@pytest.fixture
def phone(lab: Lab) -> Iterator[Phone]:
    phone = lab.phone()
    yield phone
    phone.stop()
