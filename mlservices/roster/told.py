"""What the ML service tells of its models, asked just now."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from asgiref.sync import async_to_sync

from .. import audit, registry
from ..catalog import BY_ID
from ..errors import EngineError, EngineTimeout, Outcome
from ..service.layout import configured_models

DONE = {  # what the audit trail calls it
    "download": "downloaded",
    "stop": "paused",
    "load": "loaded",
    "unload": "unloaded",
    "warm": "warmed_up",
    "remove": "removed",
}


@dataclass(frozen=True, slots=True)
class Told:
    """`problem` says why it tells nothing, and then the rest is empty."""

    models: dict[str, dict[str, Any]] = field(default_factory=dict)
    devices: list[dict[str, Any]] = field(default_factory=list)
    problem: str = ""


async def asked() -> Told:
    try:
        answer = await registry.own_service().managed_models()
        return Told({each["id"]: each for each in answer["models"]}, answer["devices"])
    except EngineError as error:
        return Told(problem=str(error))
    except (KeyError, TypeError):
        return Told(problem="it is of another version")


ask = async_to_sync(asked)


def change(model_id: str, verb: str) -> bool:
    """Whether it is done; it may also be under way, and go on by itself. EngineError: why it is refused."""
    if verb == "remove" and model_id in configured_models():
        reason = still_configured(model_id)
        raise EngineError(reason, service="ml", permanent=True, outcome=Outcome.REFUSED)
    try:
        async_to_sync(registry.own_service().manage_model)(model_id, verb)
    except EngineTimeout as error:
        if error.outcome is Outcome.UNREACHABLE:
            raise
        is_done = False
    else:
        is_done = True
    audit.record(f"model.{DONE[verb]}", audit.Thing("mlservices.model", model_id, BY_ID[model_id].name))
    return is_done


def still_configured(model_id: str) -> str:
    """Why its files stay: the service would miss them when it starts."""
    return (
        f"{model_id} is configured: choose another in STT_ENGINE, TTS_ENGINE, LLM_ENGINE or ML_MODELS first."
    )
