"""Trying a draft by text: each request plays the whole conversation, and nothing of it is kept."""

from __future__ import annotations

from collections.abc import Sequence

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import aget_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from mlservices.errors import EngineError
from mlservices.json_text import json_of

from ..flow.graph import FlowError, Problem
from ..models import Flow
from .playing import Asked, played
from .rehearsal import Unplayable, moves_of, texts
from .texts import sentence


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
        return JsonResponse({"turns": await played(asked, called), "called": called})
    except FlowError as error:
        return _problem(error.problem, called)
    except Unplayable as error:
        return _problem(error.problems[0], called)
    except EngineError as error:
        text = _("The agent could not answer: %(error)s. What you wrote is kept; send it again.")
        return _refused(text % {"error": error}, status=503, called=called)
    except ValueError as error:
        return _refused(str(error), status=400, called=called)


def _read(body: bytes) -> Asked:
    """Raises ValueError, KeyError and TypeError."""
    sent = json_of(body)
    return Asked(
        graph=sent["graph"],
        moves=moves_of(sent["turns"]),
        named=str(sent.get("agent") or ""),
        earnest=sent.get("tools") is True,
        called=texts(sent.get("called"), "called"),
        again=sent.get("again") is True,
    )


def _problem(problem: Problem, called: Sequence[str]) -> JsonResponse:
    told = {"error": sentence(problem), "node": problem.node, "edge": problem.edge, "called": list(called)}
    return JsonResponse(told, status=422)


def _refused(error: str, *, status: int, called: Sequence[str] = ()) -> JsonResponse:
    return JsonResponse({"error": error, "called": list(called)}, status=status)
