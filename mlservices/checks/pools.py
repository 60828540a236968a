"""The ML service beside us: each pool by what the service says of it, and by a little request of its kind."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import aclosing
from functools import partial
from typing import Any

import numpy as np
from django.conf import settings
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from .. import errors, registry
from ..catalog import Kind, Model
from ..service.devices import has_driver
from ..service.layout import Plan, plans
from ..service.measures import ERRORS
from ..types import ChatMessage
from ..voices.greetings import greeting
from . import MODELS, Outcome, Probe, Service, Status, failed, passed, sample, warned
from .http import COLD, WAKE, read, send

PATIENCE_SECONDS = 15.0

_TITLES = {
    "stt": (_("Speech recognition"), "ear"),
    "tts": (_("Voice"), "audio-lines"),
    "vllm": (_("Language model"), "brain"),
    "hf_tts": (_("Further voices"), "audio-lines"),
    "embed": (_("Understanding"), "lightbulb"),
    "vad": (_("Voice activity and turns"), "activity"),
}
NOT_RUNNING = gettext_noop(
    "Start the ML service again with “make run”, or as the line “ml” of the Procfile says; its lines of the "
    "log say why it stopped. If it runs on another port than the one asked here, set ML_PORT to that."
)
WORKERS_FAIL = gettext_noop(
    "The service starts its workers again by itself. Where the reason names missing files, “manage.py models "
    "prepare” makes them; where workers end again and again, the log's lines “ml” say why, and signal 9 most "
    "often that the machine lacks memory."
)
TOKEN = gettext_noop("Start the ML service with the same ML_API_TOKEN as VoiceForge.")
OVERLOADED = gettext_noop(
    "More requests come than this pool can serve: give it more workers (ML_STT_WORKERS, ML_TTS_WORKERS, "
    "ML_LLM_WORKERS), or a smaller model."
)


def configured() -> Iterable[Service]:
    """What this machine runs from the start."""
    return pools_of(plans(has_gpu=has_driver(settings.CUDA_VISIBLE_DEVICES)))


def pools_of(configured: Iterable[Plan]) -> Iterable[Service]:
    """One for each pool with a model that is loaded at the start; the first of them is asked."""
    pools: dict[str, list[Model]] = {}
    for plan in configured:
        if plan.at_start:
            pools.setdefault(plan.model.pool, []).append(plan.model)
    for pool, models in pools.items():
        title, icon = _TITLES.get(pool, (pool, "boxes"))
        yield Service(
            f"pool-{pool}",
            title,
            MODELS,
            icon,
            (Probe("workers", _("Workers"), _workers(pool)), *_requests(models[0])),
            about=", ".join(model.name for model in models),
            remedy=WORKERS_FAIL,
            remedies={
                errors.Outcome.UNREACHABLE: NOT_RUNNING,
                errors.Outcome.TIMEOUT: OVERLOADED,
                errors.Outcome.REFUSED_TOKEN: TOKEN,
            },
        )


def _requests(model: Model) -> Iterable[Probe]:
    """None of a kind that has no little request."""
    if model.kind in _ASKED:
        title, ask = _ASKED[model.kind]
        yield Probe("request", title, partial(ask, model), PATIENCE_SECONDS)


def _workers(pool: str) -> Callable[[], Awaitable[Outcome]]:
    async def ask() -> Outcome:
        answer = await send(
            "GET", f"http://127.0.0.1:{settings.ML_PORT}/api/health", token=settings.ML_API_TOKEN
        )
        return read(answer, lambda health: judge_pool(health, pool))

    return ask


def judge_pool(health: dict[str, Any], pool: str) -> Outcome:
    """What the service's /api/health says of one of its pools."""
    report = health.get("pools", {}).get(pool)
    if not isinstance(report, dict):
        return failed(gettext_noop("The service runs no such pool"), NOT_RUNNING)
    workers = report.get("workers", [])
    ready = sum(worker.get("state") in ("ready", "busy") for worker in workers)
    reason = next((worker["reason"] for worker in workers if worker.get("reason")), "")
    if not ready and report.get("state") in ("loading", "starting") and not reason:
        return warned(COLD, WAKE)
    if not ready:
        return failed(reason or str(report.get("state")), WORKERS_FAIL)
    counted = {"ready": ready, "worker_count": len(workers), "requests_waiting": report.get("queue", 0)}
    words = gettext_noop("%(ready)s of %(worker_count)s ready, %(requests_waiting)s")
    figures = figures_of([report], health)
    if ready < len(workers):
        return Outcome(Status.WARN, words, WORKERS_FAIL, counted, figures)
    if 2 * report.get("queue", 0) > report.get("queue_limit", 100):
        return Outcome(Status.WARN, words, OVERLOADED, counted, figures)
    return passed(words, figures=figures, **counted)


