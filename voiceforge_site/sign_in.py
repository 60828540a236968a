"""What a stranger gets: the sign-in page instead of a page, 401 instead of a part of one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.http import HttpRequest, HttpResponse, HttpResponseBase


class SignInRequired(LoginRequiredMiddleware):
    """A redirect would put the whole sign-in page where a script asked for a fragment or for JSON."""

    def process_view(
        self,
        request: HttpRequest,
        view_func: Callable[..., HttpResponseBase],
        view_args: tuple[Any, ...],
        view_kwargs: dict[str, Any],
    ) -> HttpResponseBase | None:
        turned_away = super().process_view(request, view_func, view_args, view_kwargs)
        by_script = request.htmx or request.headers.get("X-Requested-With") == "fetch"  # type: ignore[attr-defined]
        return HttpResponse(status=401) if turned_away and by_script else turned_away
