"""Guessing passwords is made slow: by account and by address, in rows that tries at once cannot overwrite.

Accounts that do not exist are treated the same, so that nothing is learnt of who has one.
"""

from __future__ import annotations

import hashlib
import time
from ipaddress import ip_address, ip_network

from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import ngettext

from ..models import WrongTries
from .address import address_of

FREE_FOR_ACCOUNT = 5  # wrong tries in a row that cost no waiting
FREE_FOR_ADDRESS = 20  # an office behind one address has more people who mistype
FIRST_WAIT = 30.0  # seconds, then twice as long with each wrong try
LONGEST_WAIT = 900.0
FORGOTTEN_AFTER = 3600.0  # seconds after the last wrong try


def wait_seconds(request: HttpRequest, username: str) -> float:
    """How long this account, or anybody at this address, must not try again; 0 for not at all."""
    rows = WrongTries.objects.filter(key__in=_limits(request, username))
    return max(0.0, *(row.until - time.time() for row in rows), 0.0)


def wrong_try(request: HttpRequest, username: str) -> None:
    """A password or code was wrong."""
    WrongTries.objects.filter(forgotten__lt=time.time()).delete()
    for key, free in _limits(request, username).items():
        with transaction.atomic():
            WrongTries.objects.get_or_create(key=key)
            row = WrongTries.objects.select_for_update().get(key=key)
            row.tries += 1
            over = row.tries - free
            wait = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(over, 20)) if over >= 0 else 0.0
            row.until = time.time() + wait
            row.forgotten = row.until + FORGOTTEN_AFTER
            row.save()


def right_try(request: HttpRequest, username: str) -> None:
    """Somebody is in. The address keeps its tries: who has one account may still be guessing others'."""
    WrongTries.objects.filter(key=next(iter(_limits(request, username)))).delete()


def waiting_words(seconds: float) -> str:
    whole = max(1, round(seconds))
    if whole <= 90:
        return ngettext(
            "Too many wrong tries. Wait %(count)d second, then try again.",
            "Too many wrong tries. Wait %(count)d seconds, then try again.",
            whole,
        ) % {"count": whole}
    minutes = -(-whole // 60)
    return ngettext(
        "Too many wrong tries. Wait %(count)d minute, then try again.",
        "Too many wrong tries. Wait %(count)d minutes, then try again.",
        minutes,
    ) % {"count": minutes}


def _limits(request: HttpRequest, username: str) -> dict[str, int]:
    """Key: tries that are free. The account's comes first."""
    return {
        _key("account", username.strip().lower()): FREE_FOR_ACCOUNT,
        _key("address", _neighbourhood(address_of(request))): FREE_FOR_ADDRESS,
    }


def _key(kind: str, value: str) -> str:
    return f"sign-in:{kind}:{hashlib.sha256(value.encode()).hexdigest()}"


def _neighbourhood(address: str) -> str:
    """Of IPv6 the /64 that one customer has, else the address."""
    try:
        version = ip_address(address).version
    except ValueError:
        return address
    return address if version == 4 else str(ip_network(f"{address}/64", strict=False))
