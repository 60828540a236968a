"""Addresses of other servers, as people write them."""

from __future__ import annotations

import ipaddress

import httpx


def url_of(text: str) -> httpx.URL:
    """An address that was written by somebody. Raises ValueError for what is none; httpx alone would take a
    name in Punycode that is none, and raise only when it is asked for the host."""
    try:
        url = httpx.URL(text)
        _ = url.host
    except httpx.InvalidURL as error:
        raise ValueError(str(error)) from None
    return url


def is_loopback(url: str) -> bool:
    """Whether the address is this machine's own, which no proxy of the network reaches."""
    try:
        host = url_of(url).host
    except ValueError:
        return False
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
