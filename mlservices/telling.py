"""What a service tells of its models. A Space's answer is remembered a while: it is slow, and pages wait."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from .clients.service import ServiceClient
from .errors import EngineError

REMEMBERED_SECONDS = 30.0
_remembered: dict[ServiceClient, tuple[float, Telling]] = {}


@dataclass(frozen=True, slots=True)
class Telling:
    """`models` as they were told, whatever that is; `problem` says why nothing newer is known."""

    models: Any = None
    problem: str = ""

    def of(self, kind: str) -> dict[str, Any]:
        """What it says of "stt", "tts" or "llm"; empty where it says nothing of use."""
        entry = self.models.get(kind) if isinstance(self.models, dict) else None
        return entry if isinstance(entry, dict) else {}

    def voices(self) -> list[dict[str, Any]]:
        """Those that it lists, each with an id at least."""
        rows = self.of("tts").get("voices")
        listed = rows if isinstance(rows, list) else []
        return [each for each in listed if isinstance(each, dict) and each.get("id")]


async def told_now(client: ServiceClient) -> Telling:
    try:
        return Telling((await client.models()).get("available_models"))
    except EngineError as error:
        return Telling(problem=str(error))


async def told_lately(client: ServiceClient) -> Telling:
    """Where it does not answer any more, with what it told last."""
    told_at, known = _remembered.get(client, (0.0, Telling()))
    if told_at and time.monotonic() - told_at < REMEMBERED_SECONDS:
        return known
    told = await told_now(client)
    if told.problem:
        told = Telling(known.models, told.problem)
    _remembered[client] = (time.monotonic(), told)
    return told
