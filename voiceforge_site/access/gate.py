"""The door of every page and socket: signed in, and with the ability that `rules` names."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from channels.sessions import SessionMiddlewareStack
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotAllowed, JsonResponse
from django.urls import Resolver404, URLPattern, path, resolve

from telephony.page_socket import SIGNED_OUT
from telephony.threads import DatabaseThreads

from ..errors import forbidden
from .rules import ANYBODY, PAGES, READING, SOCKETS, Rule, meets
from .sessions import user_of, why_nobody

# Nobody who opens a socket waits behind a page's slow query.
in_database = DatabaseThreads(1, "gate")


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
        needed = rule.needed(request.method)
        if needed == ANYBODY:
            return None
        if not request.user.is_authenticated:
            return _signed_out(request) if _by_script(request) else _to_sign_in(request)
        if needed and meets(request.user, needed):
            return None
        if needed is None and rule != Rule():
            return HttpResponseNotAllowed(READING if rule.read else ("POST",))
        return _refusal(request)


def may(user: Any, method: str, address: str) -> bool:
    """Whether the gate would let somebody who is signed in do this. What has no such
    address or method is answered by the request itself."""
    try:
        needed = PAGES.get(resolve(address).view_name, Rule()).needed(method)
    except Resolver404:
        return True
    return needed is None or meets(user, needed)


def _by_script(request: HttpRequest) -> bool:
    return bool(request.htmx) or request.headers.get("X-Requested-With") == "fetch"  # type: ignore[attr-defined]


def _signed_out(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"why": why_nobody(request)}, status=401)


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    """And back here afterwards; a form that was sent cannot be asked for again, so to its own page."""
    answer = redirect_to_login(request.get_full_path() if request.method in READING else "/")
    if why := why_nobody(request):
        answer["Location"] += f"&why={why}"
    return answer


def _refusal(request: HttpRequest) -> HttpResponse:
    """Returned and not raised: it is the answer to a question, and no fault that a log explains."""
    return forbidden(request, PermissionDenied())


class SocketGate:
    """An ASGI application around a socket's own, which goes on asking with every message."""

    def __init__(self, application: Any, needed: str | None) -> None:
        self._application = application
        self._needed = needed

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if await self._admits(scope):
            await self._application(scope, receive, send)
            return
        await receive()  # websocket.connect
        await send({"type": "websocket.accept"})  # or the browser would not be told the code
        await send({"type": "websocket.close", "code": SIGNED_OUT})

    async def _admits(self, scope: Any) -> bool:
        if self._needed is None or self._needed == ANYBODY:
            return self._needed == ANYBODY
        return await in_database(_may_open, scope["session"].session_key, self._needed)


def _may_open(session_key: str | None, needed: str) -> bool:
    return user_of(session_key).has_perm(needed)


def guarded(sockets: Iterable[URLPattern]) -> list[URLPattern]:
    """The same addresses, behind the gate. One without a rule opens for nobody."""
    found = []
    for socket in sockets:
        route = str(socket.pattern)
        needed = SOCKETS.get(route)
        gate: Any = SocketGate(socket.callback, needed)
        found.append(path(route, gate if needed == ANYBODY else SessionMiddlewareStack(gate)))
    return found
