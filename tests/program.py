"""A program that uses the REST API, in the process of the test."""

from __future__ import annotations

from django.test import Client


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
