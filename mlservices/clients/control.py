"""Which models the ML service of this machine holds, and what to do with them; for commands, which wait."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import async_to_sync
from django.conf import settings

from .. import registry
from ..errors import EngineError, EngineTimeout
from .service import ServiceClient

LOADED = "loaded"
HOLDS = ("starting", "loading", LOADED, "unloading")
_LOOK_SECONDS = 0.25

Told = dict[str, Any]


def held() -> dict[str, Told] | None:
    """What the service tells of each model, by id; None while it does not run, or is of another version."""
    known: dict[str, Told] | None = async_to_sync(_with_service)(_held)
    return known


def change(model_id: str, verb: str, *, within_seconds: float, tell: Callable[[Told], None]) -> Told:
    """`verb` is "load", "unload" or "warm"; answers what the service tells of the model when it is done.

    `tell` hears each new state on the way. EngineError has the reason of a refusal or a failure.
    """

    async def changed(service: ServiceClient) -> Told:
        return await _changed(service, model_id, verb, within_seconds, tell)

    done: Told = async_to_sync(_with_service)(changed)
    return done


async def _with_service(ask: Callable[[ServiceClient], Awaitable[Any]]) -> Any:
    service = registry.own_service()
    try:
        return await ask(service)
    finally:
        await service.close()


async def _held(service: ServiceClient) -> dict[str, Told] | None:
    try:
        listed = (await service.managed_models())["models"]
        return {model["id"]: model for model in listed}
    except (EngineError, KeyError, TypeError):
        return None


async def _changed(
    service: ServiceClient, model_id: str, verb: str, within_seconds: float, tell: Callable[[Told], None]
) -> Told:
    end = time.monotonic() + within_seconds
    try:
        await service.manage_model(model_id, verb)
    except EngineTimeout:  # it goes on by itself
        pass
    except EngineError as error:
        if error.status:
            raise
        raise _away() from error
    shown = None
    while time.monotonic() < end:
        model = (await _held(service) or {}).get(model_id, {"id": model_id, "state": "absent"})
        if _is_done(model, verb):
            return model
        if model["state"] != shown:
            shown = model["state"]
            tell(model)
        await asyncio.sleep(_LOOK_SECONDS)
    raise EngineTimeout(f"{model_id} is still {shown} after {within_seconds:.0f} s.", service="ml")


def _is_done(model: Told, verb: str) -> bool:
    if verb == "unload":
        return model["state"] not in HOLDS
    if model["state"] == "failed":
        raise EngineError(f"{model['id']} failed: {model.get('reason', '')}", service="ml", permanent=True)
    return model["state"] == LOADED


def _away() -> EngineError:
    return EngineError(
        f"The ML service does not answer on port {settings.ML_PORT}: "
        "start it with `manage.py mlservice` or `manage.py up`.",
        service="ml",
    )
