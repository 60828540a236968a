"""A draft played by text, with an agent, its models and tools; pages and API ask for it alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from asgiref.sync import sync_to_async
from django.utils.translation import gettext as _

from mlservices import registry
from mlservices.interfaces import ChatModel

from ..conversations import chat_model_for
from ..flow.program import Toolbox, ToolResult
from ..models import DEFAULT_MODEL, Agent, FlowVersion
from ..replayed import as_recorded
from ..tools.calling import toolbox_of
from .programs import Crew, crew_of, tools_of
from .rehearsal import Move, as_version, no_tools, rehearse


@dataclass(frozen=True, slots=True)
class Asked:
    """`named` is the agent's address, or ""; `earnest`: tools are called; `called` is what they answered
    before, and `again` whether nothing in the turns is new."""

    graph: Any
    moves: list[Move]
    named: str = ""
    earnest: bool = False
    called: tuple[str, ...] = ()
    again: bool = False


@dataclass(frozen=True, slots=True)
class _Stage:
    version: FlowVersion
    agent: Agent
    chat_model: ChatModel | None
    crew: Crew
    tools: Toolbox


async def played(asked: Asked, called: list[str]) -> list[dict[str, Any]]:
    """The turns as they came out. What tools are called in earnest is put into `called`, whatever comes of
    the rest. Raises FlowError, Unplayable, EngineError, and ValueError where there is no such agent."""
    stage = await sync_to_async(_staged)(asked)

    async def call_tool(name: str, arguments: Mapping[str, Any]) -> ToolResult:
        result = await stage.tools.call(name, arguments)
        called.append(as_recorded(name, arguments, result))
        return result

    turns = await rehearse(
        stage.version,
        stage.agent,
        asked.moves,
        embedder=registry.embedder(),
        chat_model=stage.chat_model,
        crew=stage.crew,
        call_tool=call_tool if asked.earnest else no_tools,
        offered=stage.tools.specs,
        called=asked.called,
        again=asked.again,
    )
    return [turn.as_json() for turn in turns]


def _staged(asked: Asked) -> _Stage:
    """Without an agent it is one that knows nothing beside the flow."""
    version = as_version(asked.graph)
    agent, named = Agent(name=version.program.main.name, greeting="", chat_model=DEFAULT_MODEL), asked.named
    if named and (agent := Agent.objects.filter(slug=named).first() or agent).pk is None:
        raise ValueError(_("There is no agent “%(name)s” any more. Choose another.") % {"name": named})
    crew = crew_of(version)
    return _Stage(version, agent, chat_model_for(agent), crew, toolbox_of(tools_of(version, crew)))
