"""What a stranger gets: the sign-in page instead of a page, 401 instead of a part of one."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.http import HttpRequest, HttpResponse, HttpResponseBase


class SignInRequired(LoginRequiredMiddleware):
    """A redirect would put the whole sign-in page where a script asked for a fragment or for JSON."""

    def handle_no_permission(
        self, request: HttpRequest, view_func: Callable[..., HttpResponseBase]
    ) -> HttpResponseBase:
        if request.htmx or request.headers.get("X-Requested-With") == "fetch":  # type: ignore[attr-defined]
            return HttpResponse(status=401)
        return super().handle_no_permission(request, view_func)
