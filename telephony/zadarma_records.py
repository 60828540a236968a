"""What Zadarma's records of calls that are over add to ours: how long they were, and what they cost.

Its statistics of the PBX name a call as its notices do; its bills do not, and are found by the number that
was called and the time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from .models import Call, Credential
from .providers.zadarma.events import OUTCOMES
from .providers.zadarma.facts import BilledCall, PbxCall
from .zadarma_calls import ENDED, end_as_told, tell, was_spoken_elsewhere
from .zadarma_matching import (
    CALL_BACK_SECONDS,
    LINE,
    SAME_CALL,
    TIME,
    Naming,
    as_e164,
    call_backs,
    name_incoming,
    name_outgoing,
    of_account,
)

Status = Call.Status
# A leg that ended so lately may be one of a call that goes on, on another.
SURELY_OVER = timedelta(minutes=5)


def settle(credential: Credential, legs: Iterable[PbxCall], offset: timedelta) -> int:
    """End calls that Zadarma saw end and fill in how long they were; how many had changed.

    `offset` is the account's from UTC. A call that we heard ourselves keeps the duration that we heard.
    """
    by_call: dict[str, list[PbxCall]] = defaultdict(list)
    for leg in legs:
        if leg.pbx_call_id:
            by_call[leg.pbx_call_id].append(leg)
    return sum(_settle(credential, call_legs, offset) for call_legs in by_call.values())


@transaction.atomic
def _settle(credential: Credential, legs: Sequence[PbxCall], offset: timedelta) -> bool:
    call = _call_of(credential, legs, offset)
    answered = [leg for leg in legs if OUTCOMES.get(leg.disposition) == "completed"]
    seconds = max((leg.seconds for leg in answered), default=0)
    last = max(legs, key=lambda leg: leg.started)
    outcome = "completed" if answered else OUTCOMES.get(last.disposition, "failed")
    ended_at = max(_utc(leg.started, offset) + timedelta(seconds=leg.seconds) for leg in legs)
    if call is None or call.held_at or ended_at > timezone.now() - SURELY_OVER:
        return False
    changed = call.line == LINE and end_as_told(call, outcome=outcome, seconds=seconds, ended_at=ended_at)
    if not changed and outcome == "completed" and not call.duration_seconds:
        changed = was_spoken_elsewhere(call, seconds=seconds, ended_at=ended_at)
    if changed:
        tell(call, credential, Status(outcome), ENDED)
    return changed


def _call_of(credential: Credential, legs: Sequence[PbxCall], offset: timedelta) -> Call | None:
    """By its name; or the call none of whose notices came, which gets its name here."""
    calls = Call.objects.filter(of_account(credential))
    first = min(legs, key=lambda leg: leg.started)
    name = first.pbx_call_id
    if named := calls.filter(Q(line=LINE, provider_call_id=name) | Q(pbx_call_id=name)).first():
        return named
    began = _utc(first.started, offset)
    waiting = call_backs(
        credential, {leg.extension for leg in legs}, {as_e164(leg.destination) for leg in legs}
    )
    asked = (began - timedelta(seconds=CALL_BACK_SECONDS), began + SAME_CALL)
    call = waiting.filter(created_at__range=asked).first()
    if call:
        call.provider_call_id, call.provider_started = name, f"{first.started:{TIME}}"
        call.save(update_fields=["provider_call_id", "provider_started"])
        return call
    return _of_a_line(credential, legs, name, began)


def _of_a_line(credential: Credential, legs: Sequence[PbxCall], name: str, began: datetime) -> Call | None:
    between = (began - SAME_CALL, began + SAME_CALL)
    for leg in legs:
        callee = as_e164(leg.destination)
        caller = as_e164(leg.caller)
        as_told = Naming(name, f"{leg.started:{TIME}}", between)
        call = name_outgoing(credential, extension=leg.extension, callee=callee, as_told=as_told)
        call = call or name_incoming(credential, caller=caller, callee=callee, as_told=as_told)
        if call:
            return call
    return None


def set_prices(
    credential: Credential, bills: Sequence[BilledCall], offset: timedelta, *, since: datetime
) -> int:
    """What calls cost that began after `since`: the sum of their bills; how many had changed."""
    if not bills:
        return 0
    first, last = (pick(_utc(bill.started, offset) for bill in bills) for pick in (min, max))
    near = (first - timedelta(seconds=CALL_BACK_SECONDS), last + SAME_CALL)
    calls = Call.objects.filter(of_account(credential), created_at__range=near)
    by_callee: dict[str, list[Call]] = defaultdict(list)
    for call in calls.defer("card"):
        if _began(call, offset) - SAME_CALL > since:  # else some of its bills may stand before
            by_callee[call.callee].append(call)
    charged: dict[Call, list[BilledCall]] = defaultdict(list)
    for bill in bills:
        if billed := _billed(bill, by_callee[as_e164(bill.callee)], offset):
            charged[billed].append(bill)
    return sum(_set_price(call, call_bills) for call, call_bills in charged.items())


def _billed(bill: BilledCall, calls: Iterable[Call], offset: timedelta) -> Call | None:
    """The call that began when the bill says, or next to it, of those to its number; of an inbound one the
    caller is the bill's too."""
    began = _utc(bill.started, offset)
    caller = as_e164(bill.caller)
    near = [
        (abs(_began(call, offset) - began), call)
        for call in calls
        if call.direction == Call.Direction.OUTBOUND or call.caller == caller
    ]
    apart, call = min(near, key=lambda pair: pair[0], default=(SAME_CALL, None))
    return call if apart < SAME_CALL else None


def _began(call: Call, offset: timedelta) -> datetime:
    if not call.provider_started:
        return call.created_at
    return _utc(datetime.strptime(call.provider_started, TIME), offset)


def _set_price(call: Call, bills: Sequence[BilledCall]) -> bool:
    price = sum((bill.cost for bill in bills), Decimal(0))
    currency = bills[0].currency[:3]
    other = Call.objects.filter(pk=call.pk).exclude(price=price, price_currency=currency)
    return bool(other.update(price=price, price_currency=currency))


def _utc(there: datetime, offset: timedelta) -> datetime:
    return there.replace(tzinfo=UTC) - offset
