from __future__ import annotations

import pytest
from cryptography.fernet import Fernet
from django.conf import settings

from agents.models import Agent
from mlservices.secret_box import UnreadableSecret
from telephony import actions
from telephony.credentials import save_credential, secret_of, seed_from_environment
from telephony.models import Credential, PhoneNumber

pytestmark = pytest.mark.django_db


def test_a_secret_is_stored_encrypted_and_read_back() -> None:
    save_credential(provider="twilio", account="AC1", secret="hush")
    credential = Credential.objects.get()
    assert "hush" not in credential.secret
    assert secret_of(credential) == "hush"


def test_a_new_key_in_front_reads_old_secrets_and_encrypts_new_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = (Fernet.generate_key().decode() for _ in range(2))
    monkeypatch.setattr(settings, "CREDENTIALS_KEYS", [old])
    save_credential(provider="twilio", account="AC1", secret="hush")
    monkeypatch.setattr(settings, "CREDENTIALS_KEYS", [new, old])
    assert secret_of(Credential.objects.get()) == "hush"
    save_credential(provider="twilio", account="AC1", secret="hush again")
    monkeypatch.setattr(settings, "CREDENTIALS_KEYS", [new])
    assert secret_of(Credential.objects.get()) == "hush again"


def test_a_lost_key_is_told_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    credential = save_credential(provider="twilio", account="AC1", secret="hush")
    monkeypatch.setattr(settings, "CREDENTIALS_KEYS", [Fernet.generate_key().decode()])
    with pytest.raises(UnreadableSecret, match="CREDENTIALS_KEY"):
        secret_of(credential)


def test_the_environment_gives_a_first_account_and_then_the_database_rules(
    agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert seed_from_environment(agent) == []
    monkeypatch.setattr(settings, "TWILIO_ACCOUNT_SID", "AC1")
    monkeypatch.setattr(settings, "TWILIO_AUTH_TOKEN", "first")
    monkeypatch.setattr(settings, "TWILIO_PHONE_NUMBER", "+14155550123")
    seed_from_environment(agent)
    monkeypatch.setattr(settings, "TWILIO_AUTH_TOKEN", "second")
    [credential] = seed_from_environment(agent)
    assert secret_of(credential) == "first"
    assert PhoneNumber.objects.get().number == "+14155550123"


def test_the_environment_gives_an_account_of_each_provider(
    agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "ZADARMA_API_KEY", "ZADARMA_API_SECRET"):
        monkeypatch.setattr(settings, name, name.lower())
    monkeypatch.setattr(settings, "TWILIO_PHONE_NUMBER", "")
    found = {(each.provider, each.account, secret_of(each)) for each in seed_from_environment(agent)}
    assert found == {
        ("twilio", "twilio_account_sid", "twilio_auth_token"),
        ("zadarma", "zadarma_api_key", "zadarma_api_secret"),
    }


def test_each_agent_has_one_line_of_the_simulators(agent: Agent) -> None:
    other = Agent.objects.create(name="Night desk", slug="night-desk", greeting="Hello.")
    first, again, another = (actions.ensure_simulator_line(one) for one in (agent, agent, other))
    assert first == again
    assert (first.agent, another.agent) == (agent, other)
    assert first.credential == another.credential
    assert len(secret_of(first.credential)) == 32
