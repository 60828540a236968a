"""The recording that we made ourselves, as a row of its call."""

from __future__ import annotations

from ..eventlog import record_now
from ..models import Call, Recording
from ..recorder import Saved, name_of
from ..session.events import RecordingSaved


def save_recording(call: Call, saved: Saved, *, rate: int) -> None:
    """In place of what another process may have salvaged of it, when it took us for dead."""
    recording, _created = Recording.objects.update_or_create(
        call=call,
        defaults={
            "file": name_of(call),
            "rate": rate,
            "duration_seconds": saved.duration_seconds,
            "bytes": saved.bytes,
            "peaks": saved.peaks,
        },
    )
    tell_saved(recording)


def tell_saved(recording: Recording) -> None:
    """An event of its call."""
    record_now(
        recording.call_id,
        RecordingSaved(
            at_seconds=recording.duration_seconds,
            duration_seconds=recording.duration_seconds,
            bytes=recording.bytes,
        ),
    )
