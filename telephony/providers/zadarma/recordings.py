"""Recordings that Zadarma keeps: files behind addresses that open without a key, for a while."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import httpx

from mlservices.clients.addresses import is_loopback, url_of
from mlservices.clients.http import Client, certificates

from ..sounds import sound_kind
from .errors import ZadarmaError
from .wire import read_body

PATIENCE_SECONDS = 120.0
LARGEST = 128 * 2**20  # bytes: some nine hours
LATER = "Recordings are there some 40 seconds after a call. Try again."


@dataclass(frozen=True, slots=True)
class Sound:
    kind: str  # "mp3" or "wav"
    content: bytes = field(repr=False)


async def download(link: str, *, api: str) -> Sound:
    """Raises ZadarmaError for a link that leads elsewhere, a file that was cut short, or is no sound."""
    if not _is_zadarmas(link, httpx.URL(api)):
        raise ZadarmaError("The recording's address leads to somebody who is not Zadarma.", permanent=True)
    try:
        async with (
            asyncio.timeout(PATIENCE_SECONDS),
            Client(verify=certificates(), timeout=15.0, trust_env=not is_loopback(link)) as client,
            client.stream("GET", link, headers={"Accept-Encoding": "identity"}) as response,
        ):
            content = await read_body(response, LARGEST)
    except (TimeoutError, httpx.HTTPError) as error:
        raise ZadarmaError(f"The recording did not come whole ({type(error).__name__}). Try again.") from None
    if response.status_code != httpx.codes.OK:
        raise ZadarmaError(f"Zadarma has no recording there (HTTP {response.status_code}). {LATER}")
    kind = sound_kind(content)
    if kind is None:
        raise ZadarmaError(f"What Zadarma sent as a recording is no sound. {LATER}")
    return Sound(kind, content)


def _is_zadarmas(link: str, api: httpx.URL) -> bool:
    try:
        url = url_of(link)
    except ValueError:
        return False
    if (url.scheme, url.host, url.port) == (api.scheme, api.host, api.port):
        return True
    return url.scheme == "https" and url.host.endswith(".zadarma.com")
