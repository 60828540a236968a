"""A request that is refused before it is read, and so before Django has it: answered like any other, with a
name that stands in the log and with the headers that guard an answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from io import BytesIO
from typing import Any

from django.core.handlers.asgi import ASGIHandler
from django.http import HttpResponse, HttpResponseBase
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.security import SecurityMiddleware
from django.utils.log import log_response

from mlservices.api.answers import refusal

from .csp import ContentSecurityPolicy
from .metrics.requests import Requests
from .request_ids import RequestIds

# Of settings.MIDDLEWARE those that ask nobody for anything
_AROUND = (RequestIds, Requests, SecurityMiddleware, ContentSecurityPolicy, XFrameOptionsMiddleware)


def too_large(site: ASGIHandler) -> Callable[[str], Any]:
    """Makes of why the ASGI application that answers so, with what `site` answers with."""

    def saying(why: str) -> Callable[[Any, Any, Any], Awaitable[None]]:
        async def application(scope: Any, receive: Any, send: Any) -> None:
            await site.send_response(_answer(site, scope, why), send)

        return application

    return saying


def _answer(site: ASGIHandler, scope: Any, why: str) -> HttpResponseBase:
    def refused(request: Any) -> HttpResponse:
        response = refusal(413, why)
        response["Content-Length"] = str(len(response.content))
        return response

    answered: Any = refused
    for middleware in reversed(_AROUND):
        answered = middleware(answered)
    request, wrong = site.create_request(scope, BytesIO())
    if request is None:
        assert wrong
        return wrong
    response: HttpResponse = answered(request)
    log_response("%s: %s", response.reason_phrase, request.path, response=response, request=request)
    return response
