"""Who acts in a request: whose session or key it is, and from where."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

from mlservices.audit import Actor, acting

from .. import request_ids
from ..access.address import address_of


def actor_of(request: HttpRequest) -> Actor:
    """Asked only when something is recorded: by then somebody may have signed in."""
    user = request.user
    return Actor(
        name=user.get_username() if user.is_authenticated else "",
        key=getattr(request, "api_key", ""),
        address=address_of(request),
        request=request_ids.current(),
    )


class Actors:
    """Middleware."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with acting(lambda: actor_of(request)):
            return self._get_response(request)
