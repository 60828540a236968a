"""A door for a service that strangers can reach: a bearer token in every request."""

from __future__ import annotations

from hmac import compare_digest

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

# What a host's own probes ask, and what a browser opens that cannot send a token: nothing that is secret.
_OPEN = ("/", "/api/live", "/api/health", "/docs", "/openapi.json")


class BearerToken:
    """Answers 401 to whoever does not send `Authorization: Bearer TOKEN`. `scope["state"]["stranger"]` says
    of what is open to all whether it was asked without."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app, self._token = app, token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        known = scope["type"] != "http" or self._admits(Headers(scope=scope))
        if known or scope["path"] in _OPEN:
            scope.setdefault("state", {})["stranger"] = not known
            await self._app(scope, receive, send)
            return
        refusal = JSONResponse(
            {"error": "This service asks for its token: send `Authorization: Bearer TOKEN`."},
            status_code=401,
            headers={"WWW-Authenticate": "Bearer"},
        )
        await refusal(scope, receive, send)

    def _admits(self, headers: Headers) -> bool:
        scheme, _, token = headers.get("authorization", "").partition(" ")
        return scheme.lower() == "bearer" and compare_digest(token.strip().encode(), self._token)
