"""Accounts: asked, limited, encrypted; what was done with one is written down."""

from __future__ import annotations

import json

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import ValidationError
from django.core.management import call_command

from mlservices.secret_box import opened
from telephony.actions import ensure_simulator_line
from telephony.lines.accounts import SECONDS, Dial, ProviderError, account_of
from telephony.lines.actions import (
    add_credential,
    asked,
    change_credential,
    check_credential,
    delete_credential,
    replace_secret,
)
from telephony.lines.forms import NumberForm
from telephony.lines.number_actions import import_numbers
from telephony.models import Call, Credential, PhoneNumber
from tests import trail
from tests.factories import make_agent
from tests.fakes.twilio_rest import SID, TOKEN, Refusal
from voiceforge_site.models import AuditEntry

pytestmark = pytest.mark.django_db


def test_an_account_is_asked_in_earnest_and_tells_what_it_is(twilio, account):
    twilio.own("+14155550123")
    assert check_credential(credential=account, by="alice")
    assert dict(account.facts) == {
        "Name": "Harbour Street", "Status": "active", "Kind": "Full", "Balance": "27.50 USD", "Numbers": "1",
    }  # fmt: skip
    assert account.problem == "" and account.checked_at and trail.verbs() == ["account.checked"]


def test_a_wrong_token_is_told_in_words_and_what_was_known_stays(twilio, account):
    check_credential(credential=account, by="alice")
    replace_secret(credential=account, secret="wrong", by="alice")
    account.refresh_from_db()
    assert not check_credential(credential=account, by="alice")
    assert "Copy both anew" in account.problem and account.facts
    assert "wrong" not in f"{account.problem}{list(AuditEntry.objects.values())}"


def test_a_provider_that_does_not_answer_is_given_up(twilio, account, monkeypatch):
    monkeypatch.setattr("telephony.lines.twilio.SECONDS", 0.2)
    twilio.seconds = 1
    assert not check_credential(credential=account, by="alice")
    assert "did not answer" in account.problem
    assert SECONDS == 10


def test_one_that_cannot_be_reached_is_told(account, settings):
    settings.TWILIO_API_URL = "http://127.0.0.1:9"
    assert not check_credential(credential=account, by="alice")
    assert "could not be reached" in account.problem


def test_an_account_is_set_up_once(account):
    with pytest.raises(ValidationError, match="already"):
        add_credential(provider="twilio", account=SID, secret="other", label="Twice", by="alice")
    assert opened(Credential.objects.get().secret) == TOKEN


def test_a_change_of_its_limits_is_written_down_with_what_was_before(account):
    change_credential(credential=account, by="alice", countries=["US", "CA"], label="Main")
    change_credential(credential=account, by="alice", label="Main")  # nothing changes
    entry = AuditEntry.objects.get()
    assert (entry.verb, entry.name) == ("account.changed", "alice")
    assert json.loads(entry.changes)["countries"] == [[], ["US", "CA"]]


def test_secrets_are_encrypted_with_the_newest_key(account, settings, capsys):
    old, new = settings.CREDENTIALS_KEYS[0], Fernet.generate_key().decode()
    settings.CREDENTIALS_KEYS = [new, old]
    call_command("rotate_credentials")
    settings.CREDENTIALS_KEYS = [new]
    account.refresh_from_db()
    assert opened(account.secret) == TOKEN and trail.verbs() == ["secret.rotated"]


def test_a_secret_that_no_key_opens_is_named_and_left(account, settings, capsys):
    sealed = account.secret
    settings.CREDENTIALS_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(SystemExit):
        call_command("rotate_credentials")
    account.refresh_from_db()
    assert account.secret == sealed and "Main" in capsys.readouterr().err


def test_an_account_goes_with_its_numbers_but_not_in_the_middle_of_a_call(twilio, account):
    number = account.numbers.create(number="+14155550123")
    call = Call.objects.create(agent=make_agent(), phone_number=number, line="twilio", direction="inbound")
    with pytest.raises(ValidationError, match="goes on"):
        delete_credential(credential=account, by="alice")
    Call.objects.filter(pk=call.pk).update(status="completed")
    delete_credential(credential=account, by="alice")
    assert not Credential.objects.exists() and Call.objects.exists()
    entry = trail.last()
    assert (entry.verb, entry.label, entry.name) == ("account.deleted", "Main", "alice")
    assert "+14155550123" in entry.changes


def test_what_a_provider_refused_is_written_down_with_the_reason(twilio, account):
    account = replace_secret(credential=account, secret="wrong", by="alice")
    with pytest.raises(ProviderError):
        import_numbers(credential=account, by="bob")
    entry = trail.last()
    assert (entry.verb, entry.name) == ("account.imported", "bob") and "Copy both anew" in entry.detail


def test_the_simulators_account_is_asked_nothing(db):
    simulated = ensure_simulator_line(make_agent()).credential
    assert not check_credential(credential=simulated, by="alice")
    with pytest.raises(ProviderError, match="with no provider"):
        import_numbers(credential=simulated, by="alice")


@pytest.mark.parametrize(
    "code, status, words, may_help",
    [
        (21215, 400, "Geo Permissions", False),
        (20429, 429, "asked too often", True),
        (99999, 503, "something new", True),
    ],
)
def test_what_it_refuses_is_told_as_something_to_do(twilio, account, code, status, words, may_help):
    twilio.own("+14155550123")
    twilio.refuses = Refusal(code, "something new", status)
    dial = Dial("+14155550111", "+14155550123", "https://a.test/", "https://b.test/", most_seconds=60)
    with pytest.raises(ProviderError, match=words) as raised:
        account_of(account).place(dial)
    assert (raised.value.code, raised.value.may_help) == (str(code), may_help)


def test_an_error_of_twilio_s_own_does_not_say_that_nothing_was_done(twilio, account):
    twilio.refuses = Refusal(20500, "Internal Server Error", 500)
    dial = Dial("+14155550188", "+14155550123", "https://x.example/", "https://x.example/", 60)
    with pytest.raises(ProviderError) as refused:
        asked(account).place(dial)
    assert refused.value.sent and refused.value.may_help


@pytest.mark.parametrize("number", ["+19005551234", "+442079460958"])
def test_callers_are_not_put_through_to_what_the_account_may_not_call_while_we_are_down(account, number):
    row = PhoneNumber.objects.create(number="+14155550123", credential=account, provider_id="PN1")
    form = NumberForm({"label": "", "after": "closed", "fallback_number": number}, instance=row)
    assert not form.is_valid() and "fallback_number" in form.errors
