"""Asking another server, once and without patience for what wakes up: how it answers is what is asked.

What goes wrong is an error of `clients/http.py`, as in a call; `lost` gives it its words and its remedy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import httpx
from django.utils.translation import gettext_noop

from .. import errors
from ..clients.addresses import is_loopback
from ..clients.http import Answer, Client, Party, certificates, fetch, page_error, status_error
from ..errors import EngineError
from . import Outcome, failed, warned

PARTY = Party("The service")
_LONGEST_SECONDS = 60.0  # a probe's own patience ends before
UNREACHABLE = gettext_noop("It cannot be reached at %(address)s: %(problem)s")
NETWORK = gettext_noop(
    "See that this server reaches the internet (HTTPS_PROXY, if it needs one), and that the address is right."
)
KEY_REFUSED = gettext_noop("It does not take the key (HTTP %(status)s)")
NOT_OFFERED = gettext_noop("It does not offer what it is asked for")
NO_JSON = gettext_noop("It sent no JSON (HTTP %(status)s): %(quoted)s")
COLD = gettext_noop("It is waking up, or still loads a model")
WAKE = gettext_noop(
    "Nothing, if it was started lately: waking up takes up to two minutes, a model's first download ten. If "
    "it lasts, see its log."
)
_WORDS = {
    errors.Outcome.REFUSED_TOKEN: KEY_REFUSED,  # what a server says then may hold a part of the key
    errors.Outcome.NOT_OFFERED: NOT_OFFERED,
}

Judge = Callable[[dict[str, Any]], Outcome]


async def send(method: str, url: str, *, token: str = "", **request: Any) -> Answer:
    """The answer, of any status; EngineError where there is none."""
    party = Party(PARTY.name, token=token)
    options: Any = {"timeout": None, "trust_env": not is_loopback(url), "verify": certificates()}
    async with Client(headers=party.headers, **options) as client:
        return await fetch(client, method, url, party=party, kind="", seconds=_LONGEST_SECONDS, **request)


def read(answer: Answer, judge: Judge) -> Outcome:
    """What a whole answer means: `judge` is given its JSON object. EngineError for a refusal."""
    if answer.status >= 300:
        raise status_error(answer, PARTY, "")
    told = answer.json_object()
    if told is None and answer.is_page:
        raise page_error(answer, PARTY, "")
    if told is None:
        return failed(NO_JSON, status=answer.status, quoted=PARTY.quote(answer.body))
    return judge(told)


def lost(error: EngineError, remedies: Mapping[errors.Outcome, str]) -> Outcome:
    """Why there is no answer, with the remedy for that if there is one."""
    if error.cold:
        return warned(COLD, WAKE)
    if error.outcome is errors.Outcome.UNREACHABLE and isinstance(error.__cause__, httpx.TransportError):
        return _unreachable(error.__cause__, remedies.get(error.outcome, ""))
    words, remedy = _WORDS.get(error.outcome), remedies.get(error.outcome, "")
    return failed(words, remedy, status=error.status) if words else failed(str(error), remedy)


def _unreachable(error: httpx.TransportError, remedy: str) -> Outcome:
    """What to do about a server of this machine its service knows."""
    url = error.request.url
    remedy = remedy or ("" if is_loopback(str(url)) else NETWORK)
    address = f"{url.scheme}://{url.netloc.decode()}"  # without a password, which an address may hold
    return failed(UNREACHABLE, remedy, address=address, problem=str(error) or type(error).__name__)
