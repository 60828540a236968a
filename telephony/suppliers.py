"""Where a call's engines and its conversation come from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from agents.conversations import chat_model_for, conversation_for
from agents.flow.steps import Conversation
from agents.flows.programs import crew_of, tools_of
from agents.models import Agent, FlowVersion
from agents.tools.calling import toolbox_of
from mlservices import registry

from .session.parts import Engines


class Suppliers(Protocol):
    """Asked once for each call, in a database thread."""

    def engines(self) -> Engines: ...

    def conversation(
        self,
        agent: Agent,
        caller: str = "",
        version: FlowVersion | None = None,
        values: Mapping[str, Any] | None = None,
    ) -> Conversation: ...


class RegistrySuppliers:
    """The engines that the settings name."""

    def engines(self) -> Engines:
        return Engines(
            stt=registry.speech_to_text(),
            tts=registry.text_to_speech(),
            judge=registry.turn_judge(),
            detector=registry.voice_detector(),
        )

    def conversation(
        self,
        agent: Agent,
        caller: str = "",
        version: FlowVersion | None = None,
        values: Mapping[str, Any] | None = None,
    ) -> Conversation:
        crew = crew_of(version)
        return conversation_for(
            agent,
            embedder=registry.embedder(),
            chat_model=chat_model_for(agent),
            version=version,
            crew=crew,
            tools=toolbox_of(tools_of(version, crew)),
            caller=caller,
            values=values,
        )
