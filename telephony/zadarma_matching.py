"""Which of our calls a notice or a record of Zadarma's is about.

Zadarma signs who calls whom and since when, and neither the call's id nor how it went: a notice that names a
call of other people or another time is not believed. A call of a SIP line of Zadarma's is told of twice, by
our gateway and by notices, in any order: it is one row, `line` "sip", which notices know by `pbx_call_id`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from agents import e164

from . import actions
from .models import Call, Credential, PhoneNumber, SipLine
from .providers.zadarma import events

LINE = "zadarma"
TIME = "%Y-%m-%d %H:%M:%S"
# Between asking for a call-back and its first notice; the call is over by then (NEVER_CONNECTED_SECONDS).
CALL_BACK_SECONDS = 300.0
# How far a call's beginning may be from now, in whatever zone; an older notice has been kept by somebody.
OLDEST = timedelta(days=2)
LONGEST_CALL = timedelta(seconds=actions.LONGEST_UNHEARD_SECONDS)
SAME_CALL = timedelta(seconds=90)  # between the beginning of a call as one tells it and as the other does
ZONES = timedelta(minutes=15)  # every zone is a multiple of it from UTC
RINGS = timedelta(seconds=120)  # at most, before it comes to our line

Inbound = events.CallStarted | events.ExtensionRings | events.MenuAnswered | events.CallEnded
Outbound = events.OutgoingStarted | events.OutgoingEnded


class NotBelieved(Exception):
    """The notice is signed, and its signature is another call's."""


def of_account(credential: Credential) -> Q:
    """Calls that its notices and records may be about."""
    return Q(line=LINE, phone_number__credential=credential) | Q(line="sip", sip_line__account=credential)


def known(credential: Credential, pbx_call_id: str) -> Call | None:
    named = Q(line=LINE, provider_call_id=pbx_call_id) | Q(pbx_call_id=pbx_call_id)
    call = Call.objects.select_related("phone_number", "sip_line").filter(named).first()
    if call and not Call.objects.filter(of_account(credential), pk=call.pk).exists():
        raise NotBelieved
    return call


def believed(call: Call, caller: str, callee: str, started: str) -> Call:
    """`caller` of a call that we placed is the extension. Raises NotBelieved."""
    if caller not in _callers(call) or callee != call.callee or not is_of_its_time(call, started):
        raise NotBelieved
    return call


def _callers(call: Call) -> set[str]:
    """What a notice may name as who called: the extension, where we did."""
    callers = {call.caller, call.caller.lstrip("+")}
    if call.direction == Call.Direction.OUTBOUND and call.sip_line:
        callers.add(call.sip_line.extension)
    elif call.direction == Call.Direction.OUTBOUND and call.phone_number and call.caller.startswith("+"):
        callers.add(call.phone_number.extension)  # which the telephone that is rung first shows
    return callers


def is_of_its_time(call: Call, started: str) -> bool:
    """Whether the beginning that a notice tells can be the call's. Zadarma does not say whether a leg of the
    call may have one of its own."""
    return abs(moment(started) - moment(call.provider_started)) < LONGEST_CALL


def must_be_new(pbx_call_id: str, caller: str, callee: str, started: str) -> None:
    """A signature that has made or named a call does so no second time, and an old one never. Raises
    NotBelieved."""
    if abs(timezone.now() - moment(started)) > OLDEST:
        raise NotBelieved
    alike = Call.objects.filter(callee=callee, provider_started=started)
    made = alike.filter(line=LINE, caller=caller).exclude(provider_call_id=pbx_call_id)
    named = (
        alike.filter(line="sip")
        .exclude(pbx_call_id__in=(pbx_call_id, ""))
        .select_related("sip_line", "phone_number")
    )
    if made.exists() or any(caller in _callers(call) for call in named):
        raise NotBelieved


def moment(text: str) -> datetime:
    """In a zone of which Zadarma says nothing. Raises NotBelieved for a day that is none."""
    try:
        return datetime.strptime(text, TIME).replace(tzinfo=UTC)
    except ValueError:
        raise NotBelieved from None


def as_e164(text: str) -> str:
    """A number as we keep it; what is none (an extension, "anonymous") stays as it is."""
    digits = text.lstrip("+")
    return (digits.isdecimal() and e164.as_e164(f"+{digits}")) or text


