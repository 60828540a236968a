"""Who serves what in this process: settings in, clients that meet `interfaces.py` out.

Each function answers the same client every time; clients open their connections on first use and keep
them, one set for each event loop.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from django.conf import settings
from django.utils.translation import gettext

from .catalog import BY_ID
from .clients.detector import BatchedDetector
from .clients.openai import OpenAIChat
from .clients.service import ServiceClient
from .errors import EngineError
from .interfaces import (
    ChatModel,
    Embedder,
    SpeechFinder,
    SpeechToText,
    TextToSpeech,
    TurnJudge,
    VoiceDetector,
)
from .offer import DEFAULT_VOICE, Offer, of_models, of_service
from .types import TokenCount

LOCAL = "local"  # the id of the ML service's own language model
_SPACE = "HF_ML_API_URL"
_UNKNOWN_RATE = 24000
_NVIDIA_BASE_URL = "https://integrate.api.nvidia.com/v1"


def service() -> ServiceClient:
    """The ML service that hears, speaks and replies, ours or a Space; a Space may ask for the hub's token."""
    if settings.HF_ML_API_URL:
        return _client(settings.HF_ML_API_URL, settings.HF_ML_API_TOKEN or settings.HF_TOKEN, True)
    return own_service()


def own_service() -> ServiceClient:
    """The one beside us, which embeds and judges turns even where a Space does the rest.

    A plain Space offers neither, and a call cannot wait for another machine to judge each pause.
    """
    return _client(f"http://127.0.0.1:{settings.ML_PORT}", settings.ML_API_TOKEN, False)


@cache
def _client(url: str, token: str, sleepy: bool) -> ServiceClient:
    return ServiceClient(url, token=token, sleepy=sleepy)


def speech_to_text() -> SpeechToText:
    return service()


def text_to_speech() -> TextToSpeech:
    return service()


def speech_finder() -> SpeechFinder:
    return service()


def speech_rate(voice: str = "", model: str = "") -> int:
    """Hz at which the engine that would speak makes its sound; of a Space's we do not know."""
    own = "" if settings.HF_ML_API_URL else settings.TTS_ENGINE
    chosen = next((BY_ID[id] for id in (model, voice, own) if id in BY_ID), None)
    return (chosen.rate if chosen else 0) or _UNKNOWN_RATE


def embedder() -> Embedder:
    return own_service()


def turn_judge() -> TurnJudge:
    return own_service()


@cache
def voice_detector() -> VoiceDetector:
    """Silero in this process once its file is prepared, else the energy of the sound."""
    return BatchedDetector(settings.MODELS_DIR)


async def offer() -> Offer:
    """The voices to choose from, and the languages in which calls can be held. A Space is asked."""
    if settings.HF_ML_API_URL:
        return await of_service(service())
    return of_models(BY_ID[settings.STT_ENGINE], BY_ID[settings.TTS_ENGINE])


def knows_voice(voice: str) -> bool:
    """Whether the speech engine has it; what a Space has it alone knows, and is believed to."""
    return voice in (DEFAULT_VOICE, settings.TTS_ENGINE) or bool(settings.HF_ML_API_URL)


async def count_tokens(texts: Sequence[str]) -> TokenCount:
    """How many tokens each text is for the ML service's own language model."""
    return await service().count_tokens(texts)


def chat_models() -> list[tuple[str, str]]:
    """(id, label) of every language model that is configured, the best first; for a form's choices."""
    choices = []
    if settings.AI_INTEGRATIONS_OPENAI_API_KEY:
        choices.append(("openai", f"{settings.OPENAI_MODEL} (OpenAI)"))
    if settings.NVIDIA_API_KEY:
        choices.append(("nvidia", f"{settings.NVIDIA_MODEL} (NVIDIA)"))
    if settings.HF_ML_API_URL:
        choices.append((LOCAL, gettext("The ML service's own model")))
    elif settings.ML_LLM_WORKERS:
        choices.append((LOCAL, BY_ID[settings.LLM_ENGINE].name))
    return choices


def setting_of_model(model_id: str) -> str:
    """The setting that chooses what an id in `chat_models` stands for."""
    if model_id == LOCAL:
        return _SPACE if settings.HF_ML_API_URL else "LLM_ENGINE"
    return {"openai": "OPENAI_MODEL", "nvidia": "NVIDIA_MODEL"}[model_id]


def setting_of_speech() -> str:
    """The setting that chooses the engine that speaks."""
    return _SPACE if settings.HF_ML_API_URL else "TTS_ENGINE"


def chat_model(model_id: str) -> ChatModel:
    """The client of an id in `chat_models`; EngineError names the setting that an id lacks."""
    if model_id == "openai" and (key := settings.AI_INTEGRATIONS_OPENAI_API_KEY):
        return _openai_chat("OpenAI", settings.AI_INTEGRATIONS_OPENAI_BASE_URL, key, settings.OPENAI_MODEL)
    if model_id == "nvidia" and (key := settings.NVIDIA_API_KEY):
        return _openai_chat("NVIDIA", _NVIDIA_BASE_URL, key, settings.NVIDIA_MODEL)
    if model_id == LOCAL:
        return service()
    needed = {"openai": "AI_INTEGRATIONS_OPENAI_API_KEY", "nvidia": "NVIDIA_API_KEY"}.get(model_id)
    remedy = f"set {needed}" if needed else f"choose one of {', '.join(id for id, _ in chat_models())}"
    raise EngineError(
        f"The language model {model_id!r} is not configured: {remedy}.", service="llm", permanent=True
    )


@cache
def _openai_chat(name: str, base_url: str, api_key: str, model: str) -> OpenAIChat:
    return OpenAIChat(name=name, base_url=base_url, api_key=api_key, model=model)


async def close() -> None:
    """Close what is open on the running loop, and the detector's thread."""
    for ml_service in {service(), own_service()}:
        await ml_service.close()
    for model_id, _ in chat_models():
        client = chat_model(model_id)
        if isinstance(client, OpenAIChat):
            await client.close()
    if voice_detector.cache_info().currsize:
        voice_detector().close()  # type: ignore[attr-defined]
        voice_detector.cache_clear()
