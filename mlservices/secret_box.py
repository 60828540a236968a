"""Secrets at rest: encrypted in the database, in the clear only where they are used.

The first of settings.CREDENTIALS_KEYS encrypts, all of them decrypt. A new key goes in front; the old one
stays until `manage.py rotate_credentials` has encrypted each secret anew.
"""

from __future__ import annotations

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


class UnreadableSecret(Exception):
    """None of the keys opens it."""


def sealed(secret: str) -> str:
    return _box().encrypt(secret.encode()).decode()


def opened(ciphertext: str) -> str:
    """Raises UnreadableSecret."""
    try:
        return _box().decrypt(ciphertext.encode()).decode()
    except InvalidToken:
        raise UnreadableSecret("The secret was encrypted with another key.") from None


def reseal(ciphertext: str) -> str:
    """Encrypted with the first key, by whichever it was. Raises UnreadableSecret."""
    return sealed(opened(ciphertext))


def _box() -> MultiFernet:
    try:
        return MultiFernet([Fernet(key) for key in settings.CREDENTIALS_KEYS])
    except ValueError as error:
        raise ImproperlyConfigured(
            "CREDENTIALS_KEY: each key must be 32 bytes in URL-safe base64, "
            "as cryptography's Fernet.generate_key() makes them."
        ) from error
