"""Places the calls that are due, at the pace of each account, one process at a time for each.

Runs in the web process, where calls live: a background job that reads a book must not hold a call up.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import cast

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from ..addresses import public_url
from ..lines.accounts import Dial, Machine, ProviderError
from ..lines.actions import asked, note_use
from ..models import Call, Credential, PlannedCall
from ..threads import DatabaseThreads
from .actions import begin_call, is_placed, is_refused
from .guard import NotAllowed, check

logger = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
LEASE = timedelta(seconds=60)  # longer than a provider may take, with all that is around it
GRACE_SECONDS = 30  # the provider ends a call that we should have ended so long ago
State = PlannedCall.State

_in_database = DatabaseThreads(4, "dialler")


class Dialler:
    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._looking: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Look for calls that are due from now on, on the running loop. Asked again, does nothing."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._loop, self._looking = loop, loop.create_task(self._look())

    def close(self) -> None:
        """A call that is being placed is placed; those that wait are placed by the next start."""
        if self._looking:
            self._looking.cancel()

    async def _look(self) -> None:
        while True:
            try:
                for pk, pace in await _in_database(taken):
                    asyncio.get_running_loop().create_task(self._dial(pk, pace))
            except Exception:
                logger.exception("The calls that are due could not be read.")
            await asyncio.sleep(LOOK_SECONDS)

    async def _dial(self, credential_id: int, pace: float) -> None:
        """All that is due of one account."""
        try:
            while True:
                if not await _in_database(place_next, credential_id):
                    return
                await asyncio.sleep(1 / pace)
        except Exception:
            logger.exception("A call could not be placed.")
        finally:
            await _in_database(let_go, credential_id)


def taken() -> list[tuple[int, float]]:
    """Accounts with calls that are due, and their pace in calls a second: this process has them now."""
    now = timezone.now()
    _give_up_left(now)
    due = PlannedCall.objects.filter(state=State.WAITING, due_at__lte=now)
    accounts = (
        due.order_by()
        .values_list("caller_id__credential", "caller_id__credential__calls_per_second")
        .distinct()
    )
    return [(pk, float(pace)) for pk, pace in accounts if _lease(pk, free_at=now)]


def place_next(credential_id: int) -> bool:
    """Place the call that waits longest; False where none is due, or another process has the account."""
    now = timezone.now()
    if not Credential.objects.filter(pk=credential_id).update(dialling_until=now + LEASE):
        return False
    waiting = PlannedCall.objects.filter(
        state=State.WAITING, due_at__lte=now, caller_id__credential=credential_id
    )
    planned = (
        waiting.select_related("agent__flow__live", "caller_id__credential").order_by("due_at", "at").first()
    )
    if planned is None:
        return False
    if PlannedCall.objects.filter(pk=planned.pk, state=State.WAITING).update(state=State.DIALLING):
        _place(planned)
    return True


def _place(planned: PlannedCall) -> None:
    credential = planned.caller_id.credential
    try:
        check(to=planned.to, agent=planned.agent, credential=credential)
        account = asked(credential)
    except (NotAllowed, ProviderError) as error:
        is_refused(planned, str(error))
        return
    call = begin_call(planned)
    try:
        provider_call_id = account.place(_dial_of(planned, call))
    except ProviderError as error:
        logger.warning("A call of %s was not placed: %s", credential.label, error)
        is_refused(planned, str(error), call)
        return
    is_placed(planned, call, provider_call_id)
    note_use(credential, "called", by=planned.by, detail=planned.to)


def _dial_of(planned: PlannedCall, call: Call) -> Dial:
    return Dial(
        to=planned.to,
        caller_id=planned.caller_id.number,
        answered_url=public_url(reverse("telephony:twilio_answered", args=[call.pk])),
        status_url=public_url(reverse("telephony:twilio_placed", args=[call.pk])),
        most_seconds=planned.agent.max_call_seconds + GRACE_SECONDS,
        machine=cast(Machine, planned.machine),
        send_digits=planned.send_digits,
    )


def _lease(credential_id: int, *, free_at: object) -> bool:
    free = Credential.objects.filter(Q(dialling_until=None) | Q(dialling_until__lt=free_at), pk=credential_id)
    return bool(free.update(dialling_until=timezone.now() + LEASE))


def let_go(credential_id: int) -> None:
    Credential.objects.filter(pk=credential_id).update(dialling_until=None)


def _give_up_left(now: object) -> None:
    """A process died while it placed a call. It may have rung: it is never placed a second time."""
    left = PlannedCall.objects.filter(state=State.DIALLING).exclude(
        caller_id__credential__dialling_until__gte=now
    )
    for planned in left:
        is_refused(
            planned, _("The server stopped while it placed this call; it may have rung."), planned.call
        )


dialler = Dialler()
