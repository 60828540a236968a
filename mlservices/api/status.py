"""What can be asked for, and how the ML service is."""

from __future__ import annotations

from dataclasses import asdict

from django.http import HttpRequest, HttpResponseBase, JsonResponse

from .. import registry
from ..errors import EngineError
from ..voices import LIBRARY, models_for
from .answers import RETRY_SECONDS, refusal, refusing, taking

CLONING = ("chatterbox", "higgs_audio_v2", "styletts2")  # ids of models whose makers say that they can


@taking()
@refusing
async def voices(request: HttpRequest) -> HttpResponseBase:
    """Those that can be spoken now."""
    offer = await registry.offer()
    if offer.problem and not offer.voices:
        raise EngineError(offer.problem, service="tts")
    return JsonResponse({"voices": [asdict(voice) for voice in offer.voices], "languages": offer.languages})


@taking()
def voice_library(request: HttpRequest) -> HttpResponseBase:
    """All that the library describes, with the ids of the models that can speak each, the best first; which
    of them can be spoken now, `voices` says."""
    described = [
        {
            "id": voice.id,
            "name": voice.name,
            "language": voice.language,
            "gender": voice.gender,
            "description": voice.description,
            "models": [model.id for model in models_for(voice)],
        }
        for voice in LIBRARY
    ]
    return JsonResponse({"voices": described})


def clone_voice(request: HttpRequest) -> HttpResponseBase:
    """501, until an engine of ours speaks by a recording of somebody: nobody is left to guess."""
    return refusal(
        501,
        f"No voice can be cloned in this version. Of the models that it knows, {', '.join(CLONING)} could "
        "speak by a recording, but their engines do not take one yet. `GET /api/voices` tells the voices "
        "that there are.",
        service="clone",
        permanent=True,
    )


@refusing
async def health(request: HttpRequest) -> HttpResponseBase:
    told = await registry.service().health()
    return JsonResponse({name: told.get(name) for name in ("status", "timestamp", "models")})


@refusing
async def ready(request: HttpRequest) -> HttpResponseBase:
    """200 once the ML service is, else 503."""
    told = await registry.service().health()
    if told.get("status") != "healthy":
        return refusal(503, "The ML service is not ready yet.", service="ml", retry_after=RETRY_SECONDS)
    return JsonResponse({"status": "ready"})


def live(request: HttpRequest) -> HttpResponseBase:
    return JsonResponse({"status": "live"})
