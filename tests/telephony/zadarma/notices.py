"""What Zadarma tells of calls, and the account and the number that it tells it of."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client

from agents.models import Agent
from telephony.credentials import save_credential
from telephony.models import Credential, PhoneNumber
from tests.fakes.zadarma import signature

SECRET = "SECRET0123456789abcd"
NOW = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}"
IN = {
    "pbx_call_id": "in_1",
    "call_start": NOW,
    "caller_id": "442037691880",
    "called_did": "442037691881",
}
OUT = {
    "pbx_call_id": "out_1",
    "call_start": NOW,
    "internal": "100",
    "destination": "442037691880",
    "caller_id": "442037691881",
}
END = {"duration": "42", "disposition": "answered", "status_code": "16", "is_recorded": "0"}


@pytest.fixture
def credential(db: None) -> Credential:
    return save_credential(provider="zadarma", account="KEY0123456789abcdef0", secret=SECRET, label="Zadarma")


@pytest.fixture
def number(agent: Agent, credential: Credential) -> PhoneNumber:
    return PhoneNumber.objects.create(
        number="+442037691881", credential=credential, agent=agent, extension="100"
    )


def post(credential: Credential, event: str, signed: str | None = None, **fields: str) -> Any:
    form = {"event": event, **fields}
    signed = signature(form, SECRET) if signed is None else signed
    headers = {"Signature": signed} if signed else {}
    return Client(enforce_csrf_checks=True).post(f"/webhooks/zadarma/{credential.pk}/", form, headers=headers)
