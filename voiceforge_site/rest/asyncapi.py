"""The WebSockets of programs in AsyncAPI's form, made of the models that check what comes and shape what
goes. /asyncapi.json for programs, /api/docs/realtime for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from telephony.providers.base import LONGEST_MESSAGE
from telephony.providers.realtime import messages
from telephony.realtime import following, limits

_SCHEMAS = "#/components/schemas/"
_KEY = {
    "type": "http",
    "scheme": "bearer",
    "description": "An API key, here or as `apiKey` of the first message.",
}


@dataclass(frozen=True, slots=True)
class Socket:
    """One address. `heard` comes from the client, the first message first; `told` is the server's."""

    name: str
    address: str
    title: Any
    what: Any
    heard: Sequence[type[BaseModel]]
    told: Sequence[type[BaseModel]]
    closes: dict[int, Any]


_CLOSES: dict[int, Any] = {
    1000: _("The call is over"),
    1008: _("What was sent cannot be taken, or too much of it came"),
    1009: _("A message is too large"),
    1013: _("The server is busy, or the key has enough sessions or asks too often: try again"),
    4001: _("The key is not known"),
    4002: _("The key was revoked, has expired, or its person may not sign in"),
    4003: _("The role, or the key's scopes, do not allow it"),
}
_CALL_CLOSES: dict[int, Any] = {
    **_CLOSES,
    4004: _("There is no such call"),
}
SOCKETS = (
    Socket(
        "realtime",
        "/ws/realtime",
        _("Talk with an agent"),
        _(
            "A program talks with an agent, in sound, in text or in both, as callers do: it is a call, with "
            "its transcript on its page. Send init first, then sound as it is spoken, in pieces of 20 ms."
        ),
        messages.FROM_CLIENT,
        messages.FROM_SERVER,
        _CLOSES,
    ),
    Socket(
        "call",
        "/ws/calls/{callId}",
        _("Follow a call"),
        _(
            "All that happens in a call, as numbered events. Whoever was cut off opens the address again, "
            "says which number was the last, and goes on from there."
        ),
        (following.Follow,),
        following.FROM_SERVER,
        _CALL_CLOSES,
    ),
)
LIMITS = (
    (_("First message"), f"{limits.FIRST_MESSAGE_SECONDS:g} s"),
    (_("A message"), f"{LONGEST_MESSAGE // 1024} KB"),
    (_("Messages a second"), f"{limits.MESSAGES_A_SECOND:g}"),
    (_("Sound at once"), f"{limits.SOUND_AT_ONCE:g} s"),
    (_("Without a message"), f"{limits.IDLE_SECONDS:g} s"),
)


@cache
def document() -> dict[str, Any]:
    """The same for everybody, and as long as the process lives."""
    scheme, _colon, host = settings.PUBLIC_URL.partition("://")
    server = {"host": host or "localhost", "protocol": "ws" if scheme == "http" else "wss"}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "VoiceForge",
            "version": "1",
            "description": "The WebSockets of programs. What is asked for by HTTP is in /openapi.json.",
        },
        "defaultContentType": "application/json",
        "servers": {"this": {**server, "security": [{"$ref": "#/components/securitySchemes/key"}]}},
        "channels": {socket.name: _channel(socket) for socket in SOCKETS},
        "operations": dict(operation for socket in SOCKETS for operation in _operations(socket)),
        "components": {
            "messages": {model.__name__: _message(model) for model in _models()},
            "schemas": _schemas(),
            "securitySchemes": {"key": _KEY},
        },
    }


def _models() -> list[type[BaseModel]]:
    return [model for socket in SOCKETS for model in (*socket.heard, *socket.told)]


