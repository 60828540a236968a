"""Which models the ML service of this machine holds, and what to do with them; for commands, which wait."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import httpx
from django.conf import settings

from ..errors import EngineError, EngineTimeout

HOLDS = ("ready", "loaded", "busy")
_ANSWER_SECONDS = 10.0
_LOOK_SECONDS = 0.25


def held() -> dict[str, dict[str, Any]] | None:
    """What the service tells of each model, by id; None while it does not run, or is of another version."""
    try:
        answer = _ask("GET", "/models")
        listed = answer.json()["models"] if answer.status_code == 200 else None
    except (EngineError, ValueError, KeyError, TypeError):
        return None
    return None if listed is None else {model["id"]: model for model in listed}


def change(
    model_id: str, verb: str, *, within_seconds: float, tell: Callable[[dict[str, Any]], None]
) -> dict[str, Any]:
    """`verb` is "load", "unload" or "warm"; answers what the service tells of the model when it is done.

    `tell` hears each new state on the way. EngineError has the reason of a refusal or a failure.
    """
    answer = _ask("POST", f"/models/{model_id}/{verb}")
    if answer.status_code != 202:
        raise EngineError(_reason(answer), service="ml", permanent=True)
    end = time.monotonic() + within_seconds
    shown = None
    while time.monotonic() < end:
        model = (held() or {}).get(model_id, {"id": model_id, "state": "absent"})
        if _is_done(model, verb):
            return model
        if model["state"] != shown:
            shown = model["state"]
            tell(model)
        time.sleep(_LOOK_SECONDS)
    raise EngineTimeout(f"{model_id} is still {shown} after {within_seconds:.0f} s.", service="ml")


def _is_done(model: dict[str, Any], verb: str) -> bool:
    if model["state"] == "failed":
        raise EngineError(f"{model['id']} failed: {model.get('reason', '')}", service="ml", permanent=True)
    if verb == "unload":
        return model["state"] not in (*HOLDS, "unloading")
    return model["state"] in HOLDS


def _ask(method: str, path: str) -> httpx.Response:
    address = f"http://127.0.0.1:{settings.ML_PORT}"
    try:
        with httpx.Client(base_url=address, timeout=_ANSWER_SECONDS, trust_env=False) as client:
            return client.request(method, path)
    except httpx.HTTPError as error:
        raise EngineError(
            f"The ML service does not answer on port {settings.ML_PORT}: "
            "start it with `manage.py mlservice` or `manage.py up`.",
            service="ml",
        ) from error


def _reason(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["error"])
    except (ValueError, KeyError, TypeError):
        return f"The ML service answered with status {answer.status_code}: is it of this version?"
