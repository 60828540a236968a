"""What the worker does for recordings that providers have made: fetch, check and keep them, and remove them
there where that is wanted. What fails is told in words, and tried again later and later."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from ..eventlog import record_now
from ..lines.accounts import Account, ProviderError
from ..lines.actions import asked, asked_often, note_use, noted
from ..models import Credential, ProviderRecording
from ..session.events import RecordingSaved
from .actions import later
from .sound_files import Copied, NoSound, copy

logger = logging.getLogger(__name__)

LEASE = timedelta(minutes=12)  # longer than one may take: while it lasts no other worker takes it up
MOST = 20  # in one run
State = ProviderRecording.State


def fetch_due() -> str:
    """All that is due now; tells what came of it."""
    done = 0
    for _number in range(MOST):
        recording = _next()
        if recording is None:
            break
        _see_to(recording)
        done += 1
    return f"{done} recordings"


def remove_at_provider(credential_id: int, provider_ids: Sequence[str]) -> str:
    """Of calls that were deleted here. A refusal that may pass is raised, for the worker to try again."""
    credential = Credential.objects.filter(pk=credential_id).first()
    if credential is None:
        return "the account is gone"
    with noted(credential, "removed", by="", detail=", ".join(provider_ids)) as account:
        for provider_id in provider_ids:
            account.remove_recording(provider_id)
    return f"{len(provider_ids)} removed"


def _next() -> ProviderRecording | None:
    """The one that has waited longest, as ours for the time of the lease. One whose call is still being
    stored waits: what is written there would come between."""
    now = timezone.now()
    due = ProviderRecording.objects.filter(due_at__lte=now, call__held_at=None)
    for recording in due.select_related("call__phone_number__credential").order_by("due_at")[:MOST]:
        mine = ProviderRecording.objects.filter(pk=recording.pk, due_at=recording.due_at)
        if mine.update(due_at=now + LEASE):
            return recording
    return None


def _see_to(recording: ProviderRecording) -> None:
    number = recording.call.phone_number
    if number is None:
        _failed(recording, _("The account that it was made by is not set up here any more."), final=True)
        return
    credential = number.credential
    try:
        if recording.state == State.WAITING:
            _fetch(recording, asked_often(credential, "fetched"), credential)
        else:
            _remove(recording, asked(credential), credential)
    except (ProviderError, NoSound) as error:
        _failed(recording, _told(error, credential))
    except OSError as error:
        _failed(recording, _("It could not be written: %(why)s.") % {"why": error.strerror or error})


def _told(error: ProviderError | NoSound, credential: Credential) -> str:
    if isinstance(error, NoSound):
        told = {"provider": credential.get_provider_display(), "why": error}
        return _("What %(provider)s sent as a recording is no sound: %(why)s.") % told
    return str(error)


def _fetch(recording: ProviderRecording, account: Account, credential: Credential) -> None:
    name = name_of(recording)
    target = Path(settings.MEDIA_ROOT) / name
    with tempfile.TemporaryDirectory(prefix="recording-") as folder:
        source = Path(folder) / "sound"
        account.fetch_recording(recording.provider_id, source)
        copied = copy(source, target)
    if not _keep(recording, name, target, copied, credential):
        target.unlink(missing_ok=True)  # the call was deleted meanwhile


@transaction.atomic
def _keep(
    recording: ProviderRecording, name: str, target: Path, copied: Copied, credential: Credential
) -> bool:
    to_be_removed = credential.records == Credential.Records.HERE
    size = target.stat().st_size
    kept = ProviderRecording.objects.filter(pk=recording.pk).update(
        state=State.KEPT,
        problem="",
        tries=0,
        due_at=timezone.now() if to_be_removed else None,
        file=name,
        rate=copied.rate,
        duration_seconds=copied.duration_seconds,
        bytes=size,
        peaks=copied.peaks,
    )
    if kept:
        saved = RecordingSaved(
            at_seconds=copied.duration_seconds,
            duration_seconds=copied.duration_seconds,
            bytes=size,
            by=credential.get_provider_display(),
        )
        record_now(recording.call_id, saved)
    return bool(kept)


def _remove(recording: ProviderRecording, account: Account, credential: Credential) -> None:
    account.remove_recording(recording.provider_id)
    rows = ProviderRecording.objects.filter(pk=recording.pk)
    rows.update(removed_at=timezone.now(), due_at=None, problem="", tries=0)
    note_use(credential, "removed", by="", detail=recording.provider_id)


def _failed(recording: ProviderRecording, why: str, *, final: bool = False) -> None:
    tries = recording.tries + 1
    wait = None if final else later(tries)
    fields: dict[str, object] = {"tries": tries, "problem": why[:500]}
    fields["due_at"] = timezone.now() + wait if wait else None
    if wait is None and recording.state == State.WAITING:
        fields["state"] = State.FAILED
    logger.warning("A recording of call %s: %s", recording.call_id, why)
    ProviderRecording.objects.filter(pk=recording.pk).update(**fields)


def name_of(recording: ProviderRecording) -> str:
    """Where our copy is kept, relative to MEDIA_ROOT: beside what we recorded ourselves."""
    call = recording.call
    return f"recordings/{call.created_at:%Y/%m}/{call.pk}-{recording.pk}.wav"