@cache
def _schemas() -> dict[str, Any]:
    heard = [(model, "validation") for socket in SOCKETS for model in socket.heard]
    told = [(model, "serialization") for socket in SOCKETS for model in socket.told]
    schemas: dict[str, Any] = {}
    for models in (heard, told):
        _names, found = models_json_schema(models, ref_template=_SCHEMAS + "{model}")  # type: ignore[arg-type]
        schemas |= found["$defs"]
    return schemas


def _channel(socket: Socket) -> dict[str, Any]:
    closes = "\n".join(f"- {code}: {what}" for code, what in socket.closes.items())
    channel: dict[str, Any] = {
        "address": socket.address,
        "title": str(socket.title),
        "description": f"{socket.what}\n\nThe socket is closed with\n\n{closes}",
        "messages": {
            model.__name__: {"$ref": f"#/components/messages/{model.__name__}"}
            for model in (*socket.heard, *socket.told)
        },
        "bindings": {"ws": {"method": "GET"}},
    }
    if "{callId}" in socket.address:
        channel["parameters"] = {
            "callId": {"description": "The id of the call, as its page's address has it"}
        }
    return channel


def _operations(socket: Socket) -> Iterator[tuple[str, dict[str, Any]]]:
    for action, models in (("receive", socket.heard), ("send", socket.told)):
        name = f"{socket.name}.{action}"
        sent = [{"$ref": f"#/channels/{socket.name}/messages/{model.__name__}"} for model in models]
        channel = {"$ref": f"#/channels/{socket.name}"}
        yield name, {"action": action, "channel": channel, "messages": sent}


def _message(model: type[BaseModel]) -> dict[str, Any]:
    return {
        "name": type_of(model),
        "summary": _about(model),
        "payload": {"$ref": _SCHEMAS + model.__name__},
    }


def _about(model: type[BaseModel]) -> str:
    return " ".join((model.__doc__ or "").split())


def type_of(model: type[BaseModel]) -> str:
    """What its `type` says."""
    (name,) = model.model_fields["type"].annotation.__args__  # type: ignore[union-attr]
    return str(name)


def asyncapi(request: HttpRequest) -> HttpResponseBase:
    return JsonResponse(document())


# ---- for people -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    kind: str
    default: str
    what: str
    required: bool


def sockets(request: HttpRequest) -> HttpResponseBase:
    shown = [
        (socket, [(_("You send"), _shown(socket.heard)), (_("You are told"), _shown(socket.told))])
        for socket in SOCKETS
    ]
    return render(request, "api/sockets.html", {"sockets": shown, "limits": LIMITS})


def _shown(models: Sequence[type[BaseModel]]) -> list[tuple[str, str, list[Field]]]:
    """(type, what it is, its fields) of each."""
    return [(type_of(model), _about(model), list(_fields(_schemas()[model.__name__]))) for model in models]


def _fields(schema: dict[str, Any], within: str = "") -> Iterator[Field]:
    for name, each in schema.get("properties", {}).items():
        if name in ("type", "eventId"):  # the heading says it, and all messages have it
            continue
        kinds = [_whole(kind) for kind in each.get("anyOf", [each])]
        default = each.get("default")
        shown = "" if default in (None, "") or isinstance(default, dict) else str(default).lower()
        kind = " | ".join(_kind(kind) for kind in kinds)
        required = name in schema.get("required", [])
        yield Field(
            within + name, kind, shown, each.get("description", kinds[0].get("description", "")), required
        )
        for part in kinds:
            if "properties" in part:
                yield from _fields(part, f"{within}{name}.")


def _whole(schema: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in schema:
        found: dict[str, Any] = _schemas()[schema["$ref"].removeprefix(_SCHEMAS)]
        return found
    return schema


def _kind(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return ", ".join(schema["enum"])
    if "const" in schema:
        return str(schema["const"])
    kind = str(schema.get("type", "any"))
    least, most = (
        schema.get("minimum", schema.get("minLength")),
        schema.get("maximum", schema.get("maxLength")),
    )
    return f"{kind}, {least or 0}–{most:,}" if most is not None else kind
