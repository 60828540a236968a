"""Refusals in one shape: {"error", "fields"?, "service"?, "retry_after"?, "permanent"?}."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponseBase, JsonResponse

from ..clients.space import NotOffered
from ..errors import EngineBusy, EngineError, EngineTimeout

RETRY_SECONDS = 2  # after a fault of an engine that said nothing of when

View = Callable[..., Coroutine[Any, Any, HttpResponseBase]]


class Refused(Exception):
    """A request that cannot be served as it is; `fields` says what is wrong with each."""

    def __init__(self, status: int, error: str, fields: dict[str, str] | None = None) -> None:
        super().__init__(error)
        self.status, self.fields = status, fields


def invalid(**fields: str) -> Refused:
    return Refused(400, "The request is not valid.", fields)


def refusal(status: int, error: str, **more: Any) -> JsonResponse:
    """`more`: what else the shape holds; what is None is left out."""
    told = {name: value for name, value in more.items() if value is not None}
    answer = JsonResponse({"error": error, **told}, status=status)
    answer["Cache-Control"] = "no-store"
    if status == 401:
        answer["WWW-Authenticate"] = "Bearer"
    if "retry_after" in told:
        answer["Retry-After"] = str(told["retry_after"])
    return answer


def engine_refusal(error: EngineError) -> JsonResponse:
    """400 where the service found fault with a field, 404 for what it does not offer, 422 for what will never
    work, 504 for a deadline, and 503 for what may work later."""
    if error.fields:
        return refusal(400, "The request is not valid.", fields=error.fields, service=error.service)
    if error.permanent:
        status = 404 if isinstance(error, NotOffered) else 422
        return refusal(status, str(error), service=error.service, permanent=True)
    if isinstance(error, EngineTimeout):
        return refusal(504, str(error), service=error.service, permanent=False)
    after = max(1, round(error.retry_after)) if isinstance(error, EngineBusy) else RETRY_SECONDS
    return refusal(503, str(error), service=error.service, retry_after=after, permanent=False)


def refusing(view: View) -> View:
    """An asynchronous view whose `Refused` and `EngineError` become answers."""

    @wraps(view)
    async def answered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return await view(request, *args, **kwargs)
        except Refused as error:
            return refusal(error.status, str(error), fields=error.fields)
        except EngineError as error:
            return engine_refusal(error)

    return answered


def key_of(request: HttpRequest) -> str:
    """The id of the API key that asks; "" where a person does."""
    return getattr(request, "api_key", "")
