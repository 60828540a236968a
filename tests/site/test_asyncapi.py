"""The document of the sockets is one of AsyncAPI's, and tells what is taken and sent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from django.test import Client

from telephony.providers.realtime import messages
from voiceforge_site.access.rules import BY_KEY, SOCKETS
from voiceforge_site.models import User
from voiceforge_site.rest.asyncapi import SOCKETS as DESCRIBED
from voiceforge_site.rest.asyncapi import type_of

SCHEMA = Path(__file__).resolve().parents[1] / "vendor" / "asyncapi-3.0.0.json"


@pytest.fixture
def told(db: None) -> dict[str, Any]:
    """As somebody without a key gets it."""
    found: dict[str, Any] = Client().get("/asyncapi.json").json()
    return found


def test_it_keeps_to_the_schema_of_asyncapi(told: dict[str, Any]) -> None:
    validator = jsonschema.Draft7Validator(json.loads(SCHEMA.read_text()))
    assert [error.message for error in validator.iter_errors(told)] == []
    del told["info"]["title"]
    assert list(validator.iter_errors(told))


def references(part: Any) -> list[str]:
    if isinstance(part, dict):
        own = [part["$ref"]] if "$ref" in part else []
        return own + [each for value in part.values() for each in references(value)]
    return [each for value in part for each in references(value)] if isinstance(part, list) else []


def test_it_refers_to_nothing_that_is_not_there(told: dict[str, Any]) -> None:
    found = references(told)
    assert len(found) > 50
    for reference in found:
        part: Any = told
        for step in reference.removeprefix("#/").split("/"):
            part = part[step]


def test_every_socket_of_programs_is_described_but_that_which_only_hears() -> None:
    """`/ws/stt` sends its sound as it is, in messages that are no JSON; README tells of it."""
    addresses = {
        f"/{route}".replace("<uuid:call_id>", "{callId}") for route in SOCKETS if SOCKETS[route] == BY_KEY
    }
    assert {socket.address for socket in DESCRIBED} == addresses - {"/ws/stt"}


def test_what_it_says_of_a_message_is_what_is_taken(told: dict[str, Any]) -> None:
    schemas = told["components"]["schemas"]
    init = jsonschema.Draft202012Validator({**schemas["Init"], "components": told["components"]})
    good = {"type": "init", "eventId": "1", "config": {"mode": "text", "agentMode": "echo"}}
    for message in (
        good,
        {**good, "config": {"mode": "video"}},
        {**good, "config": {"colour": "red"}},
        {"type": "init"},
        {**good, "eventId": ""},
        {**good, "apiKey": 7},
    ):
        try:
            messages.READ.validate_python(message)
            taken = True
        except ValueError:
            taken = False
        assert init.is_valid(message) == taken, message


def test_the_page_tells_each_message_with_its_fields(alice: User, client: Client) -> None:
    client.force_login(alice)
    page = client.get("/api/docs/realtime").text
    for socket in DESCRIBED:
        for model in (*socket.heard, *socket.told):
            assert f"<code>{type_of(model)}</code>" in page
    assert "<code>config.agentMode</code>" in page
    assert "<code>latency.processing</code>" in page
    assert 'href="/api/docs/realtime"' in client.get("/api/docs").text
