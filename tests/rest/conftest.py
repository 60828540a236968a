"""Programs that have a key: of Alice, who may do everything, and of others."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.db import connections
from django.test import Client

from voiceforge_site.access import key_actions
from voiceforge_site.models import User


class Program(Client):
    """Sends and reads JSON, with its key."""

    def __init__(self, key: str) -> None:
        super().__init__(enforce_csrf_checks=True, headers={"Authorization": f"Bearer {key}"})

    def send(self, method: str, address: str, data: object = None, **headers: str):
        """`If_Match="..."` is a header."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.generic(
            method,
            address,
            "" if data is None else self._encode_json(data, "application/json"),
            content_type="application/json",
            headers=named,
        )


@pytest.fixture
def program(db: None) -> Callable[..., Program]:
    """That of a person, whose key is made with these limits."""
    return lambda person, **limits: Program(key_actions.create("a test", person, **limits)[1])


@pytest.fixture
def alices(alice: User, program: Callable[..., Program]) -> Program:
    return program(alice)


@pytest.fixture
def bobs(bob: User, program: Callable[..., Program]) -> Program:
    return program(bob)


@pytest.fixture(autouse=True)
def _no_thread_outlives_its_database() -> Iterator[None]:
    yield
    async_to_sync(sync_to_async(connections.close_all))()
