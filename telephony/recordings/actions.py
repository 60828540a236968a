"""What can be done with recordings that providers make, one function a verb, without asking the provider.

Notices of them come late, twice and out of order, or never: each change looks at what is there.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django_q.tasks import async_task

from ..audited import record_of_call
from ..models import Call, Credential, ProviderRecording

logger = logging.getLogger(__name__)

FETCH_DUE = "telephony.recordings.fetching.fetch_due"
State = ProviderRecording.State


def is_wanted(call: Call) -> bool:
    """Whether the provider is to record a call of ours too; not one whose agent records none."""
    if call.phone_number is None or not call.agent.record:
        return False
    return call.phone_number.credential.records != Credential.Records.NO


def expect(*, call: Call) -> None:
    """The provider is asked to record it; asked again, it is the same recording."""
    if not call.provider_recordings.exists():
        ProviderRecording.objects.get_or_create(call=call, provider_id="")


@transaction.atomic
def is_told(
    *, call: Call, provider_id: str, ready: bool | None, why_not: str = "", due_at: datetime | None = None
) -> ProviderRecording:
    """The provider tells of a recording: it is there, there is none (False), or it is being made (None)."""
    row = _named(call, provider_id)
    rows = ProviderRecording.objects.filter(pk=row.pk)
    if ready:
        fresh = rows.filter(state__in=(State.AWAITED, State.ABSENT))
        due = {"due_at": due_at or timezone.now()}
        if fresh.update(state=State.WAITING, problem="", tries=0, **due) and due_at is None:
            transaction.on_commit(_fetch_soon)
    elif ready is False:
        rows.filter(state=State.AWAITED).update(state=State.ABSENT, problem=why_not[:500])
    row.refresh_from_db()
    return row


def _named(call: Call, provider_id: str) -> ProviderRecording:
    """The one of that name; else the one that was asked for and has none yet takes it."""
    own = ProviderRecording.objects.filter(call=call)
    if row := own.filter(provider_id=provider_id).first():
        return row
    own.filter(provider_id="").update(provider_id=provider_id)
    return own.get_or_create(provider_id=provider_id, defaults={"call": call})[0]


def _fetch_soon() -> None:
    """Where the job is lost, the next run of the schedule does it."""
    async_task(FETCH_DUE)


def none_is_left(*, call: Call, why: str) -> None:
    """What is still awaited of the call will not come."""
    rows = ProviderRecording.objects.filter(call=call, state=State.AWAITED)
    rows.update(state=State.ABSENT, problem=why[:500])


@transaction.atomic
def try_again(*, recording: ProviderRecording, by: str) -> bool:
    """Fetch it, or remove it at the provider, once more; False where there is nothing to be done."""
    rows = ProviderRecording.objects.filter(pk=recording.pk)
    failed = rows.filter(Q(state=State.FAILED) | Q(state=State.WAITING))
    again = failed.update(state=State.WAITING, due_at=timezone.now(), tries=0)
    left = rows.filter(state=State.KEPT, removed_at=None).exclude(problem="")
    again += left.update(due_at=timezone.now(), tries=0)
    if again:
        record_of_call("recording.fetched_again", recording.call_id, by=by)
        transaction.on_commit(_fetch_soon)
    return bool(again)


def may_be_there(recording: ProviderRecording) -> bool:
    """Whether the provider may still have it."""
    return bool(recording.provider_id) and recording.removed_at is None and recording.state != State.ABSENT


def awaited(credential: Credential, *, ended_before: datetime) -> list[ProviderRecording]:
    """Of whose end the provider should have told by now."""
    rows = ProviderRecording.objects.filter(
        state=State.AWAITED, call__ended_at__lt=ended_before, call__phone_number__credential=credential
    )
    return list(rows.select_related("call").defer("call__card", "peaks"))


def later(tries: int) -> timedelta | None:
    """How long to wait after so many failures; None: it is given up, after a day and a half."""
    minutes = (1, 5, 15, 60, 180, 360, 720, 720)
    return timedelta(minutes=minutes[tries - 1]) if tries <= len(minutes) else None
