"""Secrets in logs: whatever any test has sealed, and every key of ours, is looked for in all that is logged.

The suite stores credentials, tokens, headers of tools, passwords of SIP lines and secrets of webhooks in some
thousand ways. Each goes through Fernet, where its clear text is noted; passwords of people and ids of
sessions are noted where they are made. Each line of a log is judged as it would be written in production. A
test in which one stands fails with the line. What the whole product writes in processes of its own is
searched for the server's own secrets and for keys that were made meanwhile (tests/product.py).
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

from cryptography.fernet import Fernet
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.sessions.backends.base import SessionBase

from tests.product import OUR_KEYS
from voiceforge_site.logs import SafeFormatter

SHORTEST = 12  # characters; tests have passwords like "secret", which are words of ordinary lines too


class Search(logging.Handler):
    """Of the root logger, for a whole run of the suite."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.planted: set[str] = set()
        self.found: list[str] = []
        self.setFormatter(SafeFormatter(settings.SECRETS))

    def plant(self, text: str) -> None:
        self.planted |= {secret for secret in _secrets_in(text) if len(secret) >= SHORTEST}

    def plant_word(self, word: str) -> None:
        """One that is no JSON, though it may look like it."""
        if len(word) >= SHORTEST:
            self.planted.add(word)

    def emit(self, record: logging.LogRecord) -> None:
        line = self.format(record)
        if OUR_KEYS.search(line) or any(secret in line for secret in self.planted):
            self.found.append(line)

    def taken(self) -> list[str]:
        found, self.found = self.found, []
        return found


def _secrets_in(text: str) -> Iterator[str]:
    """A text, or those in what is JSON."""
    try:
        yield from _texts_in(json.loads(text))
    except ValueError:
        yield text


def _texts_in(told: Any) -> Iterator[str]:
    if isinstance(told, dict):
        for each in told.values():
            yield from _texts_in(each)
    elif isinstance(told, list):
        for each in told:
            yield from _texts_in(each)
    elif isinstance(told, str):
        yield told


search = Search()


def listen() -> None:
    """Before each test: who imports the site's ASGI application configures logging anew, without us."""
    if search not in logging.getLogger().handlers:
        logging.getLogger().addHandler(search)


def watch() -> None:
    """Once in each process that runs tests."""
    encrypted = Fernet._encrypt_from_parts  # beneath all ways of Fernet and MultiFernet

    def noted(self: Fernet, data: bytes, *more: Any) -> bytes:
        search.plant(data.decode(errors="replace"))
        return encrypted(self, data, *more)

    Fernet._encrypt_from_parts = noted  # type: ignore[method-assign]
    _watch_people()
    for key in (*settings.CREDENTIALS_KEYS, settings.SECRET_KEY):
        search.plant(key)
    listen()


def _watch_people() -> None:
    """Passwords are hashed and ids of sessions are kept as they are: neither goes through Fernet."""
    hashed, made = AbstractBaseUser.set_password, SessionBase._get_new_session_key

    def set_password(self: AbstractBaseUser, password: str | None) -> None:
        search.plant_word(password or "")
        hashed(self, password)

    def new_key(self: SessionBase) -> str:
        key = made(self)
        search.plant_word(key)
        return key

    AbstractBaseUser.set_password = set_password  # type: ignore[method-assign]
    SessionBase._get_new_session_key = new_key  # type: ignore[attr-defined]
