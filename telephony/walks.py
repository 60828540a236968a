"""The way of one call through its flow, for the canvas on its page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from agents.flows.editing import page_data
from agents.flows.kinds import KINDS
from agents.flows.programs import crew_of
from agents.models import Agent, Flow, FlowVersion

from .models import Call, CallEvent
from .traffic import HANDED_OVER

OF_THE_WALK = ("step_noted", "operator_took_over", "operator_gave_back", "call_ended")


@require_safe
def walk(request: HttpRequest, call_id: UUID) -> HttpResponse:
    """The canvas with the graphs that the call may come to and what has happened so far."""
    call = get_object_or_404(Call.objects.select_related("flow_version__flow"), pk=call_id)
    rows = CallEvent.objects.filter(call=call, kind__in=OF_THE_WALK).order_by("seq")
    events = [dict(each) for each in rows.values("seq", "kind", "at_seconds", "payload")]
    told = {"mayChange": False, "problems": [], "stages": list(_stages(call, events)), "events": events}
    context = {"told": told, "data": page_data(), "kinds": KINDS}
    return render(request, "calls/_walk_canvas.html", context)


def _stages(call: Call, events: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Each flow and sub-flow that the call has been in, or may come to: {agent, flow, title, graph}.

    `agent` is "" for the call's own; another, that it was handed to, follows what was live as it began.
    """
    if call.flow_version:
        yield from _of_version(call.flow_version, agent="")
    for agent in _agents_named(call, events):
        flow = agent.flow
        version = flow and flow.versions.filter(at__lte=call.created_at).select_related("flow").first()
        if version:
            yield from _of_version(version, agent=agent.slug, of=f"{agent.name}: ")
        else:
            yield {"agent": agent.slug, "flow": "", "title": agent.name, "graph": None}


def _of_version(version: FlowVersion, *, agent: str, of: str = "") -> Iterator[dict[str, Any]]:
    title = f"{of}{version.flow.name}"
    yield {"agent": agent, "flow": "", "title": title, "graph": version.graph}
    names = dict(Flow.objects.filter(slug__in=version.subflows).values_list("slug", "name"))
    for slug, graph in version.subflows.items():
        yield {"agent": agent, "flow": slug, "title": f"{title} / {names.get(slug, slug)}", "graph": graph}


def _agents_named(call: Call, events: Iterable[dict[str, Any]]) -> list[Agent]:
    """Those that the call was handed over to; while it goes on, also those that it may be."""
    notes = [each["payload"] for each in events if each["kind"] == "step_noted"]
    slugs = {note["name"] for note in notes if note["note"] == HANDED_OVER}
    if call.is_live and call.flow_version:
        slugs |= set(crew_of(call.flow_version))
    return list(Agent.objects.filter(slug__in=slugs).select_related("flow"))
