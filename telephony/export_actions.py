"""What can be done with lists of calls as files, one function a verb: used alike by page and API."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import get_language
from django_q.tasks import async_task

from mlservices import audit

from . import sheet
from .filters import Filters
from .models import CallExport

KEPT = timedelta(days=3)
COLUMNS = (*sheet.COLUMNS, sheet.TRANSCRIPT)  # in the order in which they are written
State = CallExport.State


@transaction.atomic
def order_export(
    *, owner: int, filters: Filters, calls: Sequence[UUID] = (), columns: Collection[str]
) -> CallExport:
    """Of these calls, or else of all that `filters` find; in the language and the zone of who asks. The
    worker writes it."""
    export = CallExport.objects.create(
        owner=owner,
        query=filters.as_query(),
        zone=timezone.get_current_timezone_name(),
        language=get_language() or "en",
        calls=[str(call_id) for call_id in calls],
        columns=[column for column in COLUMNS if column in columns],
        expires_at=timezone.now() + KEPT,
    )
    audit.record("export.ordered", export, after=audit.fields_of(export, "query", "columns", "calls"))
    transaction.on_commit(lambda: async_task("telephony.tasks.write_export", str(export.pk)))
    return export


@transaction.atomic
def cancel_export(*, export: CallExport) -> bool:
    """Stops one that is under way; False where it is over."""
    under_way = CallExport.objects.filter(pk=export.pk, state__in=CallExport.UNDER_WAY)
    canceled = bool(under_way.update(state=State.CANCELED))
    if canceled:
        audit.record("export.canceled", export)
    return canceled


@transaction.atomic
def delete_export(*, export: CallExport) -> bool:
    """Takes one that is over off the list, with its file; False while it is under way."""
    over = CallExport.objects.select_for_update().filter(pk=export.pk)
    row = over.exclude(state__in=CallExport.UNDER_WAY).first()
    if row is None:
        return False
    audit.record("export.canceled", row)
    if row.file:
        path = Path(row.file.path)
        transaction.on_commit(lambda: path.unlink(missing_ok=True))
    row.delete()
    return True
