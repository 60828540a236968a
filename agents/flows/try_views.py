"""Trying a draft by text: each request plays the whole conversation, and nothing of it is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import aget_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from mlservices import registry
from mlservices.errors import EngineError
from mlservices.interfaces import ChatModel

from ..conversations import chat_model_for
from ..flow.graph import FlowError, Problem
from ..flow.program import Toolbox, ToolResult
from ..json_text import json_of
from ..models import DEFAULT_MODEL, Agent, Flow, FlowVersion
from ..replayed import as_recorded
from ..tools.calling import toolbox_of
from .programs import Crew, crew_of, tools_of
from .rehearsal import Move, Unplayable, as_version, moves_of, no_tools, rehearse, texts
from .texts import sentence


@dataclass(frozen=True, slots=True)
class _Asked:
    """`named` is the agent's address, or ""; `earnest`: tools are called; `called` is what they answered
    before, and `again` whether nothing in the turns is new."""

    graph: Any
    moves: list[Move]
    named: str
    earnest: bool
    called: tuple[str, ...]
    again: bool


@dataclass(frozen=True, slots=True)
class _Stage:
    version: FlowVersion
    agent: Agent
    chat_model: ChatModel | None
    crew: Crew
    tools: Toolbox


@require_POST
async def flow_try(request: HttpRequest, slug: str) -> HttpResponse:
    """Play `{graph, turns, agent, tools, called, again}`: the graph as it stands in the editor, the turns as
    they were answered before, with what is new or changed at the end; an agent's address or ""; whether tools
    are called in earnest, what those answered that were called before, and whether all is played again.

    Answers `{turns, called}`, the latter what tools were called now, or `{error, called}` with the place of
    what is wrong. To call tools in earnest takes the right to change agents: the graph may name any of them,
    with any arguments.
    """
    await aget_object_or_404(Flow, slug=slug)
    try:
        asked = _read(request.body)
    except (ValueError, KeyError, TypeError) as error:
        return _refused(_("This cannot be played: %(reason)s") % {"reason": error}, status=400)
    if asked.earnest and not request.user.has_perm("agents.change_agents"):
        return _refused(_("Tools are called in earnest only by those who may change agents."), status=403)
    called: list[str] = []
    try:
        stage = await sync_to_async(_staged)(asked)
        return JsonResponse({"turns": await _played(stage, asked, called), "called": called})
    except FlowError as error:
        return _problem(error.problem, called)
    except Unplayable as error:
        return _problem(error.problems[0], called)
    except EngineError as error:
        text = _("The agent could not answer: %(error)s. What you wrote is kept; send it again.")
        return _refused(text % {"error": error}, status=503, called=called)
    except ValueError as error:
        return _refused(str(error), status=400, called=called)


async def _played(stage: _Stage, asked: _Asked, called: list[str]) -> list[dict[str, Any]]:
    """What tools are called in earnest is put into `called`, whatever comes of the rest."""

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


def _read(body: bytes) -> _Asked:
    """Raises ValueError, KeyError and TypeError."""
    sent = json_of(body)
    return _Asked(
        graph=sent["graph"],
        moves=moves_of(sent["turns"]),
        named=str(sent.get("agent") or ""),
        earnest=sent.get("tools") is True,
        called=texts(sent.get("called"), "called"),
        again=sent.get("again") is True,
    )


def _staged(asked: _Asked) -> _Stage:
    """Asks the database. Without an agent it is one that knows nothing beside the flow. Raises FlowError, and
    ValueError where there is no such agent."""
    version = as_version(asked.graph)
    agent, named = Agent(name=version.program.main.name, greeting="", chat_model=DEFAULT_MODEL), asked.named
    if named and (agent := Agent.objects.filter(slug=named).first() or agent).pk is None:
        raise ValueError(_("There is no agent “%(name)s” any more. Choose another.") % {"name": named})
    crew = crew_of(version)
    return _Stage(version, agent, chat_model_for(agent), crew, toolbox_of(tools_of(version, crew)))


def _problem(problem: Problem, called: Sequence[str]) -> JsonResponse:
    told = {"error": sentence(problem), "node": problem.node, "edge": problem.edge, "called": list(called)}
    return JsonResponse(told, status=422)


def _refused(error: str, *, status: int, called: Sequence[str] = ()) -> JsonResponse:
    return JsonResponse({"error": error, "called": list(called)}, status=status)
