"""What is sent to webhooks, in OpenAPI's form: each kind that there is, from where the apps declare it."""

from __future__ import annotations

from typing import Any

from mlservices.happenings import KINDS, Kind

from ..hooks.sending import ANSWER_SECONDS

TAG = "Webhooks"
_ID = "5c3b1d0e-7a6b-4c8d-9e0f-1a2b3c4d5e6f"
_AT, _AT_SECONDS = "2026-03-02T09:31:32.120000+00:00", 1772443892


def _header(name: str, what: str, schema: str, example: Any) -> dict[str, Any]:
    return {
        "name": name,
        "in": "header",
        "required": True,
        "description": what,
        "schema": {"type": schema},
        "example": example,
    }


_HEADERS = [
    _header("webhook-id", "The `id` of the body: the same each time a message is sent.", "string", _ID),
    _header(
        "webhook-timestamp",
        "Seconds since 1970: refuse what is older than five minutes.",
        "integer",
        _AT_SECONDS,
    ),
    _header(
        "webhook-signature",
        "`v1,` and the HMAC-SHA256 of `id.timestamp.body` in base64, as standardwebhooks.com has it; two, "
        "with a space between, while a secret is replaced.",
        "string",
        "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=",
    ),
]
_ANSWERS = {
    "2XX": {"description": f"Taken: answer within {ANSWER_SECONDS:g} seconds."},
    "410": {"description": "Not wanted any more: the webhook is switched off."},
    "default": {"description": "It is sent again, later and later, for a day."},
}


def webhooks() -> dict[str, Any]:
    """By kind."""
    return {name: {"post": _sent(kind)} for name, kind in sorted(KINDS.items())}


def _sent(kind: Kind) -> dict[str, Any]:
    content = {"schema": _schema(kind), "example": _example(kind)}
    return {
        "tags": [TAG],
        "operationId": f"told_{kind.name.replace('.', '_')}",
        "summary": str(kind.what),
        "security": [],
        "parameters": _HEADERS,
        "requestBody": {"required": True, "content": {"application/json": content}},
        "responses": _ANSWERS,
    }


def _schema(kind: Kind) -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["id", "type", "timestamp", "about", "sequence", "data"],
        "properties": {
            "id": {"type": "string", "format": "uuid", "description": "By which doubles are dropped."},
            "type": {"const": kind.name, "description": "What happened."},
            "timestamp": {"type": "string", "format": "date-time", "description": "When it happened."},
            "about": {"type": "string", "description": "What it happened to, as `call:ID`; may be empty."},
            "sequence": {
                "type": ["integer", "null"],
                "description": "Never falls for one `about`: what comes late can be told.",
            },
            "data": {"type": "object", "description": "What there is to tell of it, as below."},
        },
    }


def _example(kind: Kind) -> dict[str, Any]:
    call = kind.name.startswith("call.")
    return {
        "id": _ID,
        "type": kind.name,
        "timestamp": _AT,
        "about": "call:6a0f3c9e-2d1b-4d57-9f0e-8f5a1d2c3b4a" if call else "",
        "sequence": 41 if call else None,
        "data": dict(kind.example),
    }
