"""What the worker does for calls."""

from __future__ import annotations

import csv
import logging
import os
import zoneinfo
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import QueryDict
from django.utils import timezone, translation

from mlservices.happenings import tell_of_job

from . import file_names, sheet
from .filters import Filters, among
from .models import Call, CallExport
from .search import find

logger = logging.getLogger(__name__)

BATCH = 500  # calls held in memory at once
State = CallExport.State


class Canceled(Exception):
    """Somebody wants the file no more."""


def write_export(export_id: str) -> None:
    """Write the file of an export that waits; one that is under way elsewhere, or canceled, is left."""
    forget_old_exports()
    waiting = CallExport.objects.filter(pk=export_id, state=State.WAITING)
    if not waiting.update(state=State.RUNNING, beat_at=timezone.now()):
        return
    export = CallExport.objects.get(pk=export_id)
    part = Path(settings.MEDIA_ROOT) / "exports" / f"{export.pk}.part"
    part.parent.mkdir(parents=True, exist_ok=True)
    try:
        zone = zoneinfo.ZoneInfo(export.zone)
        with timezone.override(zone), translation.override(export.language):
            _write(export, part)
        name = f"exports/{export.pk}.csv"
        os.replace(part, Path(settings.MEDIA_ROOT) / name)
        if not _end(export, state=State.DONE, file=name):
            (Path(settings.MEDIA_ROOT) / name).unlink()
    except Canceled:
        logger.info("Export %s was canceled.", export.pk)
    except Exception as error:
        logger.exception("Export %s failed.", export.pk)
        problem = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
        _end(export, state=State.FAILED, problem=problem)
    finally:
        part.unlink(missing_ok=True)


def forget_old_exports() -> None:
    """Exports past their time, with their files."""
    for export in CallExport.objects.filter(expires_at__lt=timezone.now()):
        if export.file:
            Path(export.file.path).unlink(missing_ok=True)
        export.delete()


def _write(export: CallExport, path: Path) -> None:
    filters = Filters.read(QueryDict(export.query))
    if not filters.asks_words or export.calls:
        _change(export, total=len(export.calls) or filters.calls().order_by().count())
    written = 0
    # With the mark by which Excel knows UTF-8.
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.writer(file)
        writer.writerow(sheet.head(export.columns))
        for calls in _batches(export, filters):
            writer.writerows(sheet.lines(calls, export.columns))
            written += len(calls)
            if not _change(export, written=written):
                raise Canceled


def _change(export: CallExport, **fields: object) -> bool:
    """False once it is canceled."""
    running = CallExport.objects.filter(pk=export.pk, state=State.RUNNING)
    return bool(running.update(beat_at=timezone.now(), **fields))


@transaction.atomic
def _end(export: CallExport, *, state: str, file: str = "", problem: str = "") -> bool:
    """False where it was canceled before."""
    ended = _change(export, state=state, file=file, problem=problem)
    if ended:
        export.refresh_from_db(fields=["written"])
        name = file_names.of_export(export, "")
        tell_of_job("export", id=str(export.pk), name=name, done=export.written, problem=problem)
    return ended


def _batches(export: CallExport, filters: Filters) -> Iterator[list[Call]]:
    """Newest first, whatever the order of the list: a file is sorted by whoever opens it."""
    calls = filters.calls().order_by("-created_at", "-pk").defer("card").select_related("agent")
    calls = calls.prefetch_related("tags")
    if export.calls:
        chosen = [UUID(call_id) for call_id in export.calls]
        every = Call.objects.order_by("-created_at", "-pk").select_related("agent").prefetch_related("tags")
        yield list(among(every, chosen))
    elif filters.asks_words:
        yield from _found(calls, filters)
    else:
        yield from _all(calls)


def _found(calls: QuerySet[Call], filters: Filters) -> Iterator[list[Call]]:
    before = None
    while hits := find(filters.search, before=before, limit=BATCH):
        before = hits[-1].key
        yield list(among(calls, [hit.call_id for hit in hits]))


def _all(calls: QuerySet[Call]) -> Iterator[list[Call]]:
    batch = list(calls[:BATCH])
    while batch:
        yield batch
        last = batch[-1]
        older = Q(created_at__lt=last.created_at) | Q(pk__lt=last.pk)
        # The first condition is the index's, the second sorts out who began in the same moment.
        batch = list(calls.filter(older, created_at__lte=last.created_at)[:BATCH])
