"""Connections to HTTP services: kept alive, one set for each event loop, errors in our words."""

from __future__ import annotations

import asyncio
import json
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import httpx

from .. import audio
from ..errors import EngineBusy, EngineError, EngineTimeout, Outcome
from ..whole_numbers import whole_number
from .addresses import is_loopback, url_of

_QUOTED = 200  # characters of a body that is something else
_LARGEST_BODY = 64 * 2**20
_ERROR_BODY_SECONDS = 5.0  # of an answer that is an error and streams
_LONGEST_UTTERANCE_SECONDS = 30.0  # what lasts longer is a recording
_UTTERANCE_SECONDS, _LONGEST_PATIENCE_SECONDS = 30.0, 600.0  # within which it is heard
_CROWDED_SECONDS = 2.0  # until there may be room for another request
_TAG = re.compile(r"<(script|style)\b.*?</\1>|<[^>]*>", re.S | re.I)


@cache
def certificates() -> ssl.SSLContext:
    """Whom to trust over TLS. Read once: it takes 20 ms, in which nothing else of the loop runs."""
    return httpx.create_ssl_context()


class Client(httpx.AsyncClient):
    """A name that is none is nowhere to connect to, and no fault of another kind: also where a redirect
    leads that nobody follows."""

    def build_request(self, *asked: Any, **how: Any) -> httpx.Request:
        try:
            return super().build_request(*asked, **how)
        except (httpx.InvalidURL, UnicodeError) as error:
            raise httpx.ConnectError(f"no address: {error}") from error

    async def send(self, request: httpx.Request, **how: Any) -> httpx.Response:
        try:
            return await super().send(request, **how)
        except UnicodeError as error:
            raise httpx.ConnectError(f"no address: {error}", request=request) from error


class LoopClients:
    """An `httpx.AsyncClient` for each running loop: connections cannot move from one to another.

    HTTP_PROXY and its like are heeded, except on the way to this machine itself. Redirects are not followed:
    they would carry the token to whoever they name.
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
            self._clients[loop] = Client(
                base_url=self._base_url,
                timeout=self._timeout,
                headers=self._headers,
                trust_env=not is_loopback(self._base_url),
                verify=certificates(),
                limits=httpx.Limits(max_connections=200, max_keepalive_connections=50),
            )
        return self._clients[loop]

    async def close(self) -> None:
        client = self._clients.pop(asyncio.get_running_loop(), None)
        if client is not None:
            await client.aclose()


@dataclass(frozen=True, slots=True)
class Party:
    """Who is asked: the name in messages, the settings that hold its address and its token, and the token
    itself, which no message may show."""

    name: str
    address_setting: str = ""
    token_setting: str = ""
    token: str = field(default="", repr=False)

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    def quote(self, body: bytes | str) -> str:
        """The beginning of a body as text: pages without their tags, and nothing that is secret."""
        text = body if isinstance(body, str) else body[: 50 * _QUOTED].decode(errors="replace")
        if text.lstrip().startswith("<"):
            text = _TAG.sub(" ", text)
        return self.without_token(" ".join(text.split()))[:_QUOTED]

    def without_token(self, text: str) -> str:
        return text.replace(self.token, "***") if self.token else text


def patience(sound_seconds: float) -> float:
    """Seconds within which a recording is heard: as long as it lasts on top of what an utterance may take; 0
    for an utterance."""
    if sound_seconds <= _LONGEST_UTTERANCE_SECONDS:
        return 0.0
    return min(_LONGEST_PATIENCE_SECONDS, _UTTERANCE_SECONDS + sound_seconds)


def no_choice(name: str, kind: str) -> EngineError:
    """A model was chosen where there is no choice."""
    return EngineError(
        f"{name} lets nobody choose a model", service=kind, permanent=True, outcome=Outcome.REFUSED
    )


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that was read to its end."""

    status: int
    headers: httpx.Headers
    body: bytes

    @property
    def is_page(self) -> bool:
        return is_page(self.headers) or self.body.lstrip()[:1] == b"<"

    def json_object(self) -> dict[str, Any] | None:
        try:
            told = json.loads(self.body)
        except ValueError:
            return None
        return told if isinstance(told, dict) else None

    def fields(self) -> dict[str, Any]:
        """Of its JSON object; none if it is something else."""
        return self.json_object() or {}


