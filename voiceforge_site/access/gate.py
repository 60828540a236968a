"""The door of every page and socket: signed in, and with the ability that `rules` names."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from channels.sessions import SessionMiddlewareStack
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseNotAllowed,
    JsonResponse,
    QueryDict,
)
from django.urls import Resolver404, URLPattern, path, resolve

from mlservices.api.answers import refusal
from mlservices.api.socket import NotAdmitted
from telephony.page_socket import SIGNED_OUT
from telephony.realtime.door import Visitor
from telephony.threads import DatabaseThreads

from ..errors import SEND_A_KEY, forbidden
from ..models import ApiKey
from . import rates
from .address import address_in
from .key_use import OPENED, note_socket
from .keys import API, PREFIX_LENGTH, BadKey, found, key_in
from .news import until_news
from .pace import PACES, SOUND, Pace, Paced
from .roles import ABILITIES
from .rules import ANYBODY, BY_KEY, PAGES, READING, SOCKETS, Rule, meets
from .sessions import user_of, why_nobody

UNKNOWN_KEY, INACTIVE_KEY, NOT_ALLOWED = 4001, 4002, 4003  # how sockets of the API are closed
TRY_AGAIN = 1013  # the standard's own, for a key that asks too often
SOCKET_ABILITY = "mlservices.use_models"

# Of HTTP: how a request with such a key would be answered. Of one that is not known nothing is noted.
_STATUSES = {INACTIVE_KEY: 401, NOT_ALLOWED: 403, TRY_AGAIN: 429}
_ADMITTED = "admitted"  # in a socket's scope: the id of the key, "" for a person


class _Uncounted(NotAdmitted):
    """For what is no fault of the key: over HTTP it would be 503."""


# Nobody who opens a socket waits behind a page's slow query.
in_database = DatabaseThreads(1, "gate")


class Gate:
    """Middleware. A stranger gets the sign-in page, or 401 where a script asked for a part of a page, or the
    API's own word."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self._get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponseBase | None:
        assert request.resolver_match
        if "\0" in request.path:
            raise Http404
        if "%00" in request.META["QUERY_STRING"] and not request.path.startswith(API):  # which says so itself
            _leave_nul_out(request)
        rule = PAGES.get(request.resolver_match.view_name, Rule())
        needed = rule.needed(request.method)
        if needed == ANYBODY:
            return None
        if not request.user.is_authenticated:
            if request.path.startswith(API):
                return refusal(401, SEND_A_KEY)
            return _signed_out(request) if _by_script(request) else _to_sign_in(request)
        if needed and meets(request.user, needed):
            return None
        if needed is None and rule != Rule():
            return HttpResponseNotAllowed(READING if rule.read else _methods(view))
        return _refusal(request)


def _leave_nul_out(request: HttpRequest) -> None:
    """PostgreSQL takes none: what makes no sense in the address of a page asks for nothing."""
    query = request.META["QUERY_STRING"]
    while "%00" in query:  # what stood around one may be another: %0%000
        query = query.replace("%00", "")
    request.META["QUERY_STRING"] = query
    request.GET = QueryDict(query)


def _methods(view: Any) -> Iterable[str]:
    """Those of an address that only changes."""
    return [method.upper() for method in getattr(view, "actions", None) or ("post",)]


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

    def __init__(self, application: Any, needed: str | None, pace: Pace) -> None:
        self._application = application
        self._needed = needed
        self._pace = pace

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if await self._admits(scope):
            paced = Paced(self._pace, receive, send)
            await self._application({**scope, "address": address_in(scope)}, paced.receive, paced.send)
            return
        await receive()  # websocket.connect
        await send({"type": "websocket.accept"})  # or the browser would not be told the code
        await send({"type": "websocket.close", "code": SIGNED_OUT})

    async def _admits(self, scope: Any) -> bool:
        if self._needed in (None, ANYBODY, BY_KEY):
            return self._needed is not None
        return await in_database(_may_open, scope["session"].session_key, self._needed)


def _may_open(session_key: str | None, needed: str) -> bool:
    return user_of(session_key).has_perm(needed)


async def admit_to_api(scope: Any, key: str, *, after: float = 0) -> str:
    """Who uses models by a socket: the id of the key, "" for a person."""
    return (await admit(scope, key, SOCKET_ABILITY, after=after)).key


async def admit(scope: Any, key: str, *needed: str, after: float = 0) -> Visitor:
    """Who opens a socket of the API, by the key that was sent in a message or in a header, or by their
    session, and has these abilities. NotAdmitted for anybody else. Who is in is asked again `after` so many
    seconds, and at once when their key is revoked."""
    if after:
        await until_news(scope[_ADMITTED], after)
    authorization = dict(scope["headers"]).get(b"authorization", b"").decode("latin-1")
    sent = key or key_in(authorization) or ""
    count = _ADMITTED not in scope  # once a socket: it is asked again and again whether its key still opens
    asked = scope["session"].session_key, sent, address_in(scope), needed, count
    try:
        visitor = await in_database(_who_asks, *asked)
    except NotAdmitted as error:
        status = 503 if isinstance(error, _Uncounted) else _STATUSES.get(error.code)
        note_socket(scope, sent[:PREFIX_LENGTH], status)
        raise
    if count:
        note_socket(scope, visitor.key, OPENED)
    scope[_ADMITTED] = visitor.key
    return visitor


def _who_asks(session_key: str | None, key: str, address: str, needed: Iterable[str], count: bool) -> Visitor:
    try:
        row = found(key, address) if key else None
    except BadKey as error:
        raise NotAdmitted(INACTIVE_KEY if error.key else UNKNOWN_KEY, str(error)) from None
    if row and count:
        _count(row)
    user = row.person if row else user_of(session_key)
    if not user.is_authenticated:
        raise NotAdmitted(UNKNOWN_KEY, "Send an API key, in the first message or as `Authorization: Bearer`.")
    for ability in needed:
        if not user.has_perm(ability):
            what = ABILITIES[ability][0]
            told = f"This takes the right “{what}”, which the role or the key's scopes do not have."
            raise NotAdmitted(NOT_ALLOWED, told)
    return Visitor(user.get_username(), row.prefix if row else "")


def _count(row: ApiKey) -> None:
    """A socket is one request more of its key."""
    try:
        rate = rates.counted(row.prefix, row.requests_a_minute)
    except rates.Uncounted:
        raise _Uncounted(TRY_AGAIN, "Requests cannot be counted just now: try again.") from None
    if rate and (why := rate.why_not()):
        raise NotAdmitted(TRY_AGAIN, why)


def guarded(sockets: Iterable[URLPattern]) -> list[URLPattern]:
    """The same addresses, behind the gate. One without a rule opens for nobody."""
    found = []
    for socket in sockets:
        route = str(socket.pattern)
        needed = SOCKETS.get(route)
        gate: Any = SocketGate(socket.callback, needed, PACES.get(route, SOUND))
        found.append(path(route, gate if needed == ANYBODY else SessionMiddlewareStack(gate)))
    return found
