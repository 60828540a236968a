"""An account with a Twilio of our own making."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from telephony.credentials import save_credential
from telephony.models import Credential
from tests.fakes.twilio_rest import SID, TOKEN, FakeTwilio


@pytest.fixture
def twilio(settings) -> Iterator[FakeTwilio]:
    fake = FakeTwilio()
    settings.TWILIO_API_URL = fake.url
    settings.PUBLIC_URL = "https://voice.example.org"
    yield fake
    fake.close()


@pytest.fixture
def account(db: None, twilio: FakeTwilio) -> Credential:
    return save_credential(provider="twilio", account=SID, secret=TOKEN, label="Main")
