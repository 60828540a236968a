"""Accounts with providers, asked for real: by a server that answers as Twilio does."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest
from asgiref.sync import async_to_sync
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from mlservices.checks.probing import ask
from telephony.actions import ensure_simulator_line
from telephony.checks import KEY_BACK, accounts
from telephony.credentials import save_credential
from telephony.models import Credential
from tests.factories import make_agent
from tests.fakes.zadarma import zadarma_server
from tests.mlservices.conftest import serving

pytestmark = pytest.mark.django_db
STATUS = {"AC1": "active", "AC2": "suspended"}


async def account(request):
    sid, secret = base64.b64decode(request.headers["authorization"].split()[1]).decode().split(":")
    if secret != "right-token":
        return JSONResponse({"code": 20003, "message": "Authenticate"}, status_code=401)
    return JSONResponse({"sid": sid, "status": STATUS[sid]})


@pytest.fixture(scope="module")
def twilio():
    with serving(Starlette(routes=[Route("/2010-04-01/Accounts/{sid}.json", account)])) as url:
        yield url


@pytest.fixture
def check(settings, twilio):
    def check(**fields):
        known = {"provider": "twilio", "account": "AC1", "secret": "right-token", "label": "Main line"}
        save_credential(**known | fields)
        [service] = accounts()
        return async_to_sync(ask)(service)

    settings.TWILIO_API_URL = twilio
    return check


def test_an_account_that_is_there_and_takes_the_secret(check):
    report = check()
    assert (report.status, report.service.about) == ("pass", "Main line")
    assert [outcome.words for outcome in report.outcomes] == [
        "Active, and it takes the secret",
        "None has come with this secret yet",
    ]


def test_a_secret_that_is_refused_is_told_and_not_shown(check):
    outcome = check(secret="wrong-token").outcomes[0]
    assert (outcome.status, outcome.words) == ("fail", "It does not take the key (HTTP 401)")
    assert "Enter the account's secret again" in outcome.remedy


def test_an_account_that_was_suspended(check):
    assert check(account="AC2").outcomes[0].words == "Twilio says that the account is “suspended”"


def test_a_secret_that_cannot_be_read_asks_for_its_key(check):
    save_credential(provider="twilio", account="AC1", secret="right-token")
    Credential.objects.update(secret="of another key")
    [service] = accounts()
    outcome = async_to_sync(ask)(service).outcomes[0]
    assert (outcome.status, outcome.remedy) == ("fail", KEY_BACK)


def test_webhooks_that_fit_are_told_of_by_the_newest(check):
    check()
    words = []
    for signed_at in (None, datetime(2026, 3, 4, 9, 30, tzinfo=UTC)):
        Credential.objects.update(signed_at=signed_at)
        [service] = accounts()
        outcome = async_to_sync(ask)(service).outcomes[1]
        assert outcome.status == "pass"
        words.append(outcome.words)
    assert words == [
        "None has come with this secret yet",
        "The newest that fits the secret came at 2026-03-04 09:30 UTC",
    ]


def test_the_simulators_account_is_nobodys(db):
    ensure_simulator_line(make_agent())
    assert not list(accounts())


@pytest.mark.parametrize(
    ("balance", "secret", "status", "words"),
    [
        (10.34, "SECRET0123456789abcd", "pass", "It takes the key; %(amount)s %(currency)s are left"),
        (0, "SECRET0123456789abcd", "warn", "It takes the key, and has no money left"),
        (10.34, "another", "fail", "Its balance cannot be read. %(problem)s"),
    ],
)
def test_zadarmas_account_is_asked_for_its_balance(settings, zadarma, balance, secret, status, words):
    zadarma.balance, settings.ZADARMA_API_URL = balance, zadarma.url
    save_credential(provider="zadarma", account=zadarma.key, secret=secret, label="Reception")
    [service] = accounts()
    report = async_to_sync(ask)(service)
    assert (report.outcomes[0].status, report.outcomes[0].reason) == (status, words)
    assert zadarma.key.lower() not in f"{service.key} {service.about}".lower()


@pytest.fixture
def zadarma():
    with zadarma_server() as fake:
        yield fake
