"""Places the calls that are due, at the pace of each account, one process at a time for each.

Runs in the web process, where calls live: a background job that reads a book must not hold a call up.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from ..addresses import public_url
from ..capacity import capacity
from ..lines.accounts import Dial, Machine, ProviderError
from ..lines.actions import asked, note_use
from ..models import Call, Credential, PlannedCall
from ..threads import DatabaseThreads
from .actions import are_too_late, begin_call, is_placed, is_refused, is_unsure
from .guard import NotAllowed, check, longest_of

logger = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
LEASE = timedelta(seconds=60)  # longer than a provider may take, with all that is around it
LATEST = timedelta(minutes=30)  # after it was due
State = PlannedCall.State

_in_database = DatabaseThreads(4, "dialler")


class Dialler:
    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._looking: asyncio.Task[None] | None = None
        self._dialling: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Look for calls that are due from now on, on the running loop. Asked again, does nothing."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._loop, self._looking = loop, loop.create_task(self._look())

    def close(self) -> None:
        """A call that is being placed is placed; those that wait are placed by the next start."""
        for task in (self._looking, *self._dialling):
            if task:
                task.cancel()

    async def _look(self) -> None:
        while True:
            try:
                for lease in [] if capacity.full() else await _in_database(taken):
                    task = asyncio.get_running_loop().create_task(self._dial(lease))
                    self._dialling.add(task)
                    task.add_done_callback(self._dialling.discard)
            except Exception:
                logger.exception("The calls that are due could not be read.")
            await asyncio.sleep(LOOK_SECONDS)

    async def _dial(self, lease: Lease) -> None:
        """All that is due of one account, while there is a free line for whoever answers."""
        try:
            while not capacity.full():
                if not await _in_database(place_next, lease):
                    return
                await asyncio.sleep(1 / lease.pace)
        except Exception:
            logger.exception("A call could not be placed.")
        finally:
            await _in_database(let_go, lease)


@dataclass(frozen=True, slots=True)
class Lease:
    """An account that this process places the calls of; `token` tells it from what another process has."""

    credential_id: int
    pace: float  # calls a second
    token: str


def taken() -> list[Lease]:
    """Accounts with calls that are due: this process has them now."""
    now = timezone.now()
    _give_up_left(now)
    are_too_late(due_before=now - LATEST)
    due = PlannedCall.objects.filter(state=State.WAITING, due_at__lte=now).order_by()
    accounts = due.values_list("caller_id__credential", "caller_id__credential__calls_per_second").distinct()
    leases = [Lease(pk, float(pace), secrets.token_hex(8)) for pk, pace in accounts]
    return [lease for lease in leases if _begin(lease, now)]


def place_next(lease: Lease) -> bool:
    """Place the call that waits longest; False where none is due, or another process has the account."""
    now = timezone.now()
    if not _own(lease).update(dialling_until=now + LEASE):
        return False
    waiting = PlannedCall.objects.filter(
        state=State.WAITING, due_at__lte=now, caller_id__credential=lease.credential_id
    )
    ready = waiting.select_related("agent__flow__live", "caller_id__credential")
    planned = ready.order_by("due_at", "at").first()
    if planned is None:
        return False
    if PlannedCall.objects.filter(pk=planned.pk, state=State.WAITING).update(state=State.DIALLING):
        _place(planned)
    return True


def _place(planned: PlannedCall) -> None:
    credential = planned.caller_id.credential
    try:
        account = asked(credential)
        rate = None
        if credential.daily_cap is not None:
            rate = account.rate(planned.to, planned.caller_id.number)
        check(to=planned.to, agent=planned.agent, credential=credential, rate=rate)
    except (NotAllowed, ProviderError) as error:
        is_refused(planned, str(error))
        return
    call = begin_call(planned, rate)
    note_use(credential, "called", by=planned.by, detail=planned.to)
    try:
        provider_call_id = account.place(_dial_of(planned, call))
    except ProviderError as error:
        logger.warning("A call of %s was not placed: %s", credential.label, error)
        if error.sent:
            is_unsure(planned, str(error))
        else:
            is_refused(planned, str(error), call)
    except Exception:
        logger.exception("A call of %s could not be placed.", credential.label)
        is_unsure(planned, _("The log of the server says what happened."))
    else:
        is_placed(planned, call, provider_call_id)


def _dial_of(planned: PlannedCall, call: Call) -> Dial:
    return Dial(
        to=planned.to,
        caller_id=planned.caller_id.number,
        answered_url=public_url(reverse("telephony:twilio_answered", args=[call.pk])),
        status_url=public_url(reverse("telephony:twilio_placed", args=[call.pk])),
        most_seconds=longest_of(planned.agent, by_a_person=bool(planned.operator)),
        machine=cast(Machine, planned.machine),
        send_digits=planned.send_digits,
    )


def _begin(lease: Lease, now: datetime) -> bool:
    free = Credential.objects.filter(Q(dialling_until=None) | Q(dialling_until__lt=now))
    return bool(
        free.filter(pk=lease.credential_id).update(dialling_until=now + LEASE, dialling_by=lease.token)
    )


def _own(lease: Lease) -> QuerySet[Credential]:
    return Credential.objects.filter(pk=lease.credential_id, dialling_by=lease.token)


def let_go(lease: Lease) -> None:
    _own(lease).update(dialling_until=None, dialling_by="")


def _give_up_left(now: datetime) -> None:
    """A process died while it placed a call. It may have rung: it is never placed a second time."""
    left = PlannedCall.objects.filter(state=State.DIALLING).exclude(
        caller_id__credential__dialling_until__gte=now
    )
    for planned in left:
        is_unsure(planned, _("The server stopped while it placed this call."))


dialler = Dialler()
