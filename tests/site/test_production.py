"""With the settings of a server on the internet."""

from __future__ import annotations

import asyncio
import os
import secrets
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from channels.testing import WebsocketCommunicator
from cryptography.fernet import Fernet
from django.test import Client

from voiceforge_site.models import User

ROOT = Path(__file__).resolve().parents[2]


def test_the_check_of_a_deployment_finds_nothing(tmp_path: Path) -> None:
    production = {
        "ENV_FILE": "",
        "VAR_DIR": str(tmp_path),
        "DEBUG": "false",
        "PUBLIC_URL": "https://voice.example.org",
        "DATABASE_URL": "postgres://voice@127.0.0.1:9/voice",
        "SESSION_SECRET": secrets.token_hex(40),
        "CREDENTIALS_KEY": Fernet.generate_key().decode(),
        "DJANGO_SETTINGS_MODULE": "voiceforge_site.settings",
        "DJANGO_ALLOW_ASYNC_UNSAFE": "",  # browser tests of the same process set it
    }
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | production, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.django_db
def test_every_kind_of_answer_says_what_browsers_may_do_with_it(alices_browser: Client) -> None:
    answers = {
        "page": alices_browser.get("/profile/"),
        "sign-in": Client().get("/login/"),
        "API": alices_browser.get("/api/users/me"),
        "refusal": Client().get("/api/users/me"),
        "missing": Client().get("/nowhere/"),
        "not allowed": alices_browser.delete("/profile/"),
        "bad host": Client().get("/login/", HTTP_HOST="evil.example"),
        "script": Client().get("/static/js/live.js"),
    }
    for kind, answer in answers.items():
        assert answer.headers.get("X-Content-Type-Options") == "nosniff", kind
        assert answer.headers.get("Referrer-Policy") == "same-origin", kind
    for kind in set(answers) - {"script", "bad host"}:  # no frame does anything with these
        answer = answers[kind]
        policy = answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Frame-Options"] == "DENY", kind
        assert "frame-ancestors 'none'" in policy and "object-src 'none'" in policy, kind
        assert "'unsafe-inline'" not in policy, kind
        assert "'unsafe-eval'" not in policy, kind


@pytest.mark.django_db
def test_cookies_are_for_our_server_alone(alice: User, settings: Any) -> None:
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True  # as with PUBLIC_URL=https://...
    browser = Client()
    browser.get("/login/")
    browser.post("/login/", {"username": "alice", "password": "password"})
    session, token = browser.cookies["sessionid"], browser.cookies["csrftoken"]
    assert session["httponly"] and session["secure"] and token["secure"]
    assert (session["samesite"], token["samesite"]) == ("Lax", "Lax")


@pytest.mark.parametrize(
    "path", ["ws/live/", "ws/stt", "ws/realtime", "ws/media/browser/", "ws/media/twilio/", "ws/media/sip/"]
)
def test_a_page_of_another_site_opens_no_socket(path: str) -> None:
    from voiceforge_site.asgi import sockets

    async def opened(origin: str) -> Any:
        socket = WebsocketCommunicator(sockets, f"/{path}", headers=[(b"origin", origin.encode())])
        try:
            return await socket.connect()
        finally:
            await socket.disconnect()

    assert asyncio.run(opened("https://evil.example"))[0] is False
