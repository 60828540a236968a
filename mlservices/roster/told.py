"""What the ML service tells of its models, asked just now."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from asgiref.sync import async_to_sync

from .. import registry
from ..errors import EngineError


@dataclass(frozen=True, slots=True)
class Told:
    """`problem` says why it tells nothing, and then the rest is empty."""

    models: dict[str, dict[str, Any]] = field(default_factory=dict)
    devices: list[dict[str, Any]] = field(default_factory=list)
    problem: str = ""


def ask() -> Told:
    try:
        answer = async_to_sync(registry.own_service().managed_models)()
        return Told({each["id"]: each for each in answer["models"]}, answer["devices"])
    except EngineError as error:
        return Told(problem=str(error))
    except (KeyError, TypeError):
        return Told(problem="it is of another version")


def change(model_id: str, verb: str) -> None:
    """Raises EngineError with the reason of a refusal, EngineTimeout while it is not done."""
    async_to_sync(registry.own_service().manage_model)(model_id, verb)