def call_backs(credential: Credential, extensions: Iterable[str], callees: Iterable[str]) -> QuerySet[Call]:
    """That have no name yet, the oldest first; one that rang a telephone which is no extension bears the
    extension of the number that it shows."""
    own = Q(caller__in={*extensions, *map(as_e164, extensions)})
    shown = Q(caller__startswith="+", phone_number__extension__in=[each for each in extensions if each])
    waiting = Call.objects.filter(
        own | shown,
        line=LINE,
        direction=Call.Direction.OUTBOUND,
        provider_call_id="",
        phone_number__credential=credential,
        callee__in=set(callees),
    )
    return waiting.order_by("created_at")


# ---- calls of SIP lines ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Naming:
    """What Zadarma calls a call, and when it says that this began: in some zone, unless `between` tells."""

    pbx_call_id: str
    started: str
    between: tuple[datetime, datetime] | None = None


def name_outgoing(
    credential: Credential,
    *,
    extension: str,
    callee: str,
    as_told: Naming,
) -> Call | None:
    """The call that our gateway placed by that extension's line, which has its name from now on."""
    lines = [line.pk for line in credential.sip_lines.all() if extension in (line.extension, line.user)]
    rows = _unnamed(as_told).filter(direction=Call.Direction.OUTBOUND, sip_line__in=lines, callee=callee)
    return _named(rows, as_told)


def name_incoming(
    credential: Credential,
    *,
    caller: str,
    callee: str,
    as_told: Naming,
) -> Call | None:
    """The call that came to a line of the account before Zadarma told of it. Where the line was not told
    which number was called, it is known now."""
    rows = _unnamed(as_told).filter(
        direction=Call.Direction.INBOUND, sip_line__account=credential, caller=caller
    )
    number = PhoneNumber.objects.filter(number=callee, credential=credential).first()
    told: dict[str, object] = {"callee": callee} | ({"phone_number": number} if number else {})
    fits = rows.filter(Q(callee=callee) | ~Q(callee__startswith="+"))
    return _named(fits, as_told, **told)


def _unnamed(as_told: Naming) -> QuerySet[Call]:
    now = timezone.now()
    between = as_told.between or (now - LONGEST_CALL, now + SAME_CALL)
    return Call.objects.select_related("sip_line", "phone_number").filter(
        line="sip", pbx_call_id="", created_at__range=between
    )


def _named(rows: QuerySet[Call], as_told: Naming, **fields: object) -> Call | None:
    """The one that began nearest to then, in whatever zone that is told."""
    began = moment(as_told.started)
    fields |= {"pbx_call_id": as_told.pbx_call_id, "provider_started": as_told.started}
    near = sorted((_apart(call.created_at, began), call.created_at, call.pk) for call in rows.defer("card"))
    for apart, _created_at, call_id in near:
        if apart < SAME_CALL and Call.objects.filter(pk=call_id, pbx_call_id="").update(**fields):
            return Call.objects.select_related("sip_line", "phone_number").get(pk=call_id)
    return None


def _apart(ours: datetime, theirs: datetime) -> timedelta:
    """The zones' difference left out."""
    return abs((ours - theirs + ZONES / 2) % ZONES - ZONES / 2)


@transaction.atomic
def taken_by_line(line: SipLine, *, caller: str, callee: str, provider_call_id: str) -> Call | None:
    """The call that Zadarma has told of and that rings at this line now: it is the line's from here on."""
    if line.account_id is None:
        return None
    told = Call.objects.select_for_update(of=("self",)).filter(
        line=LINE,
        direction=Call.Direction.INBOUND,
        phone_number__credential=line.account_id,
        phone_number__extension__in=("", line.extension),
        caller=caller,
        answered_at=None,
        ended_at=None,
        created_at__gt=timezone.now() - RINGS,
    )
    if callee.startswith("+"):
        told = told.filter(callee=callee)
    call = told.select_related("agent").order_by("created_at").first()
    if call is None:
        return None
    call.line, call.sip_line, call.pbx_call_id = "sip", line, call.provider_call_id
    call.provider_call_id = provider_call_id
    call.save(update_fields=["line", "sip_line", "pbx_call_id", "provider_call_id"])
    return call
