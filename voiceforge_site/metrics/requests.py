from __future__ import annotations

import time
from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

from mlservices.api.answers import Later

from ..access.key_use import note_request
from .instruments import METHODS, request_seconds, requests


class Requests:
    """Middleware, after none but the names of requests: counts every answer and how long it took."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        since = time.perf_counter()
        response = self.get_response(request)
        if not isinstance(response, Later):
            _count(request, response.status_code, since)
            return response

        async def count(answer: HttpResponseBase) -> None:
            _count(request, answer.status_code, since)

        response.afterwards(count)
        return response


def _count(request: HttpRequest, status: int, since: float) -> None:
    """By route and not by address: these have no end. What no view answers has the route "none"."""
    route = request.resolver_match.route if request.resolver_match else "none"
    method = request.method if request.method in METHODS else "other"
    requests.labels(route, method, status).inc()
    request_seconds.labels(route).observe(time.perf_counter() - since)
    note_request(request, status)
