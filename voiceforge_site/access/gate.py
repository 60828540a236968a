"""The door of every page: signed in, and with the ability that `rules` names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase

from .rules import ANYBODY, PAGES, SIGNED_IN, Rule

_READING = ("GET", "HEAD", "OPTIONS")


class Gate:
    """Middleware. A stranger gets the sign-in page, or 401 where a script asked for a part of a page."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self._get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponseBase | None:
        assert request.resolver_match
        rule = PAGES.get(request.resolver_match.view_name, Rule())
        needed = rule.read if request.method in _READING else rule.change
        if needed == ANYBODY:
            return None
        if not request.user.is_authenticated:
            by_script = request.htmx or request.headers.get("X-Requested-With") == "fetch"  # type: ignore[attr-defined]
            return HttpResponse(status=401) if by_script else redirect_to_login(request.get_full_path())
        if needed is None and rule != Rule():
            return None  # the view itself answers a method that it does not know
        if needed != SIGNED_IN and not (needed and request.user.has_perm(needed)):
            raise PermissionDenied
        return None
