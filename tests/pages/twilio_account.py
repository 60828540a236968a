"""An account with a Twilio of our own making, and its number."""

from __future__ import annotations

import pytest
from django.http import HttpResponse

from telephony.credentials import save_credential
from telephony.models import Credential, PhoneNumber
from tests.fakes.twilio_rest import SID, TOKEN, FakeTwilio


@pytest.fixture
def twilio(settings):
    fake = FakeTwilio()
    settings.TWILIO_API_URL = fake.url
    settings.PUBLIC_URL = "https://voice.example.org"
    yield fake
    fake.close()


@pytest.fixture
def account(twilio) -> Credential:
    return save_credential(provider="twilio", account=SID, secret=TOKEN, label="Main")


@pytest.fixture
def number(twilio, account) -> PhoneNumber:
    row = twilio.own("+14155550123")
    return PhoneNumber.objects.create(number="+14155550123", credential=account, provider_id=row["sid"])


def told(response: HttpResponse) -> str:
    return response.content.decode()
