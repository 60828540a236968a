"""What can be done with calls that we place, one function a verb: used alike by pages, API and commands."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from agents.models import Agent
from mlservices import audit

from ..actions import end_call, ringing
from ..eventlog import record_now
from ..models import Call, Credential, DoNotCall, PhoneNumber, PlannedCall
from ..outward import tell_of_planned
from ..session.events import CallRinging
from .guard import NotAllowed, check

FURTHEST = timedelta(days=366)
PAST = timedelta(minutes=2)  # that a form may take
State = PlannedCall.State
_TOLD = ("to", "agent", "caller_id", "due_at", "machine", "operator")  # of a call that was ordered


@transaction.atomic
def plan_call(
    *,
    to: str,
    agent: Agent,
    caller_id: PhoneNumber,
    by: str,
    values: Mapping[str, Any] | None = None,
    due_at: datetime | None = None,
    machine: str = PlannedCall.Machine.IGNORE,
    message: str = "",
    send_digits: str = "",
    operator: str = "",
    once: UUID | None = None,
) -> PlannedCall:
    """A call to be placed at once, or at `due_at`. `to` is E.164; asked again with the same `once`, it is the
    same call. Raises ValidationError by field."""
    if once and (before := PlannedCall.objects.filter(pk=once).first()):
        return before
    now = timezone.now()
    if due_at and not now - PAST <= due_at <= now + FURTHEST:
        raise ValidationError({"due_at": _("Choose a time from now on, within a year.")})
    if due_at and operator:
        raise ValidationError({"due_at": _("Who speaks themselves calls now.")})
    if machine == PlannedCall.Machine.MESSAGE and not message.strip():
        raise ValidationError({"message": _("Write what is said to a machine.")})
    try:
        check(to=to, agent=agent, credential=caller_id.credential)
    except NotAllowed as error:
        raise ValidationError({"to": str(error)}) from None
    planned = PlannedCall.objects.create(
        pk=once or uuid4(),
        to=to,
        agent=agent,
        caller_id=caller_id,
        by=by,
        values=dict(values or {}),
        due_at=max(due_at or now, now),
        machine=machine,
        message=message.strip(),
        send_digits=send_digits,
        operator=operator,
    )
    audit.record("planned.ordered", planned, after=audit.fields_of(planned, *_TOLD), by=by)
    return planned


@transaction.atomic
def cancel_planned(*, planned: PlannedCall) -> bool:
    """False where it is being placed already, or was."""
    waiting = PlannedCall.objects.filter(pk=planned.pk, state=State.WAITING)
    canceled = bool(waiting.update(state=State.CANCELED))
    if canceled:
        audit.record("planned.canceled", planned)
        tell_of_planned(planned.pk, as_="canceled")
    return canceled


@transaction.atomic
def begin_call(planned: PlannedCall, rate: Decimal | None) -> Call:
    """The row of a call that is about to be placed."""
    call = Call.objects.create(
        line=planned.caller_id.credential.provider,
        phone_number=planned.caller_id,
        callee=planned.to,
        status=Call.Status.QUEUED,
        rate=rate,
        **ringing(
            planned.agent,
            line=planned.caller_id.credential.provider,
            direction=Call.Direction.OUTBOUND,
            caller=planned.caller_id.number,
        ),
    )
    PlannedCall.objects.filter(pk=planned.pk).update(call=call)
    record_now(call.pk, CallRinging())
    return call


@transaction.atomic
def is_placed(planned: PlannedCall, call: Call, provider_call_id: str) -> None:
    knows_id(call.pk, planned.caller_id.credential, provider_call_id)
    PlannedCall.objects.filter(pk=planned.pk).update(state=State.PLACED)
    tell_of_planned(planned.pk, as_="placed")


def knows_id(call_id: UUID, credential: Credential, provider_call_id: str) -> None:
    """The provider may tell of a call before it has answered that it took it."""
    ours = Call.objects.filter(phone_number__credential=credential, direction=Call.Direction.OUTBOUND)
    ours.filter(pk=call_id, provider_call_id="").update(provider_call_id=provider_call_id)


@transaction.atomic
def is_unsure(planned: PlannedCall, reason: str) -> None:
    """Nobody knows whether it rings: the call stays for the provider to tell of, and is not placed again."""
    told = _("%(reason)s It may be ringing: look before you call again.") % {"reason": reason}
    PlannedCall.objects.filter(pk=planned.pk).update(state=State.REFUSED, reason=told[:500])
    tell_of_planned(planned.pk, as_="refused")


@transaction.atomic
def is_refused(planned: PlannedCall, reason: str, call: Call | None = None) -> None:
    PlannedCall.objects.filter(pk=planned.pk).update(state=State.REFUSED, reason=reason[:500])
    tell_of_planned(planned.pk, as_="refused")
    if call:
        Call.objects.filter(pk=call.pk, ended_at=None).update(status=Call.Status.FAILED)
        end_call(call.pk, reason="not_placed")


@transaction.atomic
def are_too_late(*, due_before: datetime) -> None:
    """Nobody is rung at an hour that was not meant, after the server was away."""
    waiting = PlannedCall.objects.filter(state=State.WAITING, due_at__lt=due_before)
    late = list(waiting.select_for_update().values_list("pk", flat=True))
    reason = _("It was too late: the server was away, or the queue too long.")
    PlannedCall.objects.filter(pk__in=late).update(state=State.REFUSED, reason=reason)
    tell_of_planned(*late, as_="refused")


def plan_of(call: Call) -> PlannedCall | None:
    """Of a call that we placed."""
    return (
        PlannedCall.objects.filter(call=call).first() if call.direction == Call.Direction.OUTBOUND else None
    )


@transaction.atomic
def do_not_call(*, numbers: list[str], reason: str, by: str) -> int:
    """Numbers (E.164) are called no more, and calls to them that wait are canceled; how many are new."""
    before = DoNotCall.objects.count()
    audit.record("never.added", _list(numbers), after={"numbers": numbers, "reason": reason}, by=by)
    rows = [DoNotCall(number=number, reason=reason[:200], by=by) for number in numbers]
    DoNotCall.objects.bulk_create(rows, ignore_conflicts=True)
    waiting = PlannedCall.objects.filter(to__in=numbers, state=State.WAITING)
    canceled = list(waiting.select_for_update().values_list("pk", flat=True))
    PlannedCall.objects.filter(pk__in=canceled).update(state=State.CANCELED)
    tell_of_planned(*canceled, as_="canceled")
    return DoNotCall.objects.count() - before


@transaction.atomic
def may_be_called(*, number: str) -> bool:
    """Take a number from the list; False where it was not on it."""
    taken = DoNotCall.objects.filter(number=number).delete()[0]
    if taken:
        audit.record("never.removed", _list([number]), before={"numbers": [number]})
    return bool(taken)


def _list(numbers: list[str]) -> audit.Thing:
    return audit.Thing("telephony.donotcall", "", ", ".join(numbers))
