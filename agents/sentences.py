"""Sentences in an agent's voice: for a try in its form, and recorded for when no engine can speak."""

from __future__ import annotations

import asyncio
import hashlib
from contextlib import aclosing

from django.utils.translation import gettext as _

from mlservices import registry
from mlservices.audio import wav_bytes
from mlservices.errors import EngineError, EngineTimeout

from .models import Agent, Recorded

RATE = 16000
SECONDS = 20.0  # that a sentence may take to be spoken


async def spoken(text: str, *, voice: str, speed: float) -> bytes:
    """A WAV of the text. Raises EngineError."""
    pcm = bytearray()
    try:
        async with asyncio.timeout(SECONDS):
            chunks = registry.first_voice().speak(text, rate=RATE, voice=voice, speed=speed)
            async with aclosing(chunks) as pieces:
                async for chunk in pieces:
                    pcm += chunk.pcm
    except TimeoutError:
        raise EngineTimeout(_("the voice took too long"), service="tts") from None
    if not pcm:
        raise EngineError(_("there is nothing to say in this text"), service="tts", permanent=True)
    return wav_bytes(bytes(pcm), RATE)


async def record_sentence(agent: Agent) -> Recorded | None:
    """The recording of an agent's own sentence for failures, if it has one that is not recorded yet; to be
    saved with the agent. Raises EngineError."""
    if agent.on_failure != Agent.OnFailure.SENTENCE or not agent.failure_sentence:
        return None
    key = key_of(agent)
    if await Recorded.objects.filter(pk=key).aexists():
        return None
    wav = await spoken(agent.failure_sentence, voice=agent.voice, speed=agent.speaking_rate)
    return Recorded(key=key, text=agent.failure_sentence, wav=wav)


def recorded_sentence(agent: Agent) -> Recorded | None:
    """What callers hear when engines fail, where that is a sentence of the agent's own."""
    if agent.on_failure != Agent.OnFailure.SENTENCE:
        return None
    return Recorded.objects.filter(pk=key_of(agent)).first()


def key_of(agent: Agent) -> str:
    """The same sentence in the same voice is recorded once, and an earlier version finds its own again."""
    parts = (agent.language, agent.voice, f"{agent.speaking_rate:g}", agent.failure_sentence)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
