"""Signatures as Standard Webhooks have them (standardwebhooks.com): HMAC-SHA256 of id, time and body."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence

PREFIX = "whsec_"
SECRET_BYTES = 32


def new_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def signature(secret: str, *, uid: str, seconds: int, body: str) -> str:
    """`seconds` since 1970, as in the header beside it."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signed = hmac.new(key, f"{uid}.{seconds}.{body}".encode(), hashlib.sha256).digest()
    return "v1," + base64.b64encode(signed).decode()


def headers(with_secrets: Sequence[str], *, uid: str, seconds: int, body: str) -> dict[str, str]:
    """Signed with each of the secrets: a receiver needs to know one of them."""
    signatures = [signature(secret, uid=uid, seconds=seconds, body=body) for secret in with_secrets]
    return {
        "webhook-id": uid,
        "webhook-timestamp": str(seconds),
        "webhook-signature": " ".join(signatures),
        "Content-Type": "application/json",
    }
