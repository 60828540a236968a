"""The pages of the audit trail; and what was done with one account, for whoever may see that."""

from __future__ import annotations

import csv
import io
import tempfile
from typing import Any

from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from mlservices.audit import COMMAND, ITSELF, Thing, record
from telephony.models import Credential
from telephony.sheet import harmless

from ..models import AuditEntry, AuditHead, User
from .chain import BATCH, DoesNotFit, verify_news
from .listing import Filters, lines_of, page_of, verb_choices, who_words
from .words import KINDS

MOST_EXPORTED = 100_000  # entries in one file
MOST_OF_ACCOUNT = 50
TRAIL = Thing("voiceforge_site.auditentry", "", "")


@require_safe
@vary_on_headers("HX-Request")
def trail(request: HttpRequest) -> HttpResponse:
    """Newest first; `q`, `person`, `kind`, `verb`, `from` and `to` filter; only the list where htmx asks."""
    filters = Filters.read(request.GET)
    page = page_of(filters.entries(), request.GET)
    context: dict[str, Any] = {
        "page": page,
        "lines": lines_of(page),
        "filters": filters,
        "query": _query(request.GET),
    }
    if request.htmx and not request.htmx.history_restore_request:  # type: ignore[attr-defined]
        return render(request, "audit/_table.html", context)
    return render(request, "audit/list.html", context | _choices() | {"chain": _chain()})


def _query(asked: QueryDict) -> str:
    """The filters alone, for the address of the export."""
    kept = asked.copy()
    for name in ("after", "before"):
        kept.pop(name, None)
    return kept.urlencode()


def _choices() -> dict[str, Any]:
    names = [*User.objects.order_by("username").values_list("username", flat=True), ITSELF.name, COMMAND.name]
    return {
        "people": [(name, who_words(name)) for name in names],
        "kinds": KINDS.items(),
        "verbs": verb_choices(),
    }


def _chain() -> dict[str, Any]:
    """How the chain stands, as it was found when it was last looked through."""
    head = AuditHead.objects.filter(pk=AuditHead.ONLY).first() or AuditHead()
    return {"head": head, "problem": str(DoesNotFit.of(head.problem)) if head.problem else ""}


@require_safe
def entry(request: HttpRequest, pk: int) -> HttpResponse:
    """One entry with what it was before and after; for htmx that alone."""
    (line,) = lines_of([get_object_or_404(AuditEntry.objects.defer("words"), pk=pk)])
    part = request.htmx and not request.htmx.history_restore_request  # type: ignore[attr-defined]
    return render(request, "audit/_entry.html" if part else "audit/entry.html", {"line": line})


@require_POST
def check(request: HttpRequest) -> HttpResponse:
    """Look now whether what came since the last time fits."""
    problem = verify_news()
    record("audit.verified", TRAIL, detail=problem)
    if problem:
        messages.error(request, str(DoesNotFit.of(problem)))
    else:
        messages.success(request, _("Every entry is as it was written"))
    return redirect("audit:list")


@require_POST
def export(request: HttpRequest) -> HttpResponseBase:
    """The newest of what the list shows, as a CSV file; that somebody took it stands in the trail as well."""
    filters = Filters.read(request.GET)
    record("audit.exported", TRAIL, detail=_query(request.GET))
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the answer closes it
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="", write_through=True)
    writer = csv.writer(text)
    writer.writerow(_COLUMNS)
    rows = filters.entries().order_by("-pk").values_list(*_COLUMNS)[:MOST_EXPORTED]
    for row in rows.iterator(chunk_size=BATCH):
        writer.writerow([harmless(value) for value in row])
    text.detach()
    file.seek(0)
    name = f"audit-{timezone.now():%Y-%m-%d}.csv"
    return FileResponse(file, as_attachment=True, filename=name, content_type="text/csv; charset=utf-8")


_COLUMNS = (
    "number",
    "at",
    "name",
    "key",
    "address",
    "request",
    "verb",
    "kind",
    "thing",
    "label",
    "detail",
    "changes",
    "digest",
)


@require_safe
def account(request: HttpRequest, pk: int) -> HttpResponse:
    """The part of an account's page that tells what was done with it."""
    credential = get_object_or_404(Credential, pk=pk)
    rows = AuditEntry.objects.filter(kind=credential._meta.label_lower, thing=str(credential.pk))
    lines = lines_of(rows.defer("words").order_by("-pk")[:MOST_OF_ACCOUNT])
    return render(request, "audit/_account.html", {"lines": lines, "account": credential})
