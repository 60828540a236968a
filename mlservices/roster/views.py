"""The page of models, its rows, and what administrators do with them.

Long work runs in the ML service (service/downloads.py), not in the jobs' worker: a model takes longer than
any job may, and would keep the exports of calls waiting.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from ..catalog import BY_ID, MODELS, Model
from ..errors import EngineError
from ..order import SPACE, order
from .deeds import VERBS, came_to, deeds_of, done, not_done_yet
from .filters import Filters
from .memory import bars_of, without_place
from .rows import BUSY, Row, Standing, all_rows, grouped, row_of
from .told import Told, ask, change

_MOVED = "models-moved"  # on which the page asks for the picture of the memory anew
_ALL_ROWS = "models-rows"  # and on this for all rows
_CHANGED = "models-changed"  # some stand otherwise: a list of those that stand in one way is another now
_MANAGE = "mlservices.manage_models"


@require_safe
@vary_on_headers("HX-Request")
def model_list(request: HttpRequest) -> HttpResponse:
    """All models, or those that the address asks for; only the list where htmx asks."""
    told, filters = ask(), Filters(request.GET)
    every = all_rows(told)
    rows = filters.of_all_kinds(every)
    groups = grouped(filters.of_its_kind(rows))
    for group in groups:
        group["rows"] = [_shown(request, row) for row in group["rows"]]
    context = {"groups": groups, "filters": filters, "counts": filters.counts(rows), "told": told}
    if request.htmx and not request.htmx.history_restore_request:  # type: ignore[attr-defined]
        return render(request, "models/_list.html", context)
    return render(request, "models/list.html", context | _memory(told, every) | {"count": len(MODELS)})


@require_safe
def memory(request: HttpRequest) -> HttpResponse:
    """The picture, drawn again and again. Each row looks again that is another than it was at the last time
    (`was`), whoever changed it; and all do where the service came or went (`away`: it was gone)."""
    told = ask()
    rows = all_rows(told)
    answer = render(request, "models/_memory.html", _memory(told, rows))
    if bool(told.problem) != ("away" in request.GET):
        answer["HX-Trigger"] = _ALL_ROWS
    elif changed := _changed(request.GET.get("was", ""), rows):
        answer["HX-Trigger"] = ", ".join((_CHANGED, *(f"model-{id}" for id in changed)))
    return answer


def _seen(rows: Iterable[Row]) -> str:
    """How the rows stand, in a word that an address can hold: most are of models that are not here."""
    return ",".join(f"{row.model.id}:{row.mark}" for row in rows if row.standing is not Standing.ABSENT)


def _changed(was: str, rows: Iterable[Row]) -> list[str]:
    """Ids of models of which the page shows something else than `_seen` saw."""
    before, now = set(filter(None, was.split(","))), set(filter(None, _seen(rows).split(",")))
    return sorted({each.partition(":")[0] for each in before ^ now} & set(BY_ID))


def _memory(told: Told, rows: Iterable[Row]) -> dict[str, Any]:
    bars = bars_of(told)
    return {
        "seen": urlencode({**({"away": 1} if told.problem else {}), "was": _seen(rows)}),
        "told": told,
        "space": settings.HF_ML_API_URL if order()[0] == SPACE else "",
        "bars": bars,
        "has_gpu": any(not bar.is_machine for bar in bars),
        "without_place": without_place(told),
    }


@require_safe
def model_row(request: HttpRequest, model_id: str) -> HttpResponse:
    """A row, looked at again: 204 while it is as `was` says."""
    if not request.htmx:  # type: ignore[attr-defined]
        return redirect("models:list")
    row = row_of(_named(model_id), ask())
    was = request.GET.get("was", "")
    if was == row.mark:
        return HttpResponse(status=204)
    before = was.partition("-")[0]
    if before in BUSY and not row.is_busy and (text := came_to(row)):
        messages.success(request, text)
    return _row(request, row, *([_MOVED] if before != row.standing else []))


@require_POST
def change_model(request: HttpRequest, model_id: str, verb: str) -> HttpResponse:
    """Do one of VERBS with a model, and answer its row; what was refused stands in it with the reason."""
    model = _named(model_id)
    if verb not in VERBS:
        raise Http404
    problem, is_done = "", False
    try:
        is_done = change(model_id, verb)
    except EngineError as error:
        problem = str(error)
    words = done if is_done else not_done_yet
    row = row_of(model, ask(), problem)
    if not request.htmx:  # type: ignore[attr-defined]
        messages.error(request, problem) if problem else messages.success(request, words(row, verb))
        return redirect("models:list")
    if not problem:
        messages.success(request, words(row, verb))
    makes_room = verb == "load" and not problem  # of which the rows of others tell
    return _row(request, row, _MOVED, *([_ALL_ROWS] if makes_room else []))


def _named(model_id: str) -> Model:
    try:
        return BY_ID[model_id]
    except KeyError:
        raise Http404 from None


def _shown(request: HttpRequest, row: Row) -> dict[str, Any]:
    deeds = deeds_of(row) if request.user.has_perm(_MANAGE) else []
    return {"row": row, "deeds": deeds}


def _row(request: HttpRequest, row: Row, *events: str) -> HttpResponse:
    answer = render(request, "models/_row.html", _shown(request, row))
    if events:
        answer["HX-Trigger"] = ", ".join(events)
    return answer
