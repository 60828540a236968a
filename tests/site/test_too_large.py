"""A request that is refused before it is read is answered like any other."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from django.test import Client

from voiceforge_site.handler import http_application

LENGTH = b"99000000"
OWN = ("X-Request-ID", "Content-Length", "Content-Language", "WWW-Authenticate", "Vary")
site = http_application()  # once: it sets up the logs


def answered(path: str, *headers: tuple[bytes, bytes]) -> dict[str, str]:
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "query_string": b"",
        "headers": [(b"host", b"localhost"), (b"content-length", LENGTH), *headers],
    }
    asyncio.run(site(scope, None, send))
    assert sent[0]["status"] == 413
    return {name.decode().lower(): value.decode() for name, value in sent[0]["headers"]}


def test_it_has_a_name_that_stands_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    headers = answered("/api/agents")
    (line,) = [record for record in caplog.records if record.name == "django.request"]
    assert line.getMessage() == "Request Entity Too Large: /api/agents"
    assert line.request.request_id == headers["x-request-id"]


def test_it_is_guarded_by_the_headers_of_all_answers(settings: Any) -> None:
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    usual = Client().get("/api/agents", headers={"X-Forwarded-Proto": "https"}).headers
    refused = answered("/api/agents", (b"x-forwarded-proto", b"https"))
    for name, value in usual.items():
        if name not in OWN:
            assert refused[name.lower()] == value, name
    assert {"content-security-policy", "strict-transport-security"} <= refused.keys()
