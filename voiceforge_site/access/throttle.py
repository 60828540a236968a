"""Guessing passwords is made slow: by account and by address, in the cache that all processes share.

Accounts that do not exist are treated the same, so that nothing is learnt of who has one.
"""

from __future__ import annotations

import hashlib
import time
from ipaddress import ip_address, ip_network

from django.core.cache import cache
from django.http import HttpRequest
from django.utils.translation import ngettext

from .address import address_of

FREE_FOR_ACCOUNT = 5  # wrong tries in a row that cost no waiting
FREE_FOR_ADDRESS = 20  # an office behind one address has more people who mistype
FIRST_WAIT = 30.0  # seconds, then twice as long with each wrong try
LONGEST_WAIT = 900.0
FORGOTTEN_AFTER = 3600.0  # seconds after the last wrong try


def wait_seconds(request: HttpRequest, username: str) -> float:
    """How long this account, or anybody at this address, must not try again; 0 for not at all."""
    now = time.time()
    return max(0.0, *(until - now for _tries, until in map(_known, _limits(request, username))))


def wrong_try(request: HttpRequest, username: str) -> None:
    """A password or code was wrong."""
    for key, free in _limits(request, username).items():
        tries = _known(key)[0] + 1
        over = tries - free
        wait = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(over, 20)) if over >= 0 else 0.0
        cache.set(key, (tries, time.time() + wait), wait + FORGOTTEN_AFTER)


def right_try(request: HttpRequest, username: str) -> None:
    """Somebody is in. The address keeps its tries: who has one account may still be guessing others'."""
    cache.delete(next(iter(_limits(request, username))))


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
    """Key in the cache: tries that are free. The account's comes first."""
    return {
        _key("account", username.strip().lower()): FREE_FOR_ACCOUNT,
        _key("address", _neighbourhood(address_of(request))): FREE_FOR_ADDRESS,
    }


def _known(key: str) -> tuple[int, float]:
    """(wrong tries, when the next may be)"""
    found: tuple[int, float] = cache.get(key, (0, 0.0))
    return found


def _key(kind: str, value: str) -> str:
    return f"sign-in:{kind}:{hashlib.sha256(value.encode()).hexdigest()}"


def _neighbourhood(address: str) -> str:
    """Of IPv6 the /64 that one customer has, else the address."""
    try:
        version = ip_address(address).version
    except ValueError:
        return address
    return address if version == 4 else str(ip_network(f"{address}/64", strict=False))
