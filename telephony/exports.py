"""Lists of calls as files: ordered here, written by the worker (`tasks`), fetched here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import redis
from django.contrib import messages
from django.db.models import QuerySet
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_q.status import Stat

from agents.models import Agent
from mlservices import audit

from . import file_names, sheet
from .export_actions import COLUMNS, cancel_export, delete_export, order_export
from .filter_words import title
from .filters import Filters
from .history import chosen_calls, selected
from .models import CallExport
from .pages import MOST_COUNTED

DEAD_SECONDS = 120.0  # without a sign of life, and its worker has died
MOST_SHOWN = 50
State = CallExport.State


@require_http_methods(["GET", "HEAD", "POST"])
def exports(request: HttpRequest) -> HttpResponse:
    """Own exports; with a POST of `back` (a list's query) or `call`s first what to put into a new one,
    and with `columns` too the new one itself."""
    if request.method != "POST":
        part = request.htmx  # type: ignore[attr-defined]
        return render(request, "calls/_exports.html" if part else "calls/exports.html", _own(request))
    chosen = [column for column in COLUMNS if column in request.POST.getlist("columns")]
    calls = chosen_calls(request) if "all" not in request.POST else []
    query = Filters.read(QueryDict(request.POST.get("back", "")))
    if "columns_shown" in request.POST and chosen:
        order_export(owner=_user_id(request), filters=query, calls=calls, columns=chosen)
        messages.success(request, _("The export is on its way."))
        return redirect("telephony:exports")
    counted = len(calls) or selected(query).order_by().values("pk")[: MOST_COUNTED + 1].count()
    context = {
        "count": min(counted, MOST_COUNTED),
        "more": counted > MOST_COUNTED,
        "calls": calls,
        "title": "" if calls else title(query, _agents_of([query]).get(query.agent, "")),
        "back": query.as_query(),
        "columns": [
            (key, name, key not in ("id", sheet.TRANSCRIPT))
            for key, name in zip(COLUMNS, sheet.head(COLUMNS), strict=True)
        ],
        "nothing_chosen": "columns_shown" in request.POST,
    }
    return render(request, "calls/export_new.html", context, status=422 if context["nothing_chosen"] else 200)


@dataclass(frozen=True, slots=True)
class Shown:
    """An export of the list, and what there is to say of it."""

    export: CallExport
    title: str
    died: bool  # its worker has
    percent: int | None
    bytes: int | None


def _own(request: HttpRequest) -> dict[str, Any]:
    shown = shown_of(list(exports_of(_user_id(request))[:MOST_SHOWN]))
    under_way = any(each.export.is_under_way and not each.died for each in shown)
    return {"exports": shown, "under_way": under_way, "away": under_way and worker_is_away()}


def shown_of(exports: Sequence[CallExport]) -> list[Shown]:
    """In one query more than theirs."""
    return [_shown(export, name) for export, name in zip(exports, _titles(exports), strict=True)]


def _titles(exports: Sequence[CallExport]) -> list[str]:
    """What is in each, in words."""
    asked = [Filters.read(QueryDict(export.query)) for export in exports]
    agents = _agents_of(asked)
    return [
        _chosen(len(export.calls)) if export.calls else title(filters, agents.get(filters.agent, ""))
        for export, filters in zip(exports, asked, strict=True)
    ]


def _chosen(count: int) -> str:
    return ngettext("%(count)d chosen call", "%(count)d chosen calls", count) % {"count": count}


def _agents_of(asked: Sequence[Filters]) -> dict[str, str]:
    """The names of the agents that lists are filtered by; no query where they are by none."""
    return dict(
        Agent.objects.filter(slug__in={each.agent for each in asked} - {""}).values_list("slug", "name")
    )


def _shown(export: CallExport, title: str) -> Shown:
    silent = timezone.now() - (export.beat_at or timezone.now())
    died = export.state == State.RUNNING and silent.total_seconds() > DEAD_SECONDS
    percent = min(100, 100 * export.written // export.total) if export.total else None
    file = Path(export.file.path) if export.file else None
    return Shown(export, title, died, percent, file.stat().st_size if file and file.exists() else None)


def exports_of(owner: int) -> QuerySet[CallExport]:
    return CallExport.objects.filter(owner=owner, expires_at__gt=timezone.now())


def _user_id(request: HttpRequest) -> int:
    assert request.user.pk is not None  # the gate lets nobody else in
    return request.user.pk


def worker_is_away() -> bool:
    """Whether no worker has shown its heart beating in the last seconds."""
    try:
        return not Stat.get_all()
    except redis.RedisError:
        return True


@require_POST
def cancel(request: HttpRequest, export_id: UUID) -> HttpResponse:
    """Stops one that is under way, and takes one that is over off the list, with its file."""
    export = get_object_or_404(exports_of(_user_id(request)), pk=export_id)
    if not cancel_export(export=export):
        delete_export(export=export)
    return redirect("telephony:exports")


@require_safe
def download(request: HttpRequest, export_id: UUID) -> HttpResponseBase:
    export = get_object_or_404(exports_of(_user_id(request)), pk=export_id, state=State.DONE)
    try:
        file = export.file.open("rb")
    except FileNotFoundError:
        raise Http404 from None
    if request.method == "GET":
        audit.record("export.downloaded", export)
    name = file_names.of_export(export, _titles([export])[0])
    return FileResponse(file, as_attachment=True, filename=name, content_type="text/csv; charset=utf-8")
