"""The one door to providers' secrets: encrypted at rest, in the clear only where they are used.

The first of settings.CREDENTIALS_KEYS encrypts, all of them decrypt: put a new key in front to rotate.
"""

from __future__ import annotations

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction

from .models import Credential, PhoneNumber


class UnreadableSecret(Exception):
    """None of the keys opens it."""


def _box() -> MultiFernet:
    try:
        return MultiFernet([Fernet(key) for key in settings.CREDENTIALS_KEYS])
    except ValueError as error:
        raise ImproperlyConfigured(
            "CREDENTIALS_KEY: each key must be 32 bytes in URL-safe base64, "
            "as cryptography's Fernet.generate_key() makes them."
        ) from error


def save_credential(*, provider: str, account: str, secret: str, label: str = "") -> Credential:
    """Store an account's secret, in place of the one it had."""
    credential, _ = Credential.objects.update_or_create(
        provider=provider,
        account=account,
        defaults={"secret": _box().encrypt(secret.encode()).decode(), "label": label or account},
    )
    return credential


def secret_of(credential: Credential) -> str:
    """The secret in the clear. Raises UnreadableSecret."""
    try:
        return _box().decrypt(credential.secret.encode()).decode()
    except InvalidToken:
        raise UnreadableSecret(
            f"The secret of {credential.provider} account {credential.account} was encrypted with another "
            "key. Put that key into CREDENTIALS_KEY (after the new one), or enter the secret again."
        ) from None


def rotate() -> int:
    """Encrypt every secret anew with the first key; how many there were."""
    credentials = list(Credential.objects.select_for_update())
    for credential in credentials:
        credential.secret = _box().rotate(credential.secret.encode()).decode()
    Credential.objects.bulk_update(credentials, ["secret"])
    return len(credentials)


@transaction.atomic
def seed_from_environment() -> Credential | None:
    """A first Twilio account of TWILIO_*; once one is stored, the database rules."""
    if not (settings.TWILIO_ACCOUNT_SID and settings.TWILIO_AUTH_TOKEN):
        return None
    known = Credential.objects.filter(
        provider=Credential.Provider.TWILIO, account=settings.TWILIO_ACCOUNT_SID
    ).first()
    if known:
        return known
    credential = save_credential(
        provider=Credential.Provider.TWILIO,
        account=settings.TWILIO_ACCOUNT_SID,
        secret=settings.TWILIO_AUTH_TOKEN,
    )
    if settings.TWILIO_PHONE_NUMBER:
        PhoneNumber.objects.get_or_create(
            number=settings.TWILIO_PHONE_NUMBER, defaults={"credential": credential}
        )
    return credential
