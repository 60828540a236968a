"""Which models the service runs and how many workers each has: settings in, plans out."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings

from ..catalog import BY_ID, MODELS, Model
from ..prepare import is_ready


@dataclass(frozen=True, slots=True)
class Plan:
    """One model: `workers` processes, each of which holds it.

    A model that is not there `at_start` is loaded when somebody asks for it.
    """

    model: Model
    workers: int = 1
    at_start: bool = True
    queue_limit: int = 100
    deadline_seconds: float = 60.0  # from the start of a request, and from each piece or beat, to the next
    load_seconds: float = 600.0  # from the start of a worker until it must be warm


_SPOKEN_ON_CALLS = {"stt": 30.0, "tts": 15.0, "vllm": 30.0, "embed": 15.0, "vad": 15.0}
"""Pools with a shorter deadline than others, in seconds: somebody is on the line."""


def plans(*, has_gpu: bool = False) -> list[Plan]:
    """The configured models first, then all others, each for when somebody asks for it.

    Beside a Space only those are configured that a call needs near, or a Space lacks. Where there is a GPU,
    the large models that are here are loaded at the start as well.
    """
    configured = _configured()
    if has_gpu:
        large = [model for model in MODELS if model.at_start and is_ready(model, settings.MODELS_DIR)]
        configured = list(dict.fromkeys([*configured, *large]))
    others = [_plan(model, at_start=False) for model in MODELS if model not in configured]
    return [*(_plan(model) for model in configured), *others]


def _configured() -> list[Model]:
    near = ["minilm-l6", "smart-turn-v3.2", "silero-vad"]
    engines = [settings.STT_ENGINE, settings.TTS_ENGINE]
    if settings.ML_LLM_WORKERS:
        engines.append(settings.LLM_ENGINE)
    ids = [*([] if settings.HF_ML_API_URL else engines), *near, *settings.ML_MODELS]
    return [BY_ID[id] for id in dict.fromkeys(ids)]


def _plan(model: Model, *, at_start: bool = True) -> Plan:
    return Plan(
        model,
        workers=_workers(model.pool),
        at_start=at_start,
        deadline_seconds=_SPOKEN_ON_CALLS.get(model.pool, 60.0),
    )


def _workers(pool: str) -> int:
    sizes = {
        "stt": settings.ML_STT_WORKERS,
        "tts": settings.ML_TTS_WORKERS,
        "hf_tts": settings.ML_HF_TTS_WORKERS,
        "vllm": settings.ML_LLM_WORKERS,
    }
    return max(1, sizes.get(pool, 1))


def configured_models() -> list[str]:
    return [model.id for model in _configured()]
