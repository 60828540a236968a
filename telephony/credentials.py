"""The one door to providers' secrets: sealed at rest by `secret_box`, in the clear where they are used."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django.utils import timezone

from agents.e164 import as_e164
from agents.models import Agent
from mlservices import audit
from mlservices.secret_box import UnreadableSecret, opened, sealed

from .models import Credential, PhoneNumber

TOLD_EVERY = timedelta(minutes=1)


def save_credential(*, provider: str, account: str, secret: str, label: str = "") -> Credential:
    """Store an account's secret, in place of the one it had."""
    credential, _ = Credential.objects.update_or_create(
        provider=provider,
        account=account,
        defaults={"secret": sealed(secret), "label": label or account, "signed_at": None},
    )
    return credential


def secret_of(credential: Credential) -> str:
    """The secret in the clear. Raises UnreadableSecret."""
    try:
        return opened(credential.secret)
    except UnreadableSecret:
        raise UnreadableSecret(
            f"The secret of {credential.provider} account {credential.account} was encrypted with another "
            "key. Put that key into CREDENTIALS_KEY (after the new one), or enter the secret again."
        ) from None


def is_heard(credential: Credential) -> None:
    """A request in the account's name fitted its secret. One that does not says nothing of the account, since
    anybody may send it: that is logged and counted, and nothing here changes."""
    now = timezone.now()
    if credential.signed_at is None or now - credential.signed_at > TOLD_EVERY:
        Credential.objects.filter(pk=credential.pk).update(signed_at=now)


@transaction.atomic
def seed_from_environment(agent: Agent) -> list[Credential]:
    """First accounts of TWILIO_* and ZADARMA_*, and the number of TWILIO_PHONE_NUMBER, which `agent` answers.

    What is stored already stays as it is: the secret, and whoever answers the number. Raises
    ImproperlyConfigured for a number that is none.
    """
    given = [
        (Credential.Provider.TWILIO, settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN, ""),
        (Credential.Provider.ZADARMA, settings.ZADARMA_API_KEY, settings.ZADARMA_API_SECRET, "Zadarma"),
    ]
    seeded = [_first(*account) for account in given if account[1] and account[2]]
    for credential in seeded:
        if credential.provider == Credential.Provider.TWILIO and settings.TWILIO_PHONE_NUMBER:
            PhoneNumber.objects.get_or_create(
                number=_as_twilio_writes_it(settings.TWILIO_PHONE_NUMBER),
                defaults={"credential": credential, "agent": agent},
            )
    return seeded


def _first(provider: str, account: str, secret: str, label: str) -> Credential:
    if credential := Credential.objects.filter(provider=provider, account=account).first():
        return credential
    credential = save_credential(provider=provider, account=account, secret=secret, label=label)
    audit.record("account.added", credential, after={"account": account, "label": credential.label})
    return credential


def _as_twilio_writes_it(number: str) -> str:
    """E.164, by which a call's number is looked up."""
    if e164 := as_e164(number):
        return e164
    raise ImproperlyConfigured(
        f"TWILIO_PHONE_NUMBER: {number!r} is no phone number. "
        "Write it with + and the country code, like +14155550123."
    )
