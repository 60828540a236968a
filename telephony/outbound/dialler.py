"""Places the calls that are due, at the pace of each account and SIP line, one process at a time for each.

Runs in the web process, where calls live: a background job that reads a book must not hold a call up.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import cast

from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from ..addresses import public_url
from ..capacity import capacity
from ..lines.accounts import Dial, Machine, ProviderError
from ..lines.actions import asked, note_use
from ..models import Call, Credential, PlannedCall, SipLine
from ..threads import DatabaseThreads
from .actions import are_gone, are_too_late, begin_call, is_placed, is_refused, is_unsure
from .guard import NotAllowed, check
from .rates import rate_of, written_rate_of

logger = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
LEASE = timedelta(seconds=60)
RENEW_SECONDS = 15.0  # a provider may take longer than the lease
LATEST = timedelta(minutes=30)  # after it was due
NOT_READY = timedelta(seconds=20)  # after it was due, a line may still be registering
State = PlannedCall.State

_in_database = DatabaseThreads(4, "dialler")
_beside = DatabaseThreads(1, "dialler leases")  # waits for no provider


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
        """All that is due of one carrier, while there is a free line for whoever answers."""
        renewing = asyncio.create_task(_keep(lease))
        try:
            while not capacity.full():
                if not await _in_database(place_next, lease):
                    return
                await asyncio.sleep(1 / lease.pace)
        except Exception:
            logger.exception("A call could not be placed.")
        finally:
            renewing.cancel()
            await _in_database(let_go, lease)


# What leads from a planned call to what it goes out by.
_PATHS: dict[type[Credential] | type[SipLine], str] = {Credential: "caller_id__credential", SipLine: "line"}


@dataclass(frozen=True, slots=True)
class Lease:
    """An account or a line that this process places the calls of; `token` tells it from what another process
    has."""

    kind: type[Credential] | type[SipLine]
    pk: int
    pace: float  # calls a second
    token: str


def taken() -> list[Lease]:
    """Accounts and lines with calls that are due: this process has them now."""
    now = timezone.now()
    _give_up_left(now)
    are_too_late(due_before=now - LATEST)
    are_gone()
    leases = []
    for kind, path in _PATHS.items():
        due = PlannedCall.objects.filter(state=State.WAITING, due_at__lte=now, **{f"{path}__isnull": False})
        found = due.order_by().values_list(path, f"{path}__calls_per_second").distinct()
        leases += [Lease(kind, pk, float(pace), secrets.token_hex(8)) for pk, pace in found]
    return [lease for lease in leases if _begin(lease, now)]


def place_next(lease: Lease) -> bool:
    """Place the call that waits longest; False where none is due, or its line has to be waited for, or
    another process places the calls of this carrier."""
    now = timezone.now()
    if not _own(lease).update(dialling_until=now + LEASE):
        return False
    waiting = PlannedCall.objects.filter(
        state=State.WAITING, due_at__lte=now, **{_PATHS[lease.kind]: lease.pk}
    )
    ready = waiting.select_related("agent__flow__live", "caller_id__credential", "line__account")
    planned = ready.order_by("due_at", "at").first()
    if planned is None or (planned.line and not _is_free(planned.line, planned, now)):
        return False
    if PlannedCall.objects.filter(pk=planned.pk, state=State.WAITING).update(state=State.DIALLING):
        _place(planned)
    return True


def _is_free(line: SipLine, planned: PlannedCall, now: datetime) -> bool:
    """A line that is full is waited for; one that is not registered for a moment only, and then placing the
    call says why it cannot be."""
    if line.shown_state != SipLine.State.READY:
        return now - planned.due_at > NOT_READY
    return Call.objects.filter(sip_line=line, status__in=Call.LIVE).count() < line.max_calls


def _place(planned: PlannedCall) -> None:
    assert planned.agent and planned.carrier
    try:
        if planned.line:
            _must_be_ready(planned.line)
        check(to=planned.to, agent=planned.agent, carrier=planned.carrier, telephone=planned.telephone)
        call = begin_call(planned, _rate_of(planned))
    except (NotAllowed, ProviderError) as error:
        is_refused(planned, str(error))
        return
    if call.paid_by:
        note_use(call.paid_by, "called", by=planned.by, detail=planned.to)
    if planned.line:
        is_placed(planned, call, "")  # the gateway takes it from here
    else:
        _ask_to_place(planned, call)


def _must_be_ready(line: SipLine) -> None:
    state = line.shown_state
    if state == SipLine.State.OFF or not line.enabled:
        raise NotAllowed(_("%(line)s is off, or no gateway carries it.") % {"line": line.label})
    if state != SipLine.State.READY:
        told = {"line": line.label, "reason": line.reason or line.get_state_display()}
        raise NotAllowed(_("%(line)s is not registered: %(reason)s.") % told)


def _ask_to_place(planned: PlannedCall, call: Call) -> None:
    assert call.paid_by
    try:
        provider_call_id = asked(call.paid_by).place(_dial_of(planned, call))
    except ProviderError as error:
        logger.warning("A call of %s was not placed: %s", call.paid_by.label, error)
        if error.sent:
            is_unsure(planned, str(error))
        else:
            is_refused(planned, str(error), call)
    except Exception:
        logger.exception("A call of %s could not be placed.", call.paid_by.label)
        is_unsure(planned, _("The log of the server says what happened."))
    else:
        is_placed(planned, call, provider_call_id)


def _rate_of(planned: PlannedCall) -> Decimal | None:
    """The provider is asked only where there is a cap to hold its answer against."""
    line = planned.line
    payers = (line, line.account) if line else (planned.carrier,)
    capped = any(payer and payer.daily_cap is not None for payer in payers)
    return rate_of(planned) if capped else written_rate_of(planned)


def _dial_of(planned: PlannedCall, call: Call) -> Dial:
    assert planned.caller_id
    return Dial(
        to=planned.to,
        caller_id=planned.caller_id.number,
        answered_url=public_url(reverse("telephony:twilio_answered", args=[call.pk])),
        status_url=public_url(reverse("telephony:twilio_placed", args=[call.pk])),
        most_seconds=call.most_seconds or 0,
        machine=cast(Machine, planned.machine),
        send_digits=planned.send_digits,
        first=planned.telephone,
        extension=planned.caller_id.extension,
    )


def _begin(lease: Lease, now: datetime) -> bool:
    free = lease.kind._default_manager.filter(Q(dialling_until=None) | Q(dialling_until__lt=now))
    return bool(free.filter(pk=lease.pk).update(dialling_until=now + LEASE, dialling_by=lease.token))


def _own(lease: Lease) -> QuerySet[Credential] | QuerySet[SipLine]:
    return lease.kind._default_manager.filter(pk=lease.pk, dialling_by=lease.token)


def let_go(lease: Lease) -> None:
    _own(lease).update(dialling_until=None, dialling_by="")


async def _keep(lease: Lease) -> None:
    """However long a provider takes: a call that is being placed is not taken for one that was left."""
    while True:
        await asyncio.sleep(RENEW_SECONDS)
        try:
            await _beside(renew, lease)
        except Exception:  # the database may be away for a while
            logger.exception("A lease could not be renewed.")


def renew(lease: Lease) -> None:
    _own(lease).update(dialling_until=timezone.now() + LEASE)


def _give_up_left(now: datetime) -> None:
    """A process died while it placed a call. It may have rung: it is never placed a second time."""
    left = PlannedCall.objects.filter(state=State.DIALLING)
    for path in _PATHS.values():
        left = left.exclude(**{f"{path}__dialling_until__gte": now})
    for planned in left:
        is_unsure(planned, _("The server stopped while it placed this call."))


dialler = Dialler()
