"""Connections to HTTP services: kept alive, one set for each event loop, errors in our words."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Mapping
from typing import Any

import httpx

from ..errors import EngineBusy, EngineError, EngineTimeout

_QUOTED = 200  # characters of a body that is no JSON


def is_loopback(url: str) -> bool:
    """Whether the address is this machine's own, which no proxy of the network reaches."""
    host = httpx.URL(url).host
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class LoopClients:
    """An `httpx.AsyncClient` for each running loop: connections cannot move from one to another.

    HTTP_PROXY and its like are heeded, except on the way to this machine itself.
    """

    def __init__(
        self, base_url: str, *, timeout: httpx.Timeout, headers: Mapping[str, str] | None = None
    ) -> None:
        self._base_url, self._timeout, self._headers = base_url, timeout, dict(headers or {})
        self._clients: dict[asyncio.AbstractEventLoop, httpx.AsyncClient] = {}

    def get(self) -> httpx.AsyncClient:
        loop = asyncio.get_running_loop()
        if loop not in self._clients:
            for ended in [known for known in self._clients if known.is_closed()]:
                del self._clients[ended]  # its connections can only be let go of
            self._clients[loop] = httpx.AsyncClient(
                base_url=self._base_url,
                timeout=self._timeout,
                headers=self._headers,
                trust_env=not is_loopback(self._base_url),
                limits=httpx.Limits(max_connections=200, max_keepalive_connections=50),
            )
        return self._clients[loop]

    async def close(self) -> None:
        client = self._clients.pop(asyncio.get_running_loop(), None)
        if client is not None:
            await client.aclose()


def transport_error(error: httpx.HTTPError, name: str, kind: str) -> EngineError:
    """A connection that failed: EngineTimeout when it was too slow, else worth another try.

    `name` says whose it is and stands in the message; `kind` ("stt", "llm", ...) becomes `error.service`.
    """
    if isinstance(error, httpx.TimeoutException):
        return EngineTimeout(f"{name} did not answer in time", service=kind)
    return EngineError(f"{name} cannot be reached: {error or type(error).__name__}", service=kind)


async def status_error(response: httpx.Response, name: str, kind: str) -> EngineError:
    """What a status above 399 means, with the reason that the service gave."""
    error = _status_error(response, f"{name}: {_reason(response, await response.aread())}", kind)
    error.status = response.status_code
    error.fields = _fields(response)
    return error


def _status_error(response: httpx.Response, reason: str, kind: str) -> EngineError:
    if response.status_code in (429, 503):
        after = response.headers.get("Retry-After", "")
        return EngineBusy(reason, service=kind, retry_after=float(after) if after.isdigit() else 1.0)
    if response.status_code == 504:
        return EngineTimeout(reason, service=kind)
    permanent = response.status_code < 500 and response.status_code != 408
    return EngineError(reason, service=kind, permanent=permanent)


def _fields(response: httpx.Response) -> dict[str, str]:
    try:
        fields: Any = response.json()["fields"]
        return {str(field): str(message) for field, message in fields.items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}


def _reason(response: httpx.Response, body: bytes) -> str:
    try:
        answer: Any = response.json()
    except ValueError:
        quoted = body[:_QUOTED].decode(errors="replace").strip()
        return f"HTTP {response.status_code}: {quoted or response.reason_phrase}"
    problem = answer.get("error") if isinstance(answer, dict) else None
    if isinstance(problem, dict):  # OpenAI's form
        problem = problem.get("message")
    if isinstance(answer, dict) and isinstance(answer.get("fields"), dict):
        problem = "; ".join(f"{field}: {message}" for field, message in answer["fields"].items())
    return str(problem) if problem else f"HTTP {response.status_code}: {str(answer)[:_QUOTED]}"
