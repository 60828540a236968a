"""API keys: `vf_sk_` and 32 hexadecimal digits, sent as `Authorization: Bearer KEY` to addresses under /api/.

The key is shown once, when it is made. Its first digits are its name in lists and in the ledger of usage.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from hmac import compare_digest
from ipaddress import ip_address, ip_network

from django.http import HttpRequest, HttpResponseBase

from mlservices.about import about
from mlservices.api.answers import refusal

from ..metrics.instruments import key_refusals
from ..models import ApiKey
from . import rates
from .address import address_of
from .key_rows import key_row

API = "/api/"
BEGINNING = "vf_sk_"
PREFIX_LENGTH = len(BEGINNING) + 8
_FORM = re.compile(rf"{BEGINNING}[0-9a-f]{{32}}")


class BadKey(Exception):
    """`why`; `key` is the id of one that was good once, or is elsewhere, "" of one that never was."""

    def __init__(self, why: str = "This API key is not known.", *, key: str = "") -> None:
        super().__init__(why)
        self.key = key


def found(key: str, address: str = "") -> ApiKey:
    """Whose key this is, for a request from this IP address; BadKey for one that opens nothing. Its person
    may do what its scopes say."""
    try:
        row = _row(key)
    except BadKey:
        key_refusals.labels("unknown").inc()
        raise
    if why := _why_not(row, address):
        key_refusals.labels("inactive").inc()
        raise BadKey(why, key=row.prefix)
    row.person.scopes = frozenset(row.scopes) if row.scopes else None
    row.person.asks_with = row.prefix
    return row


def _why_not(row: ApiKey, address: str) -> str:
    if row.revoked_at:
        return "This API key was revoked."
    if not row.opens:
        return "This API key has expired: take the one that replaced it, or make another."
    if not row.person.is_active:
        return "This API key is of somebody who may not sign in any more."
    if row.networks and not _within(address, row.networks):
        return (
            f"This API key is not taken from {address or 'here'}: its networks are set on the page of keys."
        )
    return ""


def _within(address: str, networks: list[str]) -> bool:
    try:
        given = ip_address(address)
    except ValueError:
        return False
    given = getattr(given, "ipv4_mapped", None) or given
    return any(given in ip_network(network) for network in networks)


def _row(key: str) -> ApiKey:
    if _FORM.fullmatch(key):
        row = key_row(key[:PREFIX_LENGTH])
        if row and compare_digest(row.digest, digest(key)):
            return row
    raise BadKey


def digest(key: str) -> str:
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
            row = found(key, address_of(request))
        except BadKey as error:
            request.refused_key = error.key  # type: ignore[attr-defined]
            return refusal(401, str(error))
        request.user = row.person
        request.api_key = row.prefix  # type: ignore[attr-defined]
        request.csrf_processing_done = True  # type: ignore[attr-defined]  # Django's own mark
        try:
            rate = rates.counted(row.prefix, row.requests_a_minute)
        except rates.Uncounted as error:
            return error.refusal()
        with about(key=row.prefix):
            if rate is None:
                return self._get_response(request)
            return rate.told(rate.refusal() or self._get_response(request))