def figures_of(reports: Sequence[dict[str, Any]], health: dict[str, Any]) -> dict[str, float]:
    """For alerts: of these pools together, and the fullest memory that they run in."""
    figures: dict[str, float] = {}
    if reports:
        figures["served"] = sum(report.get("served", 0) for report in reports)
        figures["failed"] = sum(report.get(name, 0) for report in reports for name in ERRORS)
        if seconds := [report["mean_seconds"] for report in reports if report.get("mean_seconds")]:
            figures["seconds"] = max(seconds)
    used = [1 - device["free_mb"] / device["total_mb"] for device in health.get("devices", [])]
    if used:
        figures["memory"] = max(used)
    return figures


# ---- a little request of each kind, behind those of calls ---------------------------------------


async def _hear(model: Model) -> Outcome:
    how: dict[str, Any] = {"rate": sample.RATE, "model": model.id, "priority": "batch"}
    transcript = await registry.own_service().transcribe(sample.pcm(), **how)
    if not transcript.text.strip():
        return failed(gettext_noop("It heard nothing in a recording of a voice"), WORKERS_FAIL)
    return _timed(gettext_noop("Heard: %(text)s"), transcript.timing.compute_seconds, text=transcript.text)


async def _say(model: Model) -> Outcome:
    words = "Hello." if "en" in model.languages else greeting(model.languages[0])
    sound, seconds = b"", 0.0
    how: dict[str, Any] = {"rate": sample.RATE, "model": model.id, "priority": "batch"}
    async with aclosing(registry.own_service().speak(words, **how)) as chunks:
        async for chunk in chunks:
            sound += chunk.pcm
            seconds = chunk.timing.compute_seconds
    if sample.is_silent(sound):
        return failed(gettext_noop("It made no sound"), WORKERS_FAIL)
    spoken = f"{len(sound) / 2 / sample.RATE:.1f}"
    return _timed(gettext_noop("Spoke for %(spoken)s s"), seconds, spoken=spoken)


async def _answer(model: Model) -> Outcome:
    asked = [ChatMessage("user", "Hello.")]
    how: dict[str, Any] = {"max_tokens": 4, "model": model.id, "priority": "batch"}
    async with aclosing(registry.own_service().reply(asked, **how)) as deltas:
        async for delta in deltas:
            if delta.text.strip():
                words = gettext_noop("Answered: %(text)s")
                return _timed(words, delta.timing.compute_seconds, text=delta.text.strip())
    return failed(gettext_noop("It answered nothing"), WORKERS_FAIL)


async def _compare(model: Model) -> Outcome:
    rows = await registry.own_service().embed(["hello"], priority="batch")
    if rows.shape[0] != 1 or not np.isclose(np.linalg.norm(rows[0]), 1.0, atol=0.01):
        return failed(gettext_noop("It sent something else than a meaning"), WORKERS_FAIL)
    return passed(gettext_noop("A meaning of %(dimension_count)s"), dimension_count=rows.shape[1])


async def _find_speech(model: Model) -> Outcome:
    """Voice activity, and then whether the speaker is done."""
    url = f"http://127.0.0.1:{settings.ML_PORT}/api/vad"
    answer = await send("POST", url, token=settings.ML_API_TOKEN, json={"audio_base64": sample.pcm_base64()})
    found = read(answer, judge_segments)
    if found.status != Status.PASS:
        return found
    verdict = await registry.own_service().judge(sample.pcm(), rate=sample.RATE, priority="batch")
    words = gettext_noop("Found the sentence; it is over with a probability of %(share)s")
    return passed(words, share=f"{verdict.completeness:.2f}")


def judge_segments(answer: dict[str, Any]) -> Outcome:
    """Of /api/vad, which was sent a sentence."""
    segments = answer.get("segments")
    if not isinstance(segments, list):
        return failed(gettext_noop("It sent something else than segments"))
    if not segments:
        return failed(gettext_noop("It heard nothing in a recording of a voice"))
    return passed(gettext_noop("Found %(stretch_count)s"), stretch_count=len(segments))


def _timed(words: str, seconds: float, **values: Any) -> Outcome:
    return passed(words, figures={"seconds": seconds}, **values)


_ASKED: dict[Kind, tuple[Any, Callable[[Model], Awaitable[Outcome]]]] = {
    Kind.STT: (_("Hears a sentence"), _hear),
    Kind.TTS: (_("Says a sentence"), _say),
    Kind.LLM: (_("Answers a word"), _answer),
    Kind.MEANING: (_("Compares meanings"), _compare),
    Kind.TURN: (_("Finds speech"), _find_speech),
    Kind.VAD: (_("Finds speech"), _find_speech),
}
