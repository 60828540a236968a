"""Who serves what in this process: settings in, clients that meet `interfaces.py` out.

Each function answers the same client every time; clients open their connections on first use and keep
them, one set for each event loop.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import cache, partial
from typing import Any, TypeVar

from django.conf import settings
from django.utils.translation import gettext

from . import voices
from .awake import address_of
from .catalog import BY_ID, Kind
from .clients import warm
from .clients.detector import BatchedDetector
from .clients.fallback import Choice, FallbackChat, FallbackHearing, FallbackVoice, Outage
from .clients.http import Party
from .clients.metered import (
    MeteredChatModel,
    MeteredEmbedder,
    MeteredSpeechFinder,
    MeteredSpeechToText,
    MeteredTextToSpeech,
    MeteredTurnJudge,
)
from .clients.openai import OpenAIChat
from .clients.openai_audio import OpenAIHearing, OpenAIVoice
from .clients.service import ServiceClient
from .clients.service_model import ServiceModel
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
from .order import LOCAL as OURS
from .order import OPENAI, SPACE, order
from .service.layout import NEAR, configured_models
from .services import ADDRESS, hasty_space, kept, made, own_service, service, space
from .types import TokenCount

LOCAL = "local"  # the id of the ML service's own language model
_OPENAI_KEY, _NVIDIA_KEY = "AI_INTEGRATIONS_OPENAI_API_KEY", "NVIDIA_API_KEY"
NVIDIA_BASE_URL = "https://integrate.api.nvidia.com/v1"
_UNKNOWN_RATE = 24000  # Hz, of those who do not tell; most make it at this
# What an engine may take to its first piece while another can be asked; a call gives up on all of them
# together after the timeouts in `telephony.session`.
_HEARING_SECONDS, _VOICE_SECONDS, _CHAT_SECONDS = 2.0, 1.2, 2.5

T = TypeVar("T")


# ---- hearing and speaking ---------------------------------------------------------------------------


def speech_to_text() -> SpeechToText:
    """Who hears, in the order of `order()`; EngineError if nobody is configured to."""
    return _one_of("stt", "hears", _ears(), _fallback_hearing, MeteredSpeechToText)


def _ears() -> list[Choice[SpeechToText]]:
    choices: list[Choice[SpeechToText]] = []
    for name in order():
        if name == SPACE:
            choices.append(_of_space(wake=partial(warm.hear, space())))
        elif name == OURS:
            choices.append(Choice(name, own_service(), engine=settings.STT_ENGINE))
        elif settings.AI_INTEGRATIONS_OPENAI_API_KEY and settings.OPENAI_STT_MODEL:
            hearing = _openai_hearing(*_openai_audio(), settings.OPENAI_STT_MODEL)
            choices.append(Choice("OpenAI", hearing, lets_choose=False, engine=hearing.engine))
    return choices


def unheard(language: str, model: str = "") -> dict[str, str]:
    """What is wrong with each of these, where it is known before anybody hears: of our own models."""
    if order()[:1] != (OURS,):
        return {}
    hearing = BY_ID.get(model or settings.STT_ENGINE)
    if hearing is None or hearing.kind is not Kind.STT:
        known = ", ".join(each.id for each in BY_ID.values() if each.kind is Kind.STT)
        return {"model": f"there is no {model!r} that hears: use {known}"}
    if language in (*hearing.languages, "auto"):
        return {}
    return {"language": f"{hearing.id} does not know {language!r}: use {', '.join(hearing.languages)}, auto"}


def text_to_speech() -> TextToSpeech:
    """Who speaks; the same."""
    return _one_of("tts", "speaks", _voices(), _fallback_voice, MeteredTextToSpeech)


def first_voice() -> TextToSpeech:
    """The first choice alone, waited for: what shall sound like the agent is not made in another's voice."""
    return _only("tts", "speaks", _voices(), MeteredTextToSpeech)


def who_speaks() -> str:
    """SPACE, OURS or OPENAI: who is asked first, and whose voices there are; "" if nobody is configured."""
    return next((name for name in order() if name in (SPACE, OURS) or _openai_speaks()), "")


def _openai_speaks() -> bool:
    return bool(settings.AI_INTEGRATIONS_OPENAI_API_KEY and settings.OPENAI_TTS_MODEL)


def _voices() -> list[Choice[TextToSpeech]]:
    choices: list[Choice[TextToSpeech]] = []
    for name in order():
        if name == SPACE:
            choices.append(_of_space(wake=partial(warm.speak, space())))
        elif name == OURS:
            choices.append(Choice(name, own_service(), voice=_voice_of_ours, engine=settings.TTS_ENGINE))
        elif _openai_speaks():
            how = (settings.OPENAI_TTS_MODEL, settings.OPENAI_TTS_VOICE)
            voice = _openai_voice(*_openai_audio(), *how)
            choices.append(Choice("OpenAI", voice, lets_choose=False, engine=voice.engine))
    return choices


def _one_of(
    kind: str,
    what: str,
    choices: list[Choice[Any]],
    fallback: Callable[[Any], Any],
    metered: Callable[[Any, str], T],
) -> T:
    """All of them as one client, if there are several: it notes by itself whom it asked."""
    return fallback(tuple(choices)) if len(choices) > 1 else _only(kind, what, choices, metered)


