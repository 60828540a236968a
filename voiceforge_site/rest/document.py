"""The API described in OpenAPI's form: its resources by drf-spectacular, and what `mlservices.api` says of
itself. /openapi.json for programs, /api/docs for people."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.utils import translation
from drf_spectacular.generators import SchemaGenerator

from mlservices.api.document import described

from .examples import exemplify
from .outgoing import webhooks
from .parameters import describe

_KEY = {"type": "http", "scheme": "bearer", "description": "An API key: `vf_sk_` and 32 hexadecimal digits."}
_PROBLEM = {
    "type": "object",
    "required": ["title", "status", "detail"],
    "properties": {
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "what is wrong and what to do, in a sentence"},
        "fields": {
            "type": "object",
            "additionalProperties": {"type": "string"},
            "description": "what is wrong with each field, by its path: `facts.0.topic`",
        },
        "service": {"type": "string", "description": "which service could not do it"},
        "retry_after": {"type": "integer", "description": "seconds"},
        "permanent": {"type": "boolean", "description": "whether asking again is of no use"},
    },
}
_WRONG = {
    "description": "Why not",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
_METRICS = {
    "get": {
        "summary": "Measures for Prometheus",
        "tags": ["Status"],
        "operationId": "metrics",
        "responses": {"200": {"description": "OK", "content": {"text/plain": {}}}},
    }
}
_IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "schema": {"type": "string"},
    "description": "The ETag that you read. 412 if somebody has changed it since.",
}
_IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "schema": {"type": "string", "maxLength": 200},
    "description": "Any text of your own, new for each request: sent again with it, it is answered as before "
    "and done once, for 24 hours. What is streamed, or larger than 8 MB, is not kept: 409 says so.",
}


def resources(endpoints: list[Any]) -> list[Any]:
    """PREPROCESSING_HOOK: only what is under /api/."""
    return [endpoint for endpoint in endpoints if endpoint[0].startswith("/api/")]


def completed(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """POSTPROCESSING_HOOK: with the models' part, faults, keys and the headers that every method takes."""
    result["paths"] = dict(sorted((result["paths"] | described() | {"/api/metrics": _METRICS}).items()))
    components = result.setdefault("components", {})
    components["securitySchemes"] = {"key": _KEY}
    components.setdefault("schemas", {})["Problem"] = _PROBLEM
    result["security"] = [{"key": []}]
    for path, methods in result["paths"].items():
        for method, operation in methods.items():
            _complete(method, operation)
            describe(path, operation)
            exemplify(path, operation, components["schemas"])
    result["webhooks"] = webhooks()
    return result


def _complete(method: str, operation: dict[str, Any]) -> None:
    operation["responses"]["default"] = _WRONG
    if operation.get("security"):  # else it is open
        del operation["security"]  # as everywhere
    headers = {"patch": _IF_MATCH, "delete": _IF_MATCH, "post": _IDEMPOTENCY_KEY}
    if method in headers:
        operation.setdefault("parameters", []).append(headers[method])


@cache
def document() -> dict[str, Any]:
    """The same for everybody, in English, and as long as the process lives."""
    with translation.override("en"):
        found: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return found


def openapi(request: HttpRequest) -> HttpResponseBase:
    return JsonResponse(document())
