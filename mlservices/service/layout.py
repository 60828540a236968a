"""Which pools the service runs, with which models: settings in, plans out."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings

from ..catalog import BY_ID, Model
from ..order import LOCAL, order


@dataclass(frozen=True, slots=True)
class PoolPlan:
    """One pool: `workers` processes, each holding all of `models`."""

    name: str
    models: tuple[Model, ...]
    workers: int
    queue_limit: int = 100
    deadline_seconds: float = 60.0  # from the start of a request, and from each piece or beat, to the next
    load_seconds: float = 120.0  # from the start of a worker until it must be warm


def plans() -> list[PoolPlan]:
    """The pools as configured; where others hear, speak and reply only those that a call needs near, or that
    the others lack."""

    def models(*ids: str) -> tuple[Model, ...]:
        return tuple(BY_ID[id] for id in ids)

    near = [
        PoolPlan("embed", models("minilm-l6"), 1, deadline_seconds=15),
        PoolPlan("vad", models("silero-vad", "smart-turn-v3.2"), 1, deadline_seconds=15),
    ]
    if LOCAL not in order():
        return near
    return [
        PoolPlan("stt", models(settings.STT_ENGINE), settings.ML_STT_WORKERS, deadline_seconds=30),
        PoolPlan("tts", models(settings.TTS_ENGINE), settings.ML_TTS_WORKERS, deadline_seconds=15),
        PoolPlan("llm", models(settings.LLM_ENGINE), settings.ML_LLM_WORKERS, deadline_seconds=30),
        *near,
    ]


def configured_models() -> list[str]:
    return [model.id for plan in plans() for model in plan.models]
