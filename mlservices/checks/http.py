"""Asking another server, once and without patience for what wakes up: how it answers is what is asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
from django.utils.translation import gettext_noop

from ..clients.http import certificates, is_loopback
from ..errors import EngineError
from . import Outcome, failed

_QUOTED = 160  # characters of an answer that is something else
UNREACHABLE = gettext_noop("It cannot be reached: %(problem)s")
NETWORK = gettext_noop(
    "See that this server reaches the internet (HTTPS_PROXY, if it needs one), and that the address is right."
)
KEY_REFUSED = gettext_noop("It does not take the key (HTTP %(status)s)")
NO_JSON = gettext_noop("It sent no JSON (HTTP %(status)s): %(quoted)s")
REFUSED = gettext_noop("HTTP %(status)s: %(quoted)s")
NOT_OFFERED = gettext_noop("It does not offer %(path)s")

Judge = Callable[[dict[str, Any]], Outcome]


async def send(
    method: str, url: str, *, token: str = "", auth: Any = None, json: Any = None
) -> httpx.Response | Outcome:
    """The answer, or the failure to get one; time is kept by who asks."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    options: Any = {"timeout": None, "trust_env": not is_loopback(url), "verify": certificates()}
    async with httpx.AsyncClient(**options) as client:
        try:
            return await client.request(method, url, headers=headers, auth=auth, json=json)
        except httpx.HTTPError as error:
            return unreachable(error, url)


def unreachable(error: Exception, url: str) -> Outcome:
    """What to do about a server of this machine its service knows."""
    remedy = "" if is_loopback(url) else NETWORK
    return failed(UNREACHABLE, remedy, problem=str(error) or type(error).__name__)


def lost(error: EngineError) -> Outcome:
    """Why one of our clients got no answer, in the words of `send` where it reached nobody."""
    if isinstance(error.__cause__, httpx.TransportError):
        return unreachable(error.__cause__, str(error.__cause__.request.url))
    return failed(str(error))


def read(response: httpx.Response, judge: Judge) -> Outcome:
    """What a whole answer means: `judge` is given its JSON object."""
    if response.status_code in (401, 403):  # what it says then may hold a part of the key
        return failed(KEY_REFUSED, status=response.status_code)
    if response.status_code == 404:
        return failed(NOT_OFFERED, path=response.request.url.path)
    if response.status_code >= 400:
        return failed(REFUSED, status=response.status_code, quoted=quoted(response))
    answer = as_object(response)
    if answer is None:
        return failed(NO_JSON, status=response.status_code, quoted=quoted(response))
    return judge(answer)


def as_object(response: httpx.Response) -> dict[str, Any] | None:
    try:
        answer = response.json()
    except ValueError:
        return None
    return answer if isinstance(answer, dict) else None


def quoted(response: httpx.Response) -> str:
    """The reason that the server gives, or the beginning of whatever it sent."""
    problem = (as_object(response) or {}).get("error")
    if isinstance(problem, dict):  # OpenAI's form
        problem = problem.get("message")
    return " ".join(str(problem or response.text).split())[:_QUOTED] or response.reason_phrase
