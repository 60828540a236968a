"""Who may carry a call's sound: the bearer of its one-time token."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from mlservices.secret_box import UnreadableSecret

from .credentials import secret_of
from .models import Call, MediaToken
from .providers.base import Started
from .providers.twilio.signature import handshake_is_signed

VALID_FOR = timedelta(minutes=5)


class NotAdmitted(Exception):
    """`reason` is one of a few words, safe to log and to count."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def issue_token(call: Call) -> str:
    """A secret that admits one socket to this call, once; only its hash is kept."""
    token = secrets.token_urlsafe(32)
    MediaToken.objects.create(digest=_digest(token), call=call, expires_at=timezone.now() + VALID_FOR)
    return token


@transaction.atomic
def admit(started: Started, *, line: str, path: str, signature: str | None) -> Call:
    """The call that a socket may carry; its token is used up. Raises NotAdmitted.

    `signature` is that of the handshake, where there was one.
    """
    token = MediaToken.objects.filter(digest=_digest(started.token)).select_related("call__agent").first()
    if token is None:
        raise NotAdmitted("unknown_token")
    call = token.call
    if call.line != line or call.provider_call_id != started.provider_call_id:
        raise NotAdmitted("token_of_another_call")
    if signature is not None and not _signed(call, path, signature):
        raise NotAdmitted("forged_signature")
    if not call.is_live or call.ended_at:
        raise NotAdmitted("call_is_over")
    now = timezone.now()
    unused = MediaToken.objects.filter(pk=token.pk, used_at=None)
    if unused.filter(expires_at__gt=now).update(used_at=now):
        return call
    raise NotAdmitted("expired_token" if unused.exists() else "used_token")


def _signed(call: Call, path: str, signature: str) -> bool:
    if call.phone_number is None:
        return False
    try:
        return handshake_is_signed(path, signature, secret_of(call.phone_number.credential))
    except UnreadableSecret:
        return False


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