def _only(kind: str, what: str, choices: list[Choice[Any]], metered: Callable[[Any, str], T]) -> T:
    """The first choice alone: a Space that nobody stands in for is waited for until it is awake."""
    if not choices:
        raise EngineError(
            f"Nothing {what}: name space, local or openai with its model in ML_FALLBACK.",
            service=kind,
            permanent=True,
        )
    client = choices[0].client
    if settings.HF_ML_API_URL and client is hasty_space():
        client = space()
    return _metered(metered, client, choices[0].engine)


def _of_space(wake: Callable[[], Awaitable[object]]) -> Choice[Any]:
    name = f"Space {address_of(settings.HF_ML_API_URL)}"
    outage = _outage(settings.HF_ML_API_URL)
    return Choice(name, hasty_space(), wake=wake, engine=hasty_space().engine, outage=outage)


@cache
def _outage(url: str) -> Outage:
    return Outage()


def _voice_of_ours(voice: str) -> str:
    """The same where a model that runs speaks it."""
    speaks = voice == settings.TTS_ENGINE or voices.able(voice, _speaking())
    return voice if speaks else DEFAULT_VOICE


def _openai_audio() -> tuple[str, str]:
    return settings.AI_INTEGRATIONS_OPENAI_BASE_URL, settings.AI_INTEGRATIONS_OPENAI_API_KEY


@cache
def _openai_hearing(base_url: str, api_key: str, model: str) -> OpenAIHearing:
    return kept(OpenAIHearing(party=_openai_party(api_key), base_url=base_url, model=model))


@cache
def _openai_voice(base_url: str, api_key: str, model: str, voice: str) -> OpenAIVoice:
    return kept(OpenAIVoice(party=_openai_party(api_key), base_url=base_url, model=model, voice=voice))


def _openai_party(api_key: str) -> Party:
    return Party("OpenAI", token_setting=_OPENAI_KEY, token=api_key)


@cache
def _fallback_hearing(choices: tuple[Choice[SpeechToText], ...]) -> FallbackHearing:
    return kept(FallbackHearing("stt", choices, budget_seconds=_HEARING_SECONDS))


@cache
def _fallback_voice(choices: tuple[Choice[TextToSpeech], ...]) -> FallbackVoice:
    return kept(FallbackVoice("tts", choices, budget_seconds=_VOICE_SECONDS))


# ---- the rest ---------------------------------------------------------------------------------------


def speech_finder() -> SpeechFinder:
    engine = service().engine if SPACE in order() else NEAR[2]
    return _metered(MeteredSpeechFinder, service(), engine)


def speech_rate(voice: str = "", model: str = "") -> int:
    """Hz at which the engine that would speak makes its sound; of others' than ours we do not know."""
    own = settings.TTS_ENGINE if order()[:1] == (OURS,) else ""
    able = voices.able(voice, _speaking())
    chosen = next((BY_ID[id] for id in (model, *able, voice, own) if id in BY_ID), None)
    return (chosen.rate if chosen else 0) or _UNKNOWN_RATE


def embedder() -> Embedder:
    return _metered(MeteredEmbedder, own_service(), NEAR[0])


def turn_judge() -> TurnJudge:
    return _metered(MeteredTurnJudge, own_service(), NEAR[1])


@cache
def _metered(around: Callable[[Any, str], T], client: Any, engine: str) -> T:
    """The client whose requests the ledger is told of; `engine` is ours, for answers that name none."""
    return around(client, engine)


@cache
def voice_detector() -> VoiceDetector:
    """Silero in this process once its file is prepared, else the energy of the sound."""
    return BatchedDetector(settings.MODELS_DIR)


async def offer() -> Offer:
    """The voices to choose from, and the languages in which calls can be held. A Space is asked."""
    if who_speaks() == SPACE:
        return await of_service(space())
    return of_models(BY_ID[settings.STT_ENGINE], [BY_ID[id] for id in _speaking()])


def _speaking() -> list[str]:
    """The models that speak here from the start, the engine of the settings first."""
    others = [id for id in configured_models() if BY_ID[id].kind is Kind.TTS]
    return list(dict.fromkeys([settings.TTS_ENGINE, *others]))


def knows_voice(voice: str) -> bool:
    """Whether a model that runs speaks it; what a Space has it alone knows, and is believed to."""
    known = voice in (DEFAULT_VOICE, settings.TTS_ENGINE) or who_speaks() == SPACE
    return known or bool(voices.able(voice, _speaking()))


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
    if SPACE in order():
        choices.append((LOCAL, gettext("The ML service's own model")))
    elif OURS in order() and settings.ML_LLM_WORKERS:
        choices.append((LOCAL, BY_ID[settings.LLM_ENGINE].name))
    return choices


def licence_of_model(model_id: str) -> str:
    """Of our own model, with whether it may be used commercially; "" for what others run."""
    if model_id != LOCAL:
        return ""
    if SPACE in order():
        return gettext("licence not known: ask whoever runs the Space")
    model = BY_ID[settings.LLM_ENGINE]
    allowed = gettext("commercial use allowed") if model.commercial_use else gettext("no commercial use")
    return f"{gettext(model.licence)}, {allowed}"


