"""A stand-in for an OpenAI-compatible server's chat: it streams what it is given, or fails, and tells its
tokens as such servers differ in telling them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.mlservices.conftest import serving

DONE = "data: [DONE]\n\n"
UNKNOWN_OPTION = {"error": {"message": "Unrecognized request argument supplied: stream_options"}}
FORBIDDEN_OPTION = {"detail": [{"type": "extra_forbidden", "loc": ["body", "stream_options"]}]}


def event(*, finish_reason: str | None = None, **delta: Any) -> str:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    return "data: " + json.dumps({"choices": [choice]}) + "\n\n"


def usage_event(usage: Any) -> str:
    return "data: " + json.dumps({"choices": [], "usage": usage}) + "\n\n"


class OpenAI:
    """`usage` is told after the events where it is asked for (None: never). `refuses` is how it answers who
    asks. With `body`, it streams nothing and answers that; without `done`, its connection ends before its
    answer is said to."""

    def __init__(
        self,
        *events: str,
        status: int = 200,
        body: Any = None,
        headers: dict[str, str] | None = None,
        usage: Any = None,
        refuses: tuple[Literal[400, 422], Any] | None = None,
        done: bool = True,
    ) -> None:
        self.events, self.status, self.body, self.headers = events, status, body, headers
        self.usage, self.refuses, self.done = usage, refuses, done
        self.requests: list[tuple[str | None, dict[str, Any]]] = []

    async def _complete(self, request: Request) -> Response:
        asked = await request.json()
        self.requests.append((request.headers.get("authorization"), asked))
        asks_for_usage = "stream_options" in asked
        if self.refuses and asks_for_usage:
            status, told = self.refuses
            return JSONResponse(told, status_code=status)
        if self.body is not None:
            return JSONResponse(self.body, status_code=self.status, headers=self.headers)
        told = [usage_event(self.usage)] if self.usage is not None and asks_for_usage else []
        return StreamingResponse(
            iter([*self.events, *told, *([DONE] if self.done else [])]), media_type="text/event-stream"
        )

    @contextmanager
    def served(self) -> Iterator[str]:
        """Yields the base URL."""
        app = Starlette(routes=[Route("/v1/chat/completions", self._complete, methods=["POST"])])
        with serving(app) as url:
            yield f"{url}/v1"
