"""A program that uses the REST API, in the process of the test."""

from __future__ import annotations

from typing import Any

from asgiref.sync import async_to_sync
from django.test import Client
from django.test.client import ClientHandler

from mlservices.api.answers import Later


class _Handler(ClientHandler):
    """Waits for what is answered later, as the site's own does."""

    def get_response(self, request: Any) -> Any:
        response = super().get_response(request)
        return async_to_sync(response.made)() if isinstance(response, Later) else response


class Program(Client):
    """Sends and reads JSON, with its key."""

    def __init__(self, key: str) -> None:
        super().__init__(enforce_csrf_checks=True, headers={"Authorization": f"Bearer {key}"})
        self.handler = _Handler(enforce_csrf_checks=True)

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
