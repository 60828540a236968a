"""A registrar, a telephone, a web server and the gateway between them: started once for all tests of this
folder, on lines that each test makes for itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agents.models import Agent
from telephony.models import Call, SipLine
from tests.fakes.speech_service import SpeechService
from tests.mlservices.conftest import serving
from tests.telephony.conftest import Server, server_environment, start_server, wait_until

from .lab import (
    GatewayProcess,
    Phone,
    Registrar,
    chirp,
    free_sip_port,
    refuse_what_is_missing,
    silence,
)

SPEECH = chirp(1.0)
HUM = np.sin(2 * np.pi * 440 * np.arange(4800) / 8000) * 8000  # the voice of the stand-in for an agent
DICTION = np.concatenate([silence(1.0), SPEECH, silence(20.0)])


@dataclass
class Lab:
    registrar: Registrar
    server: Server
    folder: Path
    port: int  # of the gateway
    ml_port: int  # of a service that speaks
    gateway: GatewayProcess = field(init=False)

    @classmethod
    def start(cls, folder: Path, ml_port: int) -> Lab:
        refuse_what_is_missing()
        registrar = Registrar(folder / "registrar", free_sip_port())
        try:
            server = start_server()
        except RuntimeError:
            registrar.stop()
            raise
        lab = cls(registrar, server, folder, free_sip_port(), ml_port)
        lab.start_gateway()
        return lab

    def start_gateway(self) -> None:
        environment = {
            **server_environment(),
            "ML_PORT": str(self.ml_port),
            "SIP_ADDRESS": "127.0.0.1",
            "SIP_PORT": str(self.port),
            "SIP_RTP_TIMEOUT": "2",
            "SIP_CA_FILE": str(self.registrar.certificate),
        }
        self.gateway = GatewayProcess(self.folder, environment, server=self.server.url)

    def line(self, agent: Agent, *, user: str = "agent", password: str = "", **fields: Any) -> SipLine:
        line = SipLine(
            label=user,
            host="127.0.0.1",
            domain="sip.test",
            user=user,
            agent=agent,
            calls_per_second=50,
            **{"port": self.registrar.port, **fields},
        )
        line.set_password(password or f"pw-{user}")
        line.save()
        return line

    def stop(self) -> None:
        self.gateway.stop()
        self.server.kill()
        self.registrar.stop()


@pytest.fixture(scope="package")
def voice() -> SpeechService:
    """Of sentences that the gateway says itself."""
    return SpeechService()


@pytest.fixture(scope="package")
def lab(
    django_db_setup: None, tmp_path_factory: pytest.TempPathFactory, voice: SpeechService
) -> Iterator[Lab]:
    with serving(voice.app()) as url:
        lab = Lab.start(tmp_path_factory.mktemp("sip"), ml_port=int(url.rpartition(":")[2]))
        yield lab
        lab.stop()


@pytest.fixture
def line(transactional_db: None, agent: Agent, lab: Lab) -> SipLine:
    """Registered. It takes two calls, and may call the United States."""
    line = lab.line(agent, max_calls=2, countries=["US"])
    wait_until(lambda: state_of(line) == "ready", seconds=30)  # the gateway may just have been started
    return line


@pytest.fixture
def phone(line: SipLine, lab: Lab, tmp_path: Path) -> Iterator[Phone]:
    """Its owner lets the agent finish its greeting."""
    phone = Phone(tmp_path / "phone", lab.registrar, DICTION)
    yield phone
    phone.stop()


def state_of(line: SipLine) -> str:
    line.refresh_from_db()
    return line.state


def answered() -> Call:
    """The one call that is going on."""
    call = wait_until(lambda: Call.objects.filter(answered_at__isnull=False, ended_at=None).first())
    assert isinstance(call, Call)
    return call


def is_over(call: Call) -> bool:
    """And its recording is kept."""
    call.refresh_from_db()
    return call.ended_at is not None and call.held_at is None
