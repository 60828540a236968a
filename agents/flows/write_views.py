"""Having flows written: a page that shows progress and a preview, and the same for a change in the editor."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any

from asgiref.sync import sync_to_async
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from mlservices import registry
from mlservices.errors import EngineError
from mlservices.interfaces import ChatModel
from mlservices.json_text import json_of

from ..flow.graph import FlowError, Known, read
from ..models import Flow
from .actions import create_flow
from .differences import differences, on_canvas
from .editing import page_data
from .generation.schema import SCHEMA
from .generation.writing import LONGEST_DESCRIPTION, NotWritten, Progress, written
from .kinds import KINDS
from .programs import known_to
from .texts import difference_sentence, sentence, told

MOST_CHANGES = 60  # told one by one


@require_safe
def flow_generate(request: HttpRequest) -> HttpResponse:
    context = {
        "can": registry.writer(SCHEMA) is not None,
        "longest": LONGEST_DESCRIPTION,
        "data": page_data(),
        "told": {"mayChange": False, "problems": []},
        "kinds": KINDS,
    }
    return render(request, "flows/generate.html", context)


@require_POST
async def flow_write(request: HttpRequest) -> HttpResponseBase:
    """Have `{description, graph, slug}` written: a new flow, or `graph`, that of the flow `slug`, changed.

    Streams JSON lines: {stage, attempt, tokens, characters, seconds} as it goes on, with "done" also {graph,
    problems, changes, drawn}, or {error}. To leave it ends the request to the model.
    """
    try:
        sent = json_of(request.body)
        description, graph, slug = (
            str(sent["description"]).strip(),
            sent.get("graph"),
            str(sent.get("slug", "")),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return _refused(_("Send an object with a “description”."), status=400)
    if not 0 < len(description) <= LONGEST_DESCRIPTION:
        text = _("Describe it in 1 to %(most)s characters.") % {"most": LONGEST_DESCRIPTION}
        return _refused(text, status=400)
    if graph is not None and (fault := _fault_in(graph)):
        return _refused(fault, status=400)
    model = registry.writer(SCHEMA)
    if model is None:
        return _refused(_("No language model writes flows: set AI_INTEGRATIONS_OPENAI_API_KEY."), status=503)
    known = await sync_to_async(_known)(slug)
    answer = StreamingHttpResponse(
        _lines(description, graph, model, known), content_type="application/x-ndjson"
    )
    answer["X-Accel-Buffering"] = "no"  # a proxy before us is not to gather it
    answer["Cache-Control"] = "no-store"
    return answer


@require_POST
def flow_keep(request: HttpRequest) -> HttpResponse:
    """Keep `{graph}` as a draft; answers where it is."""
    try:
        graph = json_of(request.body)["graph"]
    except (ValueError, KeyError, TypeError):
        return _refused(_("Send an object with a “graph”."), status=400)
    if fault := _fault_in(graph):
        return _refused(fault, status=400)
    try:
        flow = create_flow(graph=graph, by=request.user.get_username())
    except ValidationError as error:
        return _refused(" ".join(error.messages), status=422)
    return JsonResponse({"address": flow.get_absolute_url()})


def _fault_in(graph: Any) -> str:
    """Why it is no flow that could be changed or kept: it, or a part of it, is no object. "": it is one."""
    try:
        _flow, problems = read(graph)
    except FlowError as error:
        return sentence(error.problem)
    return next((sentence(each) for each in problems if each.code == "no_object"), "")


def _known(slug: str) -> Known:
    return known_to(Flow.objects.filter(slug=slug).first() or Flow())


async def _lines(
    description: str, graph: Mapping[str, Any] | None, model: ChatModel, known: Known
) -> AsyncGenerator[bytes, None]:
    try:
        async with aclosing(written(description, model=model, known=known, graph=graph)) as steps:
            async for now in steps:
                yield _line(_told(now, graph))
    except NotWritten as error:
        reason = _("The model wrote no flow, also when it was told why: say it in other words. %(reason)s")
        yield _line({"error": reason % {"reason": error}})
    except EngineError as error:
        yield _line(
            {"error": _("%(error)s. What you wrote is kept; try again.") % {"error": str(error).rstrip(".")}}
        )


def _told(now: Progress, before: Mapping[str, Any] | None) -> dict[str, Any]:
    counted = {
        "stage": now.stage,
        "attempt": now.attempt,
        "tokens": now.tokens,
        "characters": len(now.answer),
        "seconds": round(now.seconds, 1),
    }
    if now.graph is None:
        return counted
    changes = differences(before, now.graph) if before else []
    return {
        **counted,
        "graph": now.graph,
        "problems": [told(each) for each in now.problems],
        "changes": [difference_sentence(each) for each in changes[:MOST_CHANGES]],
        "drawn": on_canvas(before, now.graph) if before else {},
    }


def _line(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content).encode() + b"\n"


def _refused(error: str, *, status: int) -> JsonResponse:
    return JsonResponse({"error": error}, status=status)
