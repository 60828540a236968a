"""One request to Zadarma: signed, in its turn, within its time, and its refusals in words."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import httpx

from mlservices.clients.addresses import is_loopback
from mlservices.clients.http import Client, certificates

from .errors import ZadarmaBusy, ZadarmaError
from .limits import Limits, limits_of
from .signature import Value, encoded, request_signature

PRODUCTION = "https://api.zadarma.com"
PATIENCE_SECONDS = 15.0  # for one answer, all of it
LARGEST_ANSWER = 16 * 2**20  # bytes; a page of statistics has some 400,000
ATTEMPTS = 3  # of a request that came too early
LONGEST_PAUSE = 65.0  # seconds; limits are those of a minute
_QUOTED = 200  # characters of Zadarma's own words

KEYS = "Enter the key and the secret again, as Zadarma shows them under Settings, Integrations and API."


class Wire:
    """In the name of one account; neither its key nor its secret is ever shown."""

    def __init__(
        self, key: str, secret: str, *, url: str, patience_seconds: float, limits: Limits | None
    ) -> None:
        self.url = url.rstrip("/")
        self._key, self._secret = key, secret
        self._patience = patience_seconds
        self._limits = limits or limits_of(self.url, key)

    async def get(
        self, path: str, parameters: Mapping[str, Value] | None = None, *, statistics: bool = False
    ) -> dict[str, Any]:
        return await self.send("GET", path, parameters, statistics=statistics)

    async def send(
        self,
        method: str,
        path: str,
        parameters: Mapping[str, Value] | None = None,
        *,
        statistics: bool = False,
    ) -> dict[str, Any]:
        """The answer of a success, without its `status`. Raises ZadarmaError.

        A request that came too early was not acted on, and is made again when Zadarma says.
        """
        query = encoded({**(parameters or {}), "format": "json"})
        pause = 0.0
        for _ in range(ATTEMPTS):
            await asyncio.sleep(pause)
            await self._take_turn(statistics)
            response, body = await self._ask(method, path, query)
            if response.status_code != httpx.codes.TOO_MANY_REQUESTS:
                return self._read(response.status_code, body)
            pause = _pause(response.headers)
            if pause > self._patience:
                break
        raise _busy(pause)

    async def _take_turn(self, statistics: bool) -> None:
        limits = [self._limits.all_of_them] + [self._limits.statistics] * statistics
        for limit in limits:
            wait = limit.wait_seconds(time.monotonic(), longest=self._patience)
            if wait is None:
                raise _busy(LONGEST_PAUSE)
            await asyncio.sleep(wait)

    async def _ask(self, method: str, path: str, query: str) -> tuple[httpx.Response, bytes]:
        headers = {"Authorization": f"{self._key}:{request_signature(path, query, self._secret)}"}
        url, content = f"{self.url}{path}", None
        if method == "GET":
            url += f"?{query}"
        else:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            content = query.encode()
        try:
            async with (
                asyncio.timeout(PATIENCE_SECONDS),
                Client(
                    verify=certificates(), timeout=PATIENCE_SECONDS, trust_env=not is_loopback(url)
                ) as client,
                client.stream(method, url, headers=headers, content=content) as response,
            ):
                return response, await read_body(response, LARGEST_ANSWER)
        except (httpx.ConnectError, httpx.ConnectTimeout):
            raise ZadarmaError(
                "Zadarma cannot be reached. See that this server reaches the internet, and ZADARMA_API_URL."
            ) from None
        except (TimeoutError, httpx.TimeoutException):
            raise ZadarmaError(
                f"Zadarma did not answer within {PATIENCE_SECONDS:.0f} seconds. Try again.", sent=True
            ) from None
        except httpx.HTTPError as error:
            raise ZadarmaError(f"Zadarma broke off ({type(error).__name__}). Try again.", sent=True) from None

    def _read(self, status: int, body: bytes) -> dict[str, Any]:
        try:
            # Amounts stay exact, and so do names of calls, which Zadarma writes as 1439981389.2702773.
            answer = json.loads(body, parse_float=Decimal)
        except ValueError:
            answer = None
        told = answer if isinstance(answer, dict) else {}
        if status in (401, 403):
            raise ZadarmaError(f"Zadarma does not take the key{self._words(told)}. {KEYS}", permanent=True)
        if status >= 500:
            raise ZadarmaError(f"Zadarma has trouble of its own (HTTP {status}). Try again later.", sent=True)
        if status >= 400 or told.get("status") == "error":
            raise ZadarmaError(f"Zadarma refuses it (HTTP {status}){self._words(told)}.", permanent=True)
        if status >= 300 or told.get("status") != "success":
            raise ZadarmaError(
                f"What answers is not Zadarma (HTTP {status}). See that ZADARMA_API_URL is right.",
                permanent=True,
                sent=True,
            )
        return told

    def _words(self, told: Mapping[str, Any]) -> str:
        """What it says itself, as a part of a sentence."""
        words = " ".join(str(told.get("message") or "").split())
        for hidden in filter(None, (self._secret, self._key)):
            words = words.replace(hidden, "***")
        return f": {words[:_QUOTED].rstrip('.')}" if words else ""


async def read_body(response: httpx.Response, largest: int) -> bytes:
    """Raises ZadarmaError where it is larger than `largest` bytes."""
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > largest:
            raise ZadarmaError(f"Zadarma sent more than {largest >> 20} MB.", permanent=True, sent=True)
    return bytes(body)


def _pause(headers: httpx.Headers) -> float:
    """Until the limit is reset: seconds since 1970 in X-RateLimit-Reset."""
    try:
        left = float(headers.get("X-RateLimit-Reset", "")) - time.time()
    except ValueError:
        return LONGEST_PAUSE
    return min(max(left, 1.0), LONGEST_PAUSE)


def _busy(pause: float) -> ZadarmaBusy:
    return ZadarmaBusy(
        "Zadarma was asked too often: it takes 100 requests a minute, and 3 for statistics. "
        f"Try again in {pause:.0f} seconds.",
        retry_after=pause,
    )
