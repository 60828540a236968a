"""Refusals in one shape, application/problem+json (RFC 9457): {"title", "status", "detail", "fields"?,
"service"?, "retry_after"?, "permanent"?}. `fields` tells by its path what is wrong: facts.0.topic."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Collection, Iterable
from functools import wraps
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.utils.translation import gettext as _

from ..clients.space import NotOffered
from ..errors import EngineBusy, EngineError, EngineTimeout

logger = logging.getLogger(__name__)

PROBLEM = "application/problem+json"
RETRY_SECONDS = 2  # after a fault of an engine that said nothing of when
MENDED_SECONDS = 60  # after a fault that somebody has to mend

View = Callable[[HttpRequest], Awaitable[HttpResponseBase]]


class Refused(Exception):
    """A request that cannot be served as it is; `fields` says what is wrong with each."""

    def __init__(self, status: int, error: str, fields: dict[str, str] | None = None) -> None:
        super().__init__(error)
        self.status, self.fields = status, fields


def invalid(**fields: str) -> Refused:
    return Refused(400, "The request is not valid.", fields)


def refuse_unknown(asked: Iterable[str], known: Collection[str]) -> None:
    """Names after the ? of an address: a filter that is misspelt would ask for all, in silence."""
    if unknown := [name for name in asked if name not in known]:
        words = _("It is not known here: use %(names)s.") % {"names": ", ".join(sorted(known))}
        if not known:
            words = _("Leave it out: nothing can be asked for here.")
        raise invalid(**dict.fromkeys(unknown, words))


def refusal(status: int, error: str, **more: Any) -> JsonResponse:
    """`more`: what else the shape holds; what is None is left out."""
    told = {name: value for name, value in more.items() if value is not None}
    if "fields" in told:
        told["fields"] = {name: _sentence(why) for name, why in told["fields"].items()}
    problem = {"title": HTTPStatus(status).phrase, "status": status, "detail": error, **told}
    answer = JsonResponse(problem, status=status, content_type=PROBLEM)
    answer["Cache-Control"] = "no-store"
    if status == 401:
        answer["WWW-Authenticate"] = "Bearer"
    if "retry_after" in told:
        answer["Retry-After"] = str(told["retry_after"])
    return answer


def engine_refusal(error: EngineError) -> JsonResponse:
    """400 where the service found fault with a field, 404 for what it does not offer, 422 for what it will
    never do, 504 for a deadline, and 503 for what may work later: once an administrator has mended it, where
    it is not the request that is at fault but the service, our token for it or its address."""
    if error.fields:
        return refusal(400, "The request is not valid.", fields=error.fields, service=error.service)
    if error.blames_input or isinstance(error, NotOffered):
        status = 404 if isinstance(error, NotOffered) else 422
        return refusal(status, str(error), service=error.service, permanent=True)
    if error.permanent:
        told = {"service": error.service, "retry_after": MENDED_SECONDS, "permanent": False}
        return refusal(503, str(error), **told)
    if isinstance(error, EngineTimeout):
        return refusal(504, str(error), service=error.service, permanent=False)
    after = max(1, round(error.retry_after)) if isinstance(error, EngineBusy) else RETRY_SECONDS
    return refusal(503, str(error), service=error.service, retry_after=after, permanent=False)


def _sentence(text: str) -> str:
    """As one begins and ends, unless it begins with a name."""
    first = text.split(" ", 1)[0]
    text = text[:1].upper() + text[1:] if first.rstrip(":,").isalpha() else text
    return text if text[-1:] in ".!?" else f"{text}."


def taking(*known: str) -> Callable[[Any], Any]:
    """Around a view that takes these names after the ?, and no others."""

    def of(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
        @wraps(view)
        def asked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            try:
                refuse_unknown(request.GET, known)
            except Refused as error:
                return refusal(error.status, str(error), fields=error.fields)
            return view(request, *args, **kwargs)

        return asked

    return of


class Later(HttpResponse):
    """What an asynchronous view is going to answer. The site's handler awaits `made` on the event loop, once
    the middleware is through: no thread waits meanwhile, or for ever if the server stops."""

    def __init__(self, make: Callable[[], Awaitable[HttpResponseBase]]) -> None:
        super().__init__()
        self._make = make
        self._afterwards: list[Callable[[HttpResponseBase], Awaitable[None]]] = []

    def afterwards(self, step: Callable[[HttpResponseBase], Awaitable[None]]) -> None:
        """To be done with the answer once it is made."""
        self._afterwards.append(step)

    async def made(self) -> HttpResponseBase:
        """With what the middleware has put on it."""
        answer = await self._make()
        for name, value in self.items():
            if name not in ("Content-Type", "Content-Length"):
                answer.headers.setdefault(name, value)
        if isinstance(answer, HttpResponse):
            answer["Content-Length"] = str(len(answer.content))
        answer.cookies.update(self.cookies)
        answer._resource_closers.extend(self._resource_closers)  # type: ignore[attr-defined]
        for step in self._afterwards:
            await step(answer)
        return answer


def refusing(view: View) -> Callable[..., Later]:
    """An asynchronous view whose faults become answers."""

    async def answered(request: HttpRequest) -> HttpResponseBase:
        try:
            return await view(request)
        except Refused as error:
            return refusal(error.status, str(error), fields=error.fields)
        except EngineError as error:
            return engine_refusal(error)
        except Exception:
            logger.exception("%s %s failed", request.method, request.path)
            return refusal(500, "Something broke on our side; the server's log says more.")

    @wraps(view)
    def later(request: HttpRequest) -> Later:
        return Later(lambda: answered(request))

    return later


def key_of(request: HttpRequest) -> str:
    """The id of the API key that asks; "" where a person does."""
    return getattr(request, "api_key", "")


def asker_of(request: HttpRequest) -> str:
    """What tells who asks from everybody else: a key, or a person."""
    return key_of(request) or f"person {request.user.pk}"
