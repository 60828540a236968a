"""What can be done with calls that we place, one function a verb: used alike by pages, API and commands."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4, uuid5

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from agents.e164 import as_e164
from agents.models import Agent
from mlservices import about, audit

from ..actions import end_call, ringing, stop_ringing
from ..audited import call_named
from ..eventlog import record_now
from ..models import Call, Credential, DoNotCall, PhoneNumber, PlannedCall, SipLine
from ..outward import tell_of_planned
from ..session.events import CallRinging, ProviderStatusReceived
from .guard import LONGEST_OF_PEOPLE, NotAllowed, check, longest_of, refuse_telephone, set_aside
from .ways import refuse_what_it_cannot

FURTHEST = timedelta(days=366)
PAST = timedelta(minutes=2)  # that a form may take
ONCE_FOR = timedelta(hours=24)  # after which what is asked for again is another call
State = PlannedCall.State
_TOLD = (
    "to",
    "agent",
    "called_from",
    "telephone",
    "due_at",
    "machine",
    "operator",
)  # of a call that was ordered


@transaction.atomic
def plan_call(
    *,
    to: str,
    agent: Agent,
    by: str,
    caller_id: PhoneNumber | None = None,
    line: SipLine | None = None,
    telephone: str = "",
    values: Mapping[str, Any] | None = None,
    due_at: datetime | None = None,
    machine: str = PlannedCall.Machine.IGNORE,
    message: str = "",
    send_digits: str = "",
    operator: str = "",
    once: UUID | None = None,
) -> PlannedCall:
    """A call to be placed at once, or at `due_at`, by the account of `caller_id` or by `line`. `to` is a
    number with its country code, or by a line an extension of its exchange; `telephone`, of ours, is rung
    first where the account calls back: numbers are kept as E.164. Asked again with the same `once` within a
    day, it is the same call. Raises ValidationError by field."""
    while once and (before := PlannedCall.objects.filter(pk=once).first()):
        if before.at > timezone.now() - ONCE_FOR:
            return before
        once = uuid5(once, "another day")
    if (caller_id is None) == (line is None):
        raise ValidationError({"caller_id": _("Choose the number that is shown, or the line.")})
    now = timezone.now()
    planned = PlannedCall(
        pk=once or uuid4(),
        to=as_e164(to) or to,
        agent=agent,
        agent_name=agent.name,
        caller_id=caller_id,
        line=line,
        called_from=line.label if line else caller_id.number if caller_id else "",
        telephone=as_e164(telephone) or telephone,
        by=by,
        key=about.key(),
        values=dict(values or {}),
        due_at=due_at or now,
        machine=machine,
        message=message.strip(),
        send_digits=send_digits,
        operator=operator,
    )
    _refuse(planned, now)
    planned.due_at = max(planned.due_at, now)
    PlannedCall.objects.bulk_create([planned], ignore_conflicts=True)  # asked for twice at the same moment
    audit.record("planned.ordered", planned, after=audit.fields_of(planned, *_TOLD), by=by)
    return PlannedCall.objects.get(pk=planned.pk)


def _refuse(planned: PlannedCall, now: datetime) -> None:
    """Raises ValidationError by field."""
    if not now - PAST <= planned.due_at <= now + FURTHEST:
        raise ValidationError({"due_at": _("Choose a time from now on, within a year.")})
    if planned.due_at > now and planned.operator:
        raise ValidationError({"due_at": _("Who speaks themselves calls now.")})
    refuse_what_it_cannot(planned)
    carrier, field = planned.carrier, "to"
    assert carrier and planned.agent
    try:
        check(to=planned.to, agent=planned.agent, carrier=carrier)
        if isinstance(carrier, Credential) and planned.telephone:
            field = "telephone"
            refuse_telephone(planned.telephone, carrier)
    except NotAllowed as error:
        raise ValidationError({field: str(error)}) from None


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
    """The row of a call that is about to be placed; what it may cost is set aside. Raises NotAllowed."""
    assert planned.agent and planned.carrier
    seconds = longest_of(planned.agent, by_a_person=planned.by_a_person)
    set_aside(planned.carrier, seconds=seconds, rate=rate)
    line, number = planned.line, planned.caller_id
    name = number.credential.provider if number else "sip"
    caller = line.user if line else planned.telephone or planned.called_from
    call = Call.objects.create(
        line=name,
        phone_number=number,
        sip_line=line,
        paid_by=line.account if line else number.credential if number else None,
        status=Call.Status.QUEUED,
        rate=rate,
        price_currency=(line.currency or settings.CURRENCY) if line else "",
        most_seconds=seconds,
        **ringing(
            planned.agent, line=name, direction=Call.Direction.OUTBOUND, caller=caller, callee=planned.to
        ),
    )
    PlannedCall.objects.filter(pk=planned.pk).update(call=call)
    record_now(call.pk, CallRinging())
    audit.record("call.placed", call_named(call), by=planned.by, detail=planned.to)
    return call


@transaction.atomic
def is_placed(planned: PlannedCall, call: Call, provider_call_id: str) -> None:
    """`provider_call_id` is "" where it is told later: of a call-back by its notices, of a line's when it is
    answered."""
    if provider_call_id and call.paid_by:
        knows_id(call.pk, call.paid_by, provider_call_id)
    queued = Call.objects.filter(pk=call.pk, status=Call.Status.QUEUED)
    if planned.telephone and queued.update(status=Call.Status.INITIATED):  # else its notices were faster
        record_now(call.pk, ProviderStatusReceived(status=Call.Status.INITIATED, applied=True))
    PlannedCall.objects.filter(pk=planned.pk).update(state=State.PLACED)
    tell_of_planned(planned.pk, as_="placed")


def knows_id(call_id: UUID, credential: Credential, provider_call_id: str) -> None:
    """The provider may tell of a call before it has answered that it took it. One that has been ended here
    meanwhile rings no longer."""
    ours = Call.objects.filter(pk=call_id, paid_by=credential, direction=Call.Direction.OUTBOUND)
    learned = ours.filter(provider_call_id="").update(provider_call_id=provider_call_id)
    if learned and ours.filter(ended_at__isnull=False, answered_at=None).exists():
        stop_ringing(call_id)


@transaction.atomic
def is_with_people(call_id: UUID) -> None:
    """People speak in it from now on. It may last as long as they do, and what one that we placed may cost
    then is set aside; raises NotAllowed where the day has less left."""
    call = Call.objects.select_related("sip_line", "paid_by").get(pk=call_id)
    carrier, longer = call.sip_line or call.paid_by, LONGEST_OF_PEOPLE - (call.most_seconds or 0)
    if call.most_seconds is None or longer <= 0:
        return
    if carrier:
        set_aside(carrier, seconds=longer, rate=call.rate)
    Call.objects.filter(pk=call_id).update(most_seconds=LONGEST_OF_PEOPLE)


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


def are_too_late(*, due_before: datetime) -> None:
    """Nobody is rung at an hour that was not meant, after the server was away."""
    late = PlannedCall.objects.filter(due_at__lt=due_before)
    _refuse_waiting(late, _("It was too late: the server was away, or the queue too long."))


def are_gone() -> None:
    """What was deleted cannot call anybody."""
    _refuse_waiting(PlannedCall.objects.filter(agent=None), _("Its agent was deleted."))
    without = PlannedCall.objects.filter(caller_id=None, line=None)
    _refuse_waiting(without, _("The number or the line that it was to go out by was deleted."))


@transaction.atomic
def _refuse_waiting(planned: QuerySet[PlannedCall], reason: str) -> None:
    waiting = planned.filter(state=State.WAITING)
    refused = list(waiting.select_for_update(of=("self",)).values_list("pk", flat=True))
    PlannedCall.objects.filter(pk__in=refused).update(state=State.REFUSED, reason=reason)
    tell_of_planned(*refused, as_="refused")


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
    canceled = list(waiting.select_for_update())
    ids = [planned.pk for planned in canceled]
    why = _("Its number was put on the do-not-call list.")
    PlannedCall.objects.filter(pk__in=ids).update(state=State.CANCELED, reason=why)
    for planned in canceled:
        audit.record("planned.canceled", planned, by=by)
    tell_of_planned(*ids, as_="canceled")
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
