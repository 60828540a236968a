"""Sentences of agents that are recorded beforehand, for when no engine can speak."""

from __future__ import annotations

import hashlib

from mlservices.speech import spoken

from .models import Agent, Recorded


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
