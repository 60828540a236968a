"""API keys: `vf_sk_` and 32 hexadecimal digits, sent as `Authorization: Bearer KEY` to addresses under /api/.

The key is shown once, when it is made. Its first digits are its name in lists and in the ledger of usage.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Callable
from datetime import timedelta
from hmac import compare_digest

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone

from mlservices.api.answers import refusal

from ..models import ApiKey, User
from . import rates

API = "/api/"
BEGINNING = "vf_sk_"
PREFIX_LENGTH = len(BEGINNING) + 8
USED_EVERY = timedelta(minutes=1)
_FORM = re.compile(rf"{BEGINNING}[0-9a-f]{{32}}")


class BadKey(Exception):
    """`revoked` tells a key that was good once from one that never was."""

    def __init__(self, revoked: bool = False) -> None:
        super().__init__("This API key was revoked." if revoked else "This API key is not known.")
        self.revoked = revoked


def create(name: str, person: User) -> tuple[ApiKey, str]:
    """The key's row, and the key in the clear: here alone."""
    while True:
        key = BEGINNING + secrets.token_hex(16)
        row = ApiKey(name=name, prefix=key[:PREFIX_LENGTH], digest=_digest(key), person=person)
        try:
            with transaction.atomic():
                row.save()
        except IntegrityError:  # another begins alike
            continue
        return row, key


def revoke(prefix: str) -> bool:
    """Whether there was such a key that still opened."""
    return ApiKey.objects.filter(prefix=prefix, revoked_at=None).update(revoked_at=timezone.now()) > 0


def found(key: str) -> ApiKey:
    """Whose key this is; BadKey for one that opens nothing."""
    row = _row(key)
    if row.revoked_at or not row.person.is_active:
        raise BadKey(revoked=True)
    now = timezone.now()
    long_ago = Q(last_used_at=None) | Q(last_used_at__lte=now - USED_EVERY)
    if row.last_used_at is None or row.last_used_at <= now - USED_EVERY:
        ApiKey.objects.filter(long_ago, pk=row.pk).update(last_used_at=now)
    return row


def _row(key: str) -> ApiKey:
    if _FORM.fullmatch(key):
        row = ApiKey.objects.select_related("person").filter(prefix=key[:PREFIX_LENGTH]).first()
        if row and compare_digest(row.digest, _digest(key)):
            return row
    raise BadKey


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def key_in(authorization: str) -> str | None:
    """What follows `Bearer` in this header; None if it says something else, or nothing."""
    scheme, _, key = authorization.partition(" ")
    return key.strip() if scheme.lower() == "bearer" else None


class ApiKeys:
    """Middleware, after the one that knows the session's user: who sends a key is the person it stands for.

    No page of another site can make a browser send this header, so nothing else is asked against that. A
    key that opens nothing is refused even to who is signed in: it was meant to be used.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        key = key_in(request.headers.get("Authorization", "")) if request.path.startswith(API) else None
        if key is None:
            return self._get_response(request)
        try:
            row = found(key)
        except BadKey as error:
            return refusal(401, str(error))
        request.user = row.person
        request.api_key = row.prefix  # type: ignore[attr-defined]
        request.csrf_processing_done = True  # type: ignore[attr-defined]  # Django's own mark
        rate = rates.counted(row.prefix)
        if rate is None:
            return self._get_response(request)
        return rate.told(rate.refusal() or self._get_response(request))