async def fetch(
    client: httpx.AsyncClient,
    method: str,
    path: str,
    *,
    party: Party,
    kind: str,
    seconds: float,
    **request: Any,
) -> Answer:
    """The whole answer, of any status, within `seconds`: a body that drips is cut off too."""
    begun = False
    try:
        async with asyncio.timeout(seconds), client.stream(method, path, **request) as response:
            begun = True
            return await _read(response, party, kind)
    except TimeoutError:
        raise _too_slow(party, kind, begun, seconds) from None
    except httpx.HTTPError as error:
        raise transport_error(error, party, kind, begun=begun) from error


async def refusal(response: httpx.Response, party: Party, kind: str) -> EngineError:
    """What an answer that was to be a stream, and is none, means."""
    try:
        async with asyncio.timeout(_ERROR_BODY_SECONDS):
            answer = await _read(response, party, kind)
            return (
                page_error(answer, party, kind) if response.is_success else status_error(answer, party, kind)
            )
    except TimeoutError:
        return _too_slow(party, kind, True, _ERROR_BODY_SECONDS)


async def _read(response: httpx.Response, party: Party, kind: str) -> Answer:
    body = bytearray()
    async for piece in response.aiter_bytes():
        body += piece
        if len(body) > _LARGEST_BODY:
            raise EngineError(
                f"{party.name} sent more than {_LARGEST_BODY >> 20} MB",
                service=kind,
                outcome=Outcome.WRONG_FIELDS,
            )
    return Answer(response.status_code, response.headers, bytes(body))


def _too_slow(party: Party, kind: str, begun: bool, seconds: float) -> EngineTimeout:
    if begun:
        return EngineTimeout(
            f"{party.name} began an answer and did not end it in time ({seconds:.0f} s)",
            service=kind,
            outcome=Outcome.SLOW_BODY,
        )
    return EngineTimeout(f"{party.name} did not answer in time ({seconds:.0f} s)", service=kind)


def transport_error(error: httpx.HTTPError, party: Party, kind: str, *, begun: bool = False) -> EngineError:
    """A connection that failed: EngineTimeout when it was too slow, else worth another try.

    `kind` ("stt", "llm", ...) becomes `error.service`; `begun` tells that an answer was on its way.
    """
    if _is_crowded(error):
        return EngineBusy(
            f"{party.name} has no room for another request now", service=kind, retry_after=_CROWDED_SECONDS
        )
    if isinstance(error, httpx.ConnectTimeout):
        return EngineTimeout(
            f"{party.name} cannot be reached: no connection in time",
            service=kind,
            outcome=Outcome.UNREACHABLE,
        )
    if isinstance(error, httpx.TimeoutException):
        late = "began an answer and did not end it" if begun else "did not answer"
        outcome = Outcome.SLOW_BODY if begun else Outcome.TIMEOUT
        return EngineTimeout(f"{party.name} {late} in time", service=kind, outcome=outcome)
    if isinstance(error, httpx.DecodingError):
        return EngineError(
            f"{party.name} sent a body that cannot be unpacked", service=kind, outcome=Outcome.NOT_JSON
        )
    reason = party.without_token(str(error)) or type(error).__name__
    if begun:
        return EngineError(
            f"{party.name} broke off in the middle of an answer: {reason}",
            service=kind,
            outcome=Outcome.CUT_SHORT,
        )
    remedy = f" (does it run, and is {party.address_setting} right?)" if party.address_setting else ""
    return EngineError(
        f"{party.name} cannot be reached{remedy}: {reason}", service=kind, outcome=Outcome.UNREACHABLE
    )


def _is_crowded(error: httpx.HTTPError) -> bool:
    """All our connections are in use; or this machine is too busy to make one to itself, which otherwise is
    made or refused at once."""
    if isinstance(error, httpx.ConnectTimeout):
        return is_loopback(str(error.request.url))
    return isinstance(error, httpx.PoolTimeout)


def sound_of(file: bytes, party: Party) -> tuple[bytes, int]:
    """(pcm, rate) of a file that was sent as speech."""
    if missing := audio.missing_bytes(file):
        raise EngineError(
            f"{party.name} sent a WAV that lacks {missing} of its bytes",
            service="tts",
            outcome=Outcome.CUT_SHORT,
        )
    try:
        return audio.read_wav(file)
    except ValueError as error:
        kind = audio.file_kind(file) or "no sound file"
        raise EngineError(
            f"{party.name} sent sound ({kind}) that cannot be played: {error}",
            service="tts",
            outcome=Outcome.WRONG_SOUND,
        ) from error


def is_page(headers: httpx.Headers) -> bool:
    return bool(headers.get("content-type", "").startswith("text/html"))