def setting_of_model(model_id: str) -> str:
    """The setting that chooses what an id in `chat_models` stands for."""
    if model_id == LOCAL:
        return ADDRESS if SPACE in order() else "LLM_ENGINE"
    return {"openai": "OPENAI_MODEL", "nvidia": "NVIDIA_MODEL"}[model_id]


def setting_of_speech() -> str:
    """The setting that chooses the engine that speaks."""
    return ADDRESS if who_speaks() == SPACE else "TTS_ENGINE"


def chat_model(model_id: str) -> ChatModel:
    """The client of an id in `chat_models`; EngineError names the setting that an id lacks.

    In the stead of the ML service's own model answers who comes next in `order()`; in the stead of a remote
    one only the other remote one: the small models of this machine make things up.
    """
    choices = _chat_choices(model_id)
    if not choices:
        needed = {"openai": _OPENAI_KEY, "nvidia": _NVIDIA_KEY}.get(model_id)
        remedy = f"set {needed}" if needed else f"choose one of {', '.join(id for id, _ in chat_models())}"
        raise EngineError(
            f"The language model {model_id!r} is not configured: {remedy}.", service="llm", permanent=True
        )
    return _one_of("llm", "replies", choices, _fallback_chat, MeteredChatModel)


def remote_chat(model_id: str) -> ChatModel:
    """ "openai" or "nvidia" alone, to be told how it itself does. It must be configured."""
    return _remote_chats()[model_id].client


def writer(schema: Mapping[str, Any]) -> ChatModel | None:
    """OpenAI's model, or that of whoever stands at its address, whose answers keep to a strict JSON schema;
    None where no key is set."""
    if not settings.AI_INTEGRATIONS_OPENAI_API_KEY:
        return None
    how = (settings.AI_INTEGRATIONS_OPENAI_API_KEY, settings.OPENAI_MODEL, _OPENAI_KEY, json.dumps(schema))
    client = _openai_chat("OpenAI", settings.AI_INTEGRATIONS_OPENAI_BASE_URL, *how)
    return _metered(MeteredChatModel, client, client.engine)


def _chat_choices(model_id: str) -> list[Choice[ChatModel]]:
    if model_id == LOCAL:
        return [choice for name in order() for choice in _chat_choices_of(name)]
    remote = _remote_chats()
    chosen = [choice for id, choice in remote.items() if id == model_id]
    others = [choice for id, choice in remote.items() if id != model_id]
    return [*chosen, *others] if chosen and OPENAI in order() else chosen


def _chat_choices_of(name: str) -> list[Choice[ChatModel]]:
    if name == SPACE:
        return [_of_space(wake=partial(warm.reply, space()))]
    if name == OURS:
        if not settings.ML_LLM_WORKERS:
            return []
        further: list[Choice[ChatModel]] = [
            Choice(id, _own_model(own_service(), id)) for id in settings.LLM_FALLBACK
        ]
        return [Choice(name, own_service(), engine=settings.LLM_ENGINE), *further]
    return list(_remote_chats().values())


@cache
def _own_model(service: ServiceClient, model_id: str) -> ServiceModel:
    return ServiceModel(service, model_id)


def _remote_chats() -> dict[str, Choice[ChatModel]]:
    """Those that are configured, by id, as they stand in for the ML service's own model."""
    found: dict[str, Choice[ChatModel]] = {}
    if key := settings.NVIDIA_API_KEY:
        nvidia = _openai_chat("NVIDIA", NVIDIA_BASE_URL, key, settings.NVIDIA_MODEL, _NVIDIA_KEY)
        found["nvidia"] = Choice("NVIDIA", nvidia, engine=nvidia.engine)
    if key := settings.AI_INTEGRATIONS_OPENAI_API_KEY:
        base_url = settings.AI_INTEGRATIONS_OPENAI_BASE_URL
        openai = _openai_chat("OpenAI", base_url, key, settings.OPENAI_MODEL, _OPENAI_KEY)
        found["openai"] = Choice("OpenAI", openai, engine=openai.engine)
    return found


@cache
def _openai_chat(
    name: str, base_url: str, api_key: str, model: str, key_setting: str, schema: str = ""
) -> OpenAIChat:
    """`schema` is the JSON of one that its answers keep to."""
    return kept(
        OpenAIChat(
            name=name,
            base_url=base_url,
            api_key=api_key,
            model=model,
            key_setting=key_setting,
            schema=json.loads(schema) if schema else None,
        )
    )


@cache
def _fallback_chat(choices: tuple[Choice[ChatModel], ...]) -> FallbackChat:
    return kept(FallbackChat("llm", choices, budget_seconds=_CHAT_SECONDS))


async def close() -> None:
    """Close what is open on the running loop, and the detector's thread."""
    for client in list(made):
        await client.close()
    if voice_detector.cache_info().currsize:
        voice_detector().close()  # type: ignore[attr-defined]
        voice_detector.cache_clear()
