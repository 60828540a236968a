"""The pages of flows: the list, the editor with its draft, versions, files in and out."""

from __future__ import annotations

from typing import Any

from asgiref.sync import async_to_sync
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from mlservices import audit, registry
from mlservices.json_text import json_of
from mlservices.whole_numbers import whole_number

from ..flow.graph import FlowError, Problem, Severity, read, read_text
from ..flow.graph.reading import LARGEST_BYTES
from ..models import Agent, Flow, FlowVersion
from .actions import (
    ChangedMeanwhile,
    Unpublishable,
    Untested,
    create_flow,
    delete_flow,
    duplicate_flow,
    problems_in,
    publish,
    roll_back,
    save_draft,
)
from .blank import BLANK
from .differences import differences, on_canvas
from .editing import page_data
from .kinds import KINDS
from .results import not_passed, run_and_keep
from .templates import template, templates
from .tests_views import told_of
from .texts import difference_sentence, sentence, told

PAGE_SIZE = 50
MOST_CHANGES = 40  # told one by one before publishing


@require_safe
@vary_on_headers("HX-Request")
def flow_list(request: HttpRequest) -> HttpResponse:
    """`q` searches names and descriptions."""
    words = request.GET.get("q", "").strip()
    found = Flow.objects.filter(Q(name__icontains=words) | Q(description__icontains=words))
    rows = found.select_related("live").annotate(used_by=Count("agents")).defer("draft", "live__graph")
    page = Paginator(rows.order_by("name"), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {"page": page, "words": words}
    partial = request.htmx and not request.htmx.history_restore_request  # type: ignore[attr-defined]
    return render(request, "flows/_table.html" if partial else "flows/list.html", context)


@require_POST
def flow_new(request: HttpRequest) -> HttpResponse:
    """A draft of two steps, opened in the editor."""
    name = request.POST.get("name", "").strip() or _("New flow")
    return redirect(create_flow(graph=BLANK, name=name[:120], by=_who(request)))


@require_safe
def flow_templates(request: HttpRequest) -> HttpResponse:
    return render(request, "flows/templates.html", {"templates": templates()})


@require_POST
def flow_from_template(request: HttpRequest, id: str) -> HttpResponse:
    chosen = template(id)
    if chosen is None:
        raise Http404
    return redirect(create_flow(graph=chosen.graph, by=_who(request)))


@require_POST
def flow_import(request: HttpRequest) -> HttpResponse:
    """A file in the exchange format; what is wrong inside it is shown in the editor."""
    file = request.FILES.get("file")
    if file is None:
        messages.error(request, _("Choose a file first."))
        return redirect("flows:list")
    try:
        if (file.size or 0) > LARGEST_BYTES:
            values = {"size": f"{file.size:,}", "limit": f"{LARGEST_BYTES:,}"}
            raise FlowError(Problem("too_large", values=values))
        content = file.read()
        read_text(content)
        name = (file.name or "").rpartition(".")[0]
        graph = json_of(content)
        flow = create_flow(graph=graph, name=str(graph.get("name") or name), by=_who(request))
    except FlowError as error:
        messages.error(request, _("Not imported: %(reason)s") % {"reason": sentence(error.problem)})
        return redirect("flows:list")
    except ValidationError as error:
        messages.error(request, _("Not imported: %(reason)s") % {"reason": " ".join(error.messages)})
        return redirect("flows:list")
    messages.success(request, _("%(name)s is imported as a draft") % {"name": flow.name})
    return redirect(flow)


@require_safe
def flow_export(request: HttpRequest, slug: str) -> HttpResponse:
    """The draft, or with `version` a version, as a file that can be imported again."""
    flow = get_object_or_404(Flow, slug=slug)
    number = whole_number(request.GET.get("version", ""))
    graph = flow.draft if number is None else get_object_or_404(flow.versions, number=number).graph
    if request.method == "GET":
        audit.record("flow.downloaded", flow, detail="" if number is None else str(number))
    response = JsonResponse(graph, json_dumps_params={"indent": 2, "ensure_ascii": False})
    name = slug if number is None else f"{slug}-{number}"
    response["Content-Disposition"] = f'attachment; filename="{name}.json"'
    return response


@require_safe
def flow_edit(request: HttpRequest, slug: str) -> HttpResponse:
    flow = get_object_or_404(Flow.objects.select_related("live"), slug=slug)
    may_change = request.user.has_perm("agents.change_agents")
    may_try = request.user.has_perm("agents.try_agents")
    may = {"mayChange": may_change, "mayTry": may_try, "mayCallTools": may_change}
    context = {
        "flow": flow,
        "told": {**_draft_told(flow), **may, "agent": _who_follows(flow)},
        "data": page_data(),
        "kinds": KINDS,
        "may_change": may_change,
        "may_delete": may_change and not flow.all_versions.exists() and not flow.agents.exists(),
    }
    return render(request, "flows/edit.html", context)


def _who_follows(flow: Flow) -> str:
    """The address of an agent of it, as whom it is tried at first; "" for none."""
    agents = flow.agents.exclude(status=Agent.Status.ARCHIVED).order_by("name")
    return agents.values_list("slug", flat=True).first() or ""


@require_POST
def flow_draft(request: HttpRequest, slug: str) -> HttpResponse:
    """Store `{graph, revision}`. Answers the new revision and what is wrong with the draft; 409 with the
    newer draft if somebody else has saved since `revision`."""
    flow = get_object_or_404(Flow, slug=slug)
    try:
        sent = json_of(request.body)
        graph, expected = sent["graph"], int(sent["revision"])
    except (ValueError, KeyError, TypeError):
        return JsonResponse({"error": _("Send an object with “graph” and “revision”.")}, status=400)
    try:
        flow = save_draft(flow=flow, graph=graph, by=_who(request), expected=expected)
    except ValidationError as error:
        return JsonResponse({"error": " ".join(error.messages)}, status=422)
    except ChangedMeanwhile as error:
        return JsonResponse({**_draft_told(error.flow), "by": error.flow.changed_by}, status=409)
    return JsonResponse({key: value for key, value in _draft_told(flow).items() if key != "graph"})


@require_safe
def flow_review(request: HttpRequest, slug: str) -> HttpResponse:
    """For the dialog that publishes: what forbids it, or else what differs from what is live."""
    flow = get_object_or_404(Flow.objects.select_related("live"), slug=slug)
    names = {node.id: node.data.label or node.id for node in read(flow.draft)[0].nodes}
    errors = [
        {**told(each), "step": names.get(each.node, "")}
        for each in problems_in(flow)
        if each.severity is Severity.ERROR
    ]
    changes = differences(flow.live.graph, flow.draft) if flow.live else []
    context = {
        "flow": flow,
        "errors": errors,
        "changes": [difference_sentence(each) for each in changes[:MOST_CHANGES]],
        "further": max(0, len(changes) - MOST_CHANGES),
        "drawn": on_canvas(flow.live.graph, flow.draft) if flow.live else {},
        "run_now": flow.tests_required,
        **told_of(flow),
    }
    return render(request, "flows/_review.html", context)


@require_POST
def flow_publish(request: HttpRequest, slug: str) -> HttpResponse:
    flow = get_object_or_404(Flow, slug=slug)
    if flow.tests_required and (due := [row.place for row in not_passed(flow)]):
        async_to_sync(run_and_keep)(flow, due, embedder=registry.embedder())
    try:
        version = publish(flow=flow, by=_who(request), note=request.POST.get("note", "").strip()[:300])
    except Unpublishable as error:
        text = _("Not published: %(reason)s") % {"reason": sentence(error.problems[0])}
        messages.error(request, text)
        return redirect(flow)
    except Untested as error:
        names = ", ".join(row.plan.name or _("a test without a name") for row in error.rows)
        messages.error(request, _("Not published: these tests fail: %(names)s") % {"names": names})
        return redirect("flows:tests", slug=slug)
    messages.success(
        request, _("Version %(number)d is live: new calls follow it") % {"number": version.number}
    )
    return redirect(flow)


@require_safe
def flow_versions(request: HttpRequest, slug: str) -> HttpResponse:
    flow = get_object_or_404(Flow.objects.select_related("live"), slug=slug)
    page = Paginator(flow.versions.all(), PAGE_SIZE).get_page(request.GET.get("page"))
    return render(request, "flows/versions.html", {"flow": flow, "page": page})


@require_safe
def flow_version(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """A version on the canvas, to look at."""
    version = get_object_or_404(
        FlowVersion.objects.select_related("flow__live").defer("flow__draft", "flow__live__graph"),
        flow__slug=slug,
        number=number,
    )
    context = {
        "flow": version.flow,
        "version": version,
        "told": {
            "graph": version.graph,
            "problems": [],
            "mayChange": False,
            "mayTry": request.user.has_perm("agents.try_agents"),
            "mayCallTools": request.user.has_perm("agents.change_agents"),
            "version": number,
        },
        "data": page_data(),
        "kinds": KINDS,
        "may_change": False,
    }
    return render(request, "flows/version.html", context)


@require_POST
def flow_roll_back(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    version = get_object_or_404(FlowVersion.objects.select_related("flow"), flow__slug=slug, number=number)
    made = roll_back(version=version, by=_who(request))
    text = _("Version %(old)d is live again, as version %(number)d")
    messages.success(request, text % {"old": number, "number": made.number})
    return redirect("flows:versions", slug=slug)


@require_POST
def flow_duplicate(request: HttpRequest, slug: str) -> HttpResponse:
    copy = duplicate_flow(flow=get_object_or_404(Flow, slug=slug), by=_who(request))
    messages.success(request, _("%(name)s is made") % {"name": copy.name})
    return redirect(copy)


@require_POST
def flow_delete(request: HttpRequest, slug: str) -> HttpResponse:
    flow = get_object_or_404(Flow, slug=slug)
    try:
        delete_flow(flow=flow)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect(flow)
    messages.success(request, _("%(name)s is deleted") % {"name": flow.name})
    return redirect("flows:list")


def _draft_told(flow: Flow) -> dict[str, Any]:
    """The draft for the editor, with its problems."""
    return {
        "graph": flow.draft,
        "revision": flow.revision,
        "problems": [told(each) for each in problems_in(flow)],
    }


def _who(request: HttpRequest) -> str:
    return request.user.get_username()
