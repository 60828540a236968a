"""How much one request may send, whoever serves it: it is refused before it is read to its end."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from voiceforge_site.handler import http_application

MB = 2**20
FORM = b"multipart/form-data; boundary=x"


def sent(path: str, kind: bytes, megabytes: int) -> tuple[int | None, int]:
    """The status, and how many MB were taken; without a Content-Length, as a stranger would."""
    taken, statuses = 0, []

    async def receive() -> dict[str, Any]:
        nonlocal taken
        if taken == megabytes:
            return {"type": "http.request", "body": b"", "more_body": False}
        taken += 1
        return {"type": "http.request", "body": bytes(MB), "more_body": True}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "headers": [(b"host", b"localhost"), (b"content-type", kind)],
        "query_string": b"",
        "client": ["127.0.0.1", 1],
    }
    asyncio.run(http_application()(scope, receive, send))
    return statuses[0], taken


@pytest.mark.parametrize(
    ("path", "kind", "most"),
    [
        ("/login/", b"application/x-www-form-urlencoded", 4),
        ("/login/", FORM, 35),
        ("/nothing/", b"", 4),
        ("/api/agents", b"application/json", 33),
        ("/api/stt", FORM, 25),
    ],
    ids=["a form", "an upload", "no page", "JSON of the API", "a sound"],
)
def test_nobody_sends_more_than_a_page_or_the_api_takes(path: str, kind: bytes, most: int) -> None:
    assert sent(path, kind, 60) == (413, most + 1)
