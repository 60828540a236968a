"""What parameters of the API are, where the resources themselves do not say it: a part of an address by the
address up to it, and what stands after the ? by its address too."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_FLOW, _CALL, _WEBHOOK = "/api/agent-flows/{id}", "/api/telephony/calls/{id}", "/api/webhooks/{id}"
IN_ADDRESSES = {
    "/api/agents/{id}": "The agent's id, as `front-desk`.",
    "/api/agents/{id}/versions/{number}": "The number of the version.",
    _FLOW: "The flow's id, as `appointments`.",
    "/api/agent-flows/templates/{id}": "The template's id: see `GET /api/agent-flows/templates`.",
    f"{_FLOW}/nodes/{{part}}": "The step's id in the flow.",
    f"{_FLOW}/edges/{{part}}": "The edge's id in the flow.",
    f"{_FLOW}/tests/{{place}}": "The place of the test in the list, from 1.",
    f"{_FLOW}/versions/{{number}}": "The number of the version.",
    "/api/tools/{name}": "The tool's name, as flows call it.",
    "/api/tools/servers/{id}": "The server's id.",
    "/api/knowledge/{id}": "The id of the base.",
    "/api/knowledge/{id}/sources/{source}": "The id of the source.",
    "/api/voices/{voice}": "The voice's id: see `GET /api/voices`.",
    _CALL: "The call's id, as its page's address has it.",
    f"{_CALL}/tags/{{name}}": "The tag's name, in capitals or not.",
    f"{_CALL}/notes/{{number}}": "The id of the note.",
    "/api/telephony/outbound-calls/{id}": "The id that was answered when it was ordered.",
    "/api/telephony/do-not-call/{id}": "The number, as +14155550100.",
    "/api/telephony/lines/{id}": "The line's id.",
    "/api/telephony/exports/{id}": "The id that was answered when it was ordered.",
    "/api/telephony/messages/{id}": "The message's id.",
    "/api/telephony/credentials/{id}": "The account's id.",
    "/api/telephony/numbers/{id}": "The number, as +14155550100.",
    "/api/telephony/blocked/{id}": "The number, or what it begins with and `*`.",
    "/api/keys/{id}": "The beginning of the key, by which it is known.",
    "/api/users/{id}": "The user's id.",
    "/api/services/{id}": "The service's id: see `GET /api/services`.",
    _WEBHOOK: "The webhook's id.",
    f"{_WEBHOOK}/deliveries/{{delivery}}": "The message's own `id`, which its receiver has too.",
}
AFTER_ADDRESSES = {
    "/api/telephony/numbers/offers?kind": "Of which kind.",
    "/api/telephony/outbound-calls?to": "The number that is called.",
}
IN_HEADERS = {"Range": "Of bytes, as `bytes=0-65535`: a part of the file, with 206."}


def describe(path: str, operation: dict[str, Any]) -> None:
    """Fills in what is missing."""
    for each in operation.get("parameters", []):
        if not each.get("description") and (told := _about(path, each["name"], each["in"])):
            each["description"] = told


def unused(paths: dict[str, Any]) -> Iterator[str]:
    """What is described here and is not there."""
    used = set(IN_HEADERS)
    for path, methods in paths.items():
        for operation in methods.values():
            for each in operation.get("parameters", []):
                used |= {_up_to(path, each["name"]), f"{path}?{each['name']}"}
    yield from sorted({*IN_ADDRESSES, *AFTER_ADDRESSES} - used)


def _about(path: str, name: str, where: str) -> str:
    match where:
        case "path":
            return IN_ADDRESSES.get(_up_to(path, name), "")
        case "query":
            return AFTER_ADDRESSES.get(f"{path}?{name}", "")
    return IN_HEADERS.get(name, "")


def _up_to(path: str, name: str) -> str:
    """ "/api/agents/{id}" of "/api/agents/{id}/try" """
    before, part, _after = path.partition(f"{{{name}}}")
    return before + part
