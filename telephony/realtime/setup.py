"""What a session was asked to be -> an agent, its conversation and its engines."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from copy import copy
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from agents.actions import ensure_api_agent
from agents.conversations import default_model_id
from agents.flow.plain import ASSISTANT, CONVERSATIONAL, Echo, PlainChat, Silent
from agents.flow.steps import Conversation
from agents.models import Agent, FlowVersion
from mlservices import registry
from mlservices.types import Priority, SpeechChunk

from ..providers.realtime.messages import Config
from ..session.parts import Engines
from ..suppliers import Suppliers
from .limits import IDLE_SECONDS

UNVOICED_SECONDS = 0.001
_PROMPTS = {"assistant": ASSISTANT, "conversational": CONVERSATIONAL, "custom": ""}


class Impossible(Exception):
    """`fields`: what is wrong with each field of the config, and what to do."""

    def __init__(self, **fields: str) -> None:
        super().__init__("; ".join(f"config.{name}: {why}" for name, why in fields.items()))
        self.fields = {f"config.{name}": why for name, why in fields.items()}


@dataclass(frozen=True, slots=True)
class Setup:
    """`agent` is a copy for this call, never stored; `talk` makes its conversation, None leaves that to the
    agent."""

    agent: Agent
    talk: Callable[[], Conversation] | None
    hears: bool
    reads: bool
    speaks: bool
    answers: bool


def setup_of(config: Config) -> Setup:
    """Asks the database. Raises Impossible."""
    _check(config)
    agent = copy(_agent_of(config))
    given = config.model_fields_set
    if not config.agent or "language" in given:
        agent.language = config.language
    if config.voice:
        agent.voice = config.voice
    speaks = config.ttsEnabled and config.mode != "text"
    if not config.agent or not speaks:  # whoever writes is not asked every few seconds whether they are there
        agent.silence_seconds = round(IDLE_SECONDS)
    if config.agent and config.model:
        agent.chat_model = config.model
    return Setup(
        agent=agent,
        talk=_talk_of(config),
        hears=config.sttEnabled and config.mode != "text",
        reads=config.mode != "voice",
        speaks=speaks,
        answers=config.agentEnabled,
    )


def _check(config: Config) -> None:
    if config.voice and not registry.knows_voice(config.voice):
        raise Impossible(voice=f"there is no {config.voice!r}: GET /api/voices tells which there are")
    if wrong := registry.unheard(config.language).get("language"):
        raise Impossible(language=wrong)
    models = [model_id for model_id, _label in registry.chat_models()]
    if config.model and config.model not in models:
        known = f"use {', '.join(models)}, or leave it out" if models else "leave it out, none is configured"
        raise Impossible(model=f"there is no language model {config.model!r}: {known}")
    if config.agent:
        for name in ("agentMode", "systemPrompt"):
            if name in config.model_fields_set:
                raise Impossible(**{name: "the agent has its own: leave it out, or leave out agent"})
    elif config.agentMode == "custom" and not (config.systemPrompt or "").strip():
        raise Impossible(systemPrompt="custom does what it says: write one, or choose another agentMode")
    elif config.agentMode == "echo" and config.systemPrompt:
        raise Impossible(systemPrompt="echo asks no language model: leave it out, or use custom")


def _agent_of(config: Config) -> Agent:
    agent = Agent.objects.filter(slug=config.agent).first() if config.agent else ensure_api_agent()
    if agent is None:
        raise Impossible(agent=f"there is no agent at {config.agent!r}: its page's address has its name")
    if agent.status != Agent.Status.ACTIVE:
        raise Impossible(agent=f"the agent {agent.name} is {agent.get_status_display().lower()}: activate it")
    return agent


def _talk_of(config: Config) -> Callable[[], Conversation] | None:
    if not config.agentEnabled:
        return Silent
    if config.agent:
        return None
    if config.agentMode == "echo":
        return Echo
    first = next((model_id for model_id, _label in registry.chat_models()), "")
    model_id = config.model or default_model_id() or first
    if not model_id:
        raise Impossible(
            agentMode=f"{config.agentMode} needs a language model, and none is configured: use echo, or name "
            "an agent, or have an administrator set one up"
        )
    instructions = "\n\n".join(filter(None, (_PROMPTS[config.agentMode], config.systemPrompt)))
    model = registry.chat_model(model_id)
    return partial(PlainChat, model=model, model_id=model_id, instructions=instructions)


class SessionSuppliers:
    """`Suppliers` of one session."""

    def __init__(self, usual: Suppliers, setup: Setup) -> None:
        self._usual, self._setup = usual, setup

    def engines(self) -> Engines:
        engines = self._usual.engines()
        return engines if self._setup.speaks else replace(engines, tts=Unvoiced())

    def conversation(
        self,
        agent: Agent,
        caller: str = "",
        version: FlowVersion | None = None,
        values: Mapping[str, Any] | None = None,
    ) -> Conversation:
        if self._setup.talk:
            return self._setup.talk()
        return self._usual.conversation(agent, caller, version, values)


class Unvoiced:
    """A `TextToSpeech` for answers that are read: a moment of silence in place of each sentence."""

    async def speak(
        self,
        text: str,
        *,
        rate: int,
        voice: str = "default",
        speed: float = 1.0,
        model: str = "",
        priority: Priority = "live",
    ) -> AsyncGenerator[SpeechChunk, None]:
        yield SpeechChunk(bytes(2 * int(rate * UNVOICED_SECONDS)), rate)
