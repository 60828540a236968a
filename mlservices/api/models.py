"""`/api/models`: what there is and how it stands, and the verbs of the page of models."""

from __future__ import annotations

import asyncio
from typing import Any

from django.http import HttpRequest, HttpResponseBase, HttpResponseNotAllowed, JsonResponse

from .. import registry
from ..catalog import BY_ID, Model
from ..errors import EngineError
from ..roster.data import as_data
from ..roster.rows import all_rows, row_of
from ..roster.told import Told, ask, asked, change
from .answers import engine_refusal, refusal, refusing, taking

_VIEW = "mlservices.view_models"
_STREAMING = ["/api/tts", "/ws/stt"]
_VERBS = {  # of the page: by method and address
    ("POST", "download"): "download",
    ("DELETE", "download"): "stop",
    ("POST", "load"): "load",
    ("POST", "unload"): "unload",
    ("POST", "warm"): "warm",
}


@taking()
@refusing
async def models(request: HttpRequest) -> HttpResponseBase:
    """As a Space tells it, and for who may see them every model of the catalogue and the memory there is.
    `streaming` names what answers piece by piece, which is not what calls stream by."""
    told = await registry.service().models()
    chat_models = [{"id": id, "name": name} for id, name in registry.chat_models()]
    answer: dict[str, Any] = {
        "available_models": told.get("available_models", {}),
        "chat_models": chat_models,
        "streaming": _STREAMING,
    }
    if request.user.has_perm(_VIEW):
        own = await asked()
        answer |= {"models": await asyncio.to_thread(_all, own), "devices": own.devices}
    return _unstored(JsonResponse(answer))


def _all(told: Told) -> list[dict[str, Any]]:
    return [as_data(row) for row in all_rows(told)]


@taking()
def model(request: HttpRequest, model_id: str) -> HttpResponseBase:
    """GET tells all of one model, DELETE removes its files."""
    if not (found := BY_ID.get(model_id)):
        return _unknown(model_id)
    if request.method == "DELETE":
        return _changed(found, "remove")
    if request.method in ("GET", "HEAD"):
        return _unstored(JsonResponse(as_data(row_of(found, ask()))))
    return HttpResponseNotAllowed(["GET", "HEAD", "DELETE"])


def change_model(request: HttpRequest, model_id: str, verb: str) -> HttpResponseBase:
    """POST does it, and DELETE of a download stops that."""
    if not (found := BY_ID.get(model_id)):
        return _unknown(model_id)
    methods = [method for method, name in _VERBS if name == verb]
    if not methods:
        known = ", ".join(dict.fromkeys(name for _, name in _VERBS))
        return refusal(404, f"Nothing is done by {verb!r}: use one of {known}.")
    if request.method not in methods:
        return HttpResponseNotAllowed(methods)
    return _changed(found, _VERBS[request.method, verb])


def _changed(model: Model, verb: str) -> HttpResponseBase:
    """The model as it then stands; 202 while it is under way, which `GET /api/models/ID` follows."""
    try:
        done = change(model.id, verb)
    except EngineError as error:
        return engine_refusal(error)
    row = row_of(model, ask())
    return _unstored(JsonResponse(as_data(row), status=200 if done and not row.is_busy else 202))


def _unknown(model_id: str) -> HttpResponseBase:
    return refusal(404, f"There is no model {model_id!r}: GET /api/models lists all.")


def _unstored(answer: JsonResponse) -> JsonResponse:
    answer["Cache-Control"] = "no-store"
    return answer