def page_error(answer: Answer, party: Party, kind: str) -> EngineError:
    """A success that is meant for a browser: most often the address is another than is meant."""
    hint = ""
    if party.address_setting:
        hint = f" (is {party.address_setting} the address of the Space itself, *.hf.space?)"
    quoted = party.quote(answer.body)
    return EngineError(
        f"{party.name} sent a page and no answer{hint}: {quoted}", service=kind, outcome=Outcome.HTML_PAGE
    )


def status_error(answer: Answer, party: Party, kind: str) -> EngineError:
    """What a status that is no success means, with the reason that the service gave and the remedy."""
    error = _status_error(answer, party, kind)
    error.status = answer.status
    error.fields = _faults(answer, party)
    return error


def _status_error(answer: Answer, party: Party, kind: str) -> EngineError:
    status, reason = answer.status, _reason(answer, party)
    told = f"{party.name}: {reason}"
    if status < 400:
        return _redirected(answer, party, kind)
    if status in (401, 403):
        return EngineError(
            f"{told} ({_about_token(party)})",
            service=kind,
            permanent=True,
            outcome=Outcome.REFUSED_TOKEN,
        )
    if status in (429, 503):
        return _not_now(answer, party, kind, reason)
    if status == 504:
        if "permanent" in answer.fields():  # a deadline of ours, that an engine did not meet
            return EngineTimeout(told, service=kind)
        told = f"{party.name} kept its own gateway waiting, as one that wakes up does: {reason}"
        return EngineTimeout(told, service=kind, outcome=Outcome.GATEWAY_TIMEOUT)
    if status == 500 and "not loaded" in reason.lower():
        told = f"{party.name} is awake and still loads its model, ask again in a minute: {reason}"
        return EngineError(told, service=kind, outcome=Outcome.NOT_LOADED)
    if status == 404:
        return EngineError(told, service=kind, permanent=True, outcome=Outcome.NOT_OFFERED)
    if status in (400, 413, 415, 422):
        return EngineError(told, service=kind, permanent=True, outcome=Outcome.REFUSED)
    return EngineError(told, service=kind, permanent=status < 500 and status != 408)


def _redirected(answer: Answer, party: Party, kind: str) -> EngineError:
    try:
        where = url_of(answer.headers.get("location", "")).copy_with(query=None, fragment=None, userinfo=b"")
    except ValueError:
        where = httpx.URL("")
    remedy = f": set {party.address_setting} to the address that answers" if party.address_setting else ""
    there = party.without_token(str(where)) or "without saying where"
    return EngineError(
        f"{party.name} points elsewhere (HTTP {answer.status}, {there}){remedy}",
        service=kind,
        permanent=True,
        outcome=Outcome.REDIRECTED,
    )


def _not_now(answer: Answer, party: Party, kind: str, reason: str) -> EngineBusy:
    """Too much to do, or not awake yet: who only sleeps does not say when to come back."""
    after = answer.headers.get("retry-after", "")
    seconds = whole_number(after)
    says_when = bool(after) or "retry_after" in answer.fields()
    waking = answer.status == 503 and (not says_when or "loading" in reason.lower())
    awake = " (HF_ML_KEEP_WARM keeps a Space awake)" if party.address_setting else ""
    return EngineBusy(
        f"{party.name} is waking up{awake}: {reason}" if waking else f"{party.name}: {reason}",
        service=kind,
        retry_after=1.0 if seconds is None else float(seconds),
        outcome=Outcome.WAKING if waking else Outcome.BUSY,
    )


def _about_token(party: Party) -> str:
    if not party.token_setting:
        return "it wants a token"
    if party.token:
        return f"{party.token_setting} is refused: give one that may use it"
    return f"set {party.token_setting} to a token that may use it"


def _faults(answer: Answer, party: Party) -> dict[str, str]:
    """What the service says of each field that it does not take, by our own form."""
    told = answer.fields().get("fields")
    if not isinstance(told, dict):
        return {}
    return {party.without_token(str(field)): party.without_token(str(fault)) for field, fault in told.items()}


def _reason(answer: Answer, party: Party) -> str:
    told = answer.fields()
    problem = told.get("error") or told.get("detail")
    if isinstance(problem, dict):  # OpenAI's form
        problem = problem.get("message")
    if isinstance(told.get("fields"), dict):
        problem = "; ".join(f"{field}: {message}" for field, message in told["fields"].items())
    if isinstance(problem, str) and problem:
        return party.without_token(problem)
    quoted = party.quote(answer.body) or httpx.codes.get_reason_phrase(answer.status)
    return f"HTTP {answer.status}: {quoted}"
