"""Calls on the canvas of their flow: the way of one on its page, and the traffic of all over a period."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from agents.flow.graph import nodes
from agents.flows.editing import page_data
from agents.flows.kinds import BY_TYPE, KINDS
from agents.flows.programs import crew_of
from agents.models import Agent, Flow, FlowVersion

from .figures import Period
from .models import Call, CallEvent
from .traffic import HANDED_OVER, Part, traffic_of
from .wording import FLOW_ENDS

ENDS = {name for name, kind in nodes.TYPES.items() if issubclass(kind, nodes.ENDS)}
OF_THE_WALK = ("step_noted", "operator_took_over", "operator_gave_back", "call_ended")


PERIODS = {"today": _("Today"), "7-days": _("7 days"), "30-days": _("30 days")}


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


# ---- traffic ------------------------------------------------------------------------------------


@require_safe
def flow_traffic(request: HttpRequest, slug: str) -> HttpResponse:
    """Of a `period` (today, 7-days, 30-days) on the graph that is live, of the calls of all versions, or on
    that of `version` alone; `inside` is the address of a sub-flow to look into."""
    flow = get_object_or_404(Flow.objects.select_related("live"), slug=slug)
    numbers = list(flow.versions.values_list("number", flat=True))
    asked = request.GET.get("version", "")
    version = flow.versions.get(number=int(asked)) if asked in map(str, numbers) else None
    drawn = version or flow.live
    inside = request.GET.get("inside", "")
    graphs: dict[str, Any] = {"": drawn.graph, **drawn.subflows} if drawn else {}
    inside = inside if inside in graphs else ""
    period = Period.of(request.GET.get("period", "7-days"))
    counted = [version] if version else flow.versions.only("pk")
    parts = traffic_of(counted, flow=inside, period=period)
    graph = graphs.get(inside)
    told: dict[str, Any] = {
        "graph": graph,
        "mayChange": False,
        "problems": [],
        "traffic": _lit(graph or {}, parts),
    }
    context = {
        "flow": flow,
        "version": version,
        "numbers": numbers,
        "inside": inside,
        "insides": Flow.objects.filter(slug__in=graphs).values_list("slug", "name"),
        "period": period,
        "periods": PERIODS.items(),
        "rows": _rows(graph or {}, parts),
        "told": told,
        "data": page_data(),
        "kinds": KINDS,
    }
    return render(request, "calls/flow_traffic.html", context)


def _lit(graph: dict[str, Any], parts: dict[str, Part]) -> dict[str, dict[str, Any]]:
    """What the canvas shows of each part, as static/js/flow/lit.js takes it."""
    most = max((part.calls for part in parts.values()), default=0)
    lit: dict[str, dict[str, Any]] = {}
    for node in graph.get("nodes", []):
        if part := parts.get(node["id"]):
            told = ngettext("%(count)d call", "%(count)d calls", part.calls) % {"count": part.calls}
            if out := _dropped_out(node, part):
                told += ", " + ngettext("%(count)d dropped out", "%(count)d dropped out", out) % {
                    "count": out
                }
            lit[node["id"]] = {"badge": told} | ({"tone": "out"} if out else {})
    for edge in graph.get("edges", []):
        if part := parts.get(edge["id"]):
            lit[edge["id"]] = {
                "badge": f"{part.calls} ({_share(part, parts.get(edge['source']))} %)",
                "weight": part.calls / most,
            }
    return lit


def _share(part: Part, source: Part | None) -> int:
    """Of the calls that came to a connection's step, in percent."""
    return round(100 * part.calls / source.calls) if source and source.calls else 100


def _dropped_out(node: dict[str, Any], part: Part) -> int:
    """The calls that ended at a step which is no end."""
    return 0 if node.get("type") in ENDS else part.ended


def _rows(graph: dict[str, Any], parts: dict[str, Part]) -> list[dict[str, Any]]:
    """The steps that calls came to, the busiest first, with where they went on to and how they ended."""
    names = {node["id"]: _name(node) for node in graph.get("nodes", [])}
    rows = []
    for node in graph.get("nodes", []):
        if (part := parts.get(node["id"])) is None:
            continue
        leaving = [edge for edge in graph.get("edges", []) if edge["source"] == node["id"]]
        ways = [(edge, parts[edge["id"]]) for edge in leaving if edge["id"] in parts]
        rows.append(
            {
                "id": node["id"],
                "name": names[node["id"]],
                "calls": part.calls,
                "ways": [
                    {
                        "to": names.get(edge["target"], edge["target"]),
                        "calls": way.calls,
                        "share": _share(way, part),
                    }
                    for edge, way in ways
                ],
                "dropped": _dropped_out(node, part),
                "ends": [
                    {"how": FLOW_ENDS.get(end, end), "calls": calls} for end, calls in part.ends.items()
                ],
            }
        )
    return sorted(rows, key=lambda row: -row["calls"])


def _name(node: dict[str, Any]) -> str:
    kind = BY_TYPE.get(node.get("type", ""))
    return str(node.get("data", {}).get("label") or (kind.label if kind else node["id"]))
