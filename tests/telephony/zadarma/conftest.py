"""An account with Zadarma, on a server that answers as Zadarma does."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from agents.models import Agent
from telephony import actions
from telephony.credentials import save_credential
from telephony.eventlog import record_now
from telephony.models import Call, Credential, PhoneNumber
from telephony.providers.zadarma import wire
from telephony.providers.zadarma.client import ZadarmaClient
from telephony.providers.zadarma.limits import Limits
from telephony.session.events import CallRinging
from tests.fakes.zadarma import Zadarma, zadarma_server

_servers = count(1)


@pytest.fixture(scope="session")
def zadarma_process() -> Iterator[Zadarma]:
    with zadarma_server() as fake:
        yield fake


@pytest.fixture
def zadarma(zadarma_process: Zadarma) -> Zadarma:
    """With nothing in the account; its key is new, so that what others asked does not count."""
    fresh = Zadarma(key=f"KEY{next(_servers):017}", url=zadarma_process.url)
    vars(zadarma_process).update(vars(fresh))
    return zadarma_process


@pytest.fixture
def client(zadarma: Zadarma) -> ZadarmaClient:
    return ZadarmaClient(zadarma.key, zadarma.secret, url=zadarma.url, limits=Limits(statistics=100))


def new_call_back(number: PhoneNumber, agent: Agent, *, extension: str, callee: str) -> Call:
    """As the dialler leaves it a moment before Zadarma is asked."""
    fields = actions.ringing(
        agent, line="zadarma", direction=Call.Direction.OUTBOUND, caller=extension, callee=callee
    )
    call = Call.objects.create(
        line="zadarma",
        phone_number=number,
        paid_by=number.credential,
        status=Call.Status.QUEUED,
        most_seconds=14400,
        **fields,
    )
    record_now(call.pk, CallRinging())
    return call


@pytest.fixture
def asked_here(settings: Any, monkeypatch: pytest.MonkeyPatch, zadarma: Zadarma) -> None:
    settings.ZADARMA_API_URL = zadarma.url
    monkeypatch.setattr(wire, "limits_of", lambda url, key: Limits(statistics=100))  # or wait for minutes


@pytest.fixture
def credential(db: None, zadarma: Zadarma) -> Credential:
    return save_credential(provider="zadarma", account=zadarma.key, secret=zadarma.secret, label="Zadarma")


@pytest.fixture
def number(agent: Agent, credential: Credential) -> PhoneNumber:
    return PhoneNumber.objects.create(
        number="+442037691881", credential=credential, agent=agent, extension="100"
    )
