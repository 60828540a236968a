"""Deleting calls with all that was kept of them, files too: all of it or nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from uuid import UUID

from django.db import transaction
from django_q.tasks import async_task

from mlservices import audit
from mlservices.happenings import forget

from .audited import call_named
from .models import Call, Credential, ProviderRecording, Recording
from .outbound.other_costs import keep_costs_of
from .outward import about
from .recorder import path_of
from .recordings.actions import may_be_there

REMOVE = "telephony.recordings.fetching.remove_at_provider"


class CannotDelete(Exception):
    """A call's file stays where it is, and nothing was deleted. `reason` is the system's word."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path.name}: {reason}")
        self.path = path
        self.reason = reason


@transaction.atomic
def delete_calls(*, call_ids: Sequence[UUID]) -> int:
    """With their events, texts, notes, what was told of them and their recordings, also those at their
    provider; how many there were. A call that goes on, or whose recording is still being written, is left.
    Exports made before are kept. Raises CannotDelete."""
    over = Call.objects.select_for_update().filter(pk__in=call_ids, ended_at__isnull=False, held_at=None)
    calls = list(over.only("pk", "created_at", "direction").order_by("pk"))
    recordings = Recording.objects.filter(call__in=calls)
    paths = {Path(recording.file.path) for recording in recordings} | {path_of(call) for call in calls}
    paths |= _forget_providers(calls)
    for call in calls:
        audit.record("call.deleted", call_named(call))
    keep_costs_of([call.pk for call in calls])
    Call.objects.filter(pk__in=[call.pk for call in calls]).delete()
    forget(*(about(call.pk) for call in calls))
    _remove_all(sorted(path for path in paths if path.exists()))
    return len(calls)


def _forget_providers(calls: Sequence[Call]) -> set[Path]:
    """Our copies of what providers have recorded of these calls; theirs are removed by the worker."""
    rows = ProviderRecording.objects.filter(call__in=calls).select_related("call__phone_number__credential")
    there: dict[int, list[str]] = defaultdict(list)
    paths = set()
    for row in rows.defer("peaks", "call__card"):
        if row.file:
            paths.add(Path(row.file.path))
        number = row.call.phone_number
        if number and number.credential.provider == Credential.Provider.TWILIO and may_be_there(row):
            there[number.credential_id].append(row.provider_id)
    for job in there.items():
        transaction.on_commit(partial(async_task, REMOVE, *job))
    return paths


def _remove_all(paths: Sequence[Path]) -> None:
    """All of them or none: each is put aside first, which fails where removing it would."""
    aside: list[tuple[Path, Path]] = []
    try:
        for path in paths:
            hidden = path.with_name(f".deleted-{path.name}")
            path.rename(hidden)
            aside.append((path, hidden))
    except OSError as error:
        for path, hidden in aside:
            hidden.rename(path)
        raise CannotDelete(Path(error.filename), error.strerror or str(error)) from error
    transaction.on_commit(lambda: _unlink(hidden for _path, hidden in aside))


def _unlink(paths: Iterable[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)
