"""The pages of a flow's tests: the list with what came of each, running them, the form of one."""

from __future__ import annotations

from typing import Any

from asgiref.sync import sync_to_async
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import aget_object_or_404, get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from mlservices import registry
from mlservices.whole_numbers import whole_number

from ..flow.graph import Flow as Graph
from ..flow.graph import nodes, read
from ..models import Flow
from .actions import ChangedMeanwhile, require_tests, save_draft
from .results import Row, rows_of, run_and_keep
from .tests_form import ScriptedTestForms
from .texts import sentence


@require_safe
def test_list(request: HttpRequest, slug: str) -> HttpResponse:
    flow = get_object_or_404(Flow, slug=slug)
    return render(request, "flows/tests.html", {"flow": flow, **told_of(flow)})


def told_of(flow: Flow) -> dict[str, Any]:
    """For every list of a flow's tests."""
    rows = rows_of(flow)
    passed = sum(row.standing == "passed" for row in rows)
    failed = sum(row.standing == "failed" for row in rows)
    return {"rows": rows, "passed": passed, "failed": failed, "open": len(rows) - passed - failed}


@require_POST
async def test_run(request: HttpRequest, slug: str, place: int) -> HttpResponse:
    """Run one test of the draft and answer its row."""
    flow = await aget_object_or_404(Flow, slug=slug)
    try:
        await run_and_keep(flow, [place], embedder=registry.embedder())
    except IndexError:
        raise Http404(_("This test is gone.")) from None
    row = (await sync_to_async(rows_of)(flow))[place]
    return await sync_to_async(render)(request, "flows/_test_row.html", {"flow": flow, "row": row})


@require_POST
def test_require(request: HttpRequest, slug: str) -> HttpResponse:
    """Whether publishing asks for all tests to pass."""
    flow = require_tests(flow=get_object_or_404(Flow, slug=slug), required="required" in request.POST)
    text = _("Publishing requires the tests") if flow.tests_required else _("Publishing asks for no tests")
    messages.success(request, text)
    return redirect("flows:tests", slug=slug)


def test_new(request: HttpRequest, slug: str) -> HttpResponse:
    return _form_page(request, get_object_or_404(Flow, slug=slug), None)


def test_edit(request: HttpRequest, slug: str, place: int) -> HttpResponse:
    flow = get_object_or_404(Flow, slug=slug)
    rows = rows_of(flow)
    if place >= len(rows) and request.method != "POST":
        raise Http404
    return _form_page(request, flow, rows[place] if place < len(rows) else None)


@require_POST
def test_delete(request: HttpRequest, slug: str, place: int) -> HttpResponse:
    """`name` is that of the test as the page showed it."""
    flow = get_object_or_404(Flow, slug=slug)
    rows = rows_of(flow)
    if place >= len(rows) or rows[place].plan.name != request.POST.get("name", ""):
        messages.error(request, _("Not deleted: the tests were changed meanwhile. Look at them again."))
        return redirect("flows:tests", slug=slug)
    tests = [each for at, each in enumerate(flow.draft["tests"]) if at != place]
    try:
        _save(request, flow, tests, expected=flow.revision)
        messages.success(request, _("%(name)s is deleted") % {"name": rows[place].plan.name or _("The test")})
    except ChangedMeanwhile:
        messages.error(request, _("Not deleted: the flow was changed meanwhile. Look at it again."))
    return redirect("flows:tests", slug=slug)


def _form_page(request: HttpRequest, flow: Flow, row: Row | None) -> HttpResponse:
    """422 with what was typed where something is wrong, 409 where somebody else has saved the flow since."""
    others = {each.plan.name for each in rows_of(flow) if row is None or each.place != row.place}
    test = row.plan.test if row else None
    posted = request.POST if request.method == "POST" else None
    sheet = ScriptedTestForms(test, posted, taken=others)
    if posted is None:
        return _render_form(request, flow, row, sheet)
    if not sheet.is_valid():
        return _render_form(request, flow, row, sheet, status=422)
    tests = list(flow.draft.get("tests") or [])
    written = {**((test.model_extra or {}) if test else {}), **sheet.as_json()}
    if row and row.plan.name == posted.get("original"):
        tests[row.place] = written
    else:  # a new one, or the one that was changed is gone meanwhile
        tests.append(written)
    try:
        expected = whole_number(posted.get("revision", ""))
        _save(request, flow, tests, expected=flow.revision if expected is None else expected)
    except ChangedMeanwhile as error:
        return _render_form(request, error.flow, row, sheet, status=409)
    except ValidationError as error:
        sheet.form.add_error(None, " ".join(error.messages))
        return _render_form(request, flow, row, sheet, status=422)
    messages.success(request, _("%(name)s saved") % {"name": written["name"]})
    return redirect("flows:tests", slug=flow.slug)


def _save(request: HttpRequest, flow: Flow, tests: list[Any], *, expected: int) -> Flow:
    graph = {**flow.draft, "tests": tests}
    return save_draft(flow=flow, graph=graph, by=request.user.get_username(), expected=expected)


def _render_form(
    request: HttpRequest, flow: Flow, row: Row | None, sheet: ScriptedTestForms, *, status: int = 200
) -> HttpResponse:
    graph, _unreadable = read(flow.draft)
    shown = request.POST.get("revision", flow.revision) if status == 422 else flow.revision
    context = {
        "flow": flow,
        "row": row,
        "sheet": sheet,
        "all_forms": sheet.all,
        "original": request.POST.get("original", row.plan.name if row else ""),
        "revision": shown,
        "failed": status == 422,
        "changed_by": flow.changed_by if status == 409 else None,
        "conflict": status == 409,
        "problems": [sentence(each) for each in row.plan.problems] if row else [],
        "may_change": request.user.has_perm("agents.change_agents"),
        **_names_in(graph),
    }
    return render(request, "flows/test.html", context, status=status)


def _names_in(graph: Graph) -> dict[str, list[str]]:
    """What a test may name, to choose from."""
    steps = (node.data.label or node.id for node in graph.nodes if not isinstance(node, nodes.Note))
    edges = (edge.label or edge.id for edge in graph.edges)
    tools = [node.data.tool_name for node in graph.nodes if isinstance(node, nodes.Tool)]
    tools += [tool for node in graph.nodes if isinstance(node, nodes.Subagent) for tool in node.data.tools]
    meanings = (intent.name or intent.id for intent in graph.intents)
    lists = {"steps": steps, "connections": edges, "meanings": meanings, "tools": tools}
    return {name: [each for each in dict.fromkeys(found) if each] for name, found in lists.items()}
