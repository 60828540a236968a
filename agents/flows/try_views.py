"""Trying a draft by text: each request plays the whole conversation, and nothing of it is kept."""

from __future__ import annotations

import json
from collections.abc import Mapping
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
from mlservices.types import Tool

from ..conversations import chat_model_for
from ..flow.graph import FlowError, Problem
from ..flow.program import CallTool
from ..models import DEFAULT_MODEL, Agent, Flow, FlowVersion
from ..tools.calling import toolbox_of
from .programs import Crew, crew_of, tools_of
from .rehearsal import Move, Unplayable, as_version, moves_of, no_tools, rehearse
from .texts import sentence


@dataclass(frozen=True, slots=True)
class _Stage:
    version: FlowVersion
    agent: Agent
    chat_model: ChatModel | None
    crew: Crew
    call_tool: CallTool
    offered: Mapping[str, Tool]


@require_POST
async def flow_try(request: HttpRequest, slug: str) -> HttpResponse:
    """Play `{graph, turns, agent, tools}`: the graph as it stands in the editor, the turns as they were
    answered before, with what is new or changed at the end; an agent's address or "", and whether tools are
    asked in earnest. Answers `{turns}`, or `{error}` with the place of what is wrong."""
    await aget_object_or_404(Flow, slug=slug)
    try:
        sent = json.loads(request.body)
        moves = moves_of(sent["turns"])
        graph, named, earnest = sent["graph"], str(sent.get("agent") or ""), sent.get("tools") is True
    except (ValueError, KeyError, TypeError) as error:
        return _refused(_("This cannot be played: %(reason)s") % {"reason": error}, status=400)
    try:
        stage = await sync_to_async(_staged)(graph, named, earnest)
        return JsonResponse({"turns": await _played(stage, moves)})
    except FlowError as error:
        return _problem(error.problem)
    except Unplayable as error:
        return _problem(error.problems[0])
    except EngineError as error:
        text = _("The agent could not answer: %(error)s. What you wrote is kept; send it again.")
        return _refused(text % {"error": error}, status=503)
    except ValueError as error:
        return _refused(str(error), status=400)


async def _played(stage: _Stage, moves: list[Move]) -> list[dict[str, Any]]:
    turns = await rehearse(
        stage.version,
        stage.agent,
        moves,
        embedder=registry.embedder(),
        chat_model=stage.chat_model,
        crew=stage.crew,
        call_tool=stage.call_tool,
        offered=stage.offered,
    )
    return [turn.as_json() for turn in turns]


def _staged(graph: Any, named: str, earnest: bool) -> _Stage:
    """Asks the database. Without an agent it is one that knows nothing beside the flow. Raises FlowError, and
    ValueError where there is no such agent."""
    version = as_version(graph)
    agent = Agent(name=version.program.main.name, greeting="", chat_model=DEFAULT_MODEL)
    if named and (agent := Agent.objects.filter(slug=named).first() or agent).pk is None:
        raise ValueError(_("There is no agent “%(name)s” any more. Choose another.") % {"name": named})
    crew = crew_of(version)
    tools = toolbox_of(tools_of(version, crew))
    call_tool = tools.call if earnest else no_tools
    return _Stage(version, agent, chat_model_for(agent), crew, call_tool, tools.specs)


def _problem(problem: Problem) -> JsonResponse:
    told = {"error": sentence(problem), "node": problem.node, "edge": problem.edge}
    return JsonResponse(told, status=422)


def _refused(error: str, *, status: int) -> JsonResponse:
    return JsonResponse({"error": error}, status=status)
