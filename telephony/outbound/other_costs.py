"""What counts against the cap of a day beside the outbound calls that are stored."""

from __future__ import annotations

import math
from collections.abc import Collection
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from ..lines.accounts import ProviderError
from ..lines.actions import asked_often
from ..models import Call, Credential, OtherCost, SipLine
from .guard import (
    DAY,
    LONGEST_OF_PEOPLE,
    NotAllowed,
    cost_of_a_call,
    costs_nothing,
    locked_payers,
    set_aside,
)
from .rates import shown_by

UNHEARD_SECONDS = 3600  # that a call counts as once a SIP line's peer carries it: nobody tells its end


def set_aside_transfer(carrier: Credential | SipLine, *, to: str, of: str, shown: str = "") -> None:
    """For somebody who is put through, which is a second call. Where nothing is capped nothing is asked. `of`
    is the first call's id, `shown` the number that is shown. Raises NotAllowed."""
    account = carrier.account if isinstance(carrier, SipLine) else carrier
    line = carrier if isinstance(carrier, SipLine) else None
    if all(payer is None or payer.daily_cap is None for payer in (account, line)):
        return
    rate = _rate(line, account, to, shown)
    with transaction.atomic():
        locked_payers(carrier)
        if OtherCost.objects.filter(paid_by=account, sip_line=line, of=of, to=to).exists():
            return  # a webhook is asked again where its answer got lost
        seconds = UNHEARD_SECONDS if line else LONGEST_OF_PEOPLE
        set_aside(carrier, seconds=seconds, rate=rate)
        assert rate is not None
        amount = seconds // 60 * rate
        OtherCost.objects.create(paid_by=account, sip_line=line, of=of, to=to, rate=rate, amount=amount)


def _rate(line: SipLine | None, account: Credential | None, to: str, shown: str) -> Decimal | None:
    if line and costs_nothing(to, line):
        return Decimal(0)
    if line and line.price_per_minute is not None:
        return line.price_per_minute
    try:
        if account is None:
            return None
        return asked_often(account, "priced").rate(to, shown or shown_by(line))
    except ProviderError as error:
        raise NotAllowed(str(error)) from error


def transfer_lasted(account: Credential, *, of: str, seconds: int) -> None:
    """What it could have cost at most is free again."""
    set_aside_for = OtherCost.objects.filter(paid_by=account, of=of, rate__isnull=False)
    set_aside_for.update(amount=F("rate") * math.ceil(seconds / 60))


def transfer_failed(line: SipLine, *, of: str, to: str) -> None:
    """Nobody was put through, and nothing is paid."""
    OtherCost.objects.filter(sip_line=line, of=of, to=to, rate__isnull=False).delete()


def transfer_began(*, of: str, to: str) -> None:
    """By a SIP line: put through to the same number once more, it is another call, and paid for too."""
    OtherCost.objects.filter(sip_line__isnull=False, of=of, to=to).update(of="")


def keep_costs_of(call_ids: Collection[UUID]) -> None:
    """Before these calls are deleted; what no cap asks for any more is forgotten."""
    since = timezone.now() - DAY
    OtherCost.objects.filter(at__lt=since).delete()
    calls = Call.objects.filter(pk__in=call_ids, direction=Call.Direction.OUTBOUND, created_at__gte=since)
    OtherCost.objects.bulk_create(
        OtherCost(
            paid_by_id=call.paid_by_id, sip_line_id=call.sip_line_id, amount=call.cost, at=call.created_at
        )
        for call in calls.annotate(cost=cost_of_a_call()).only("paid_by", "sip_line", "created_at")
        if call.cost
    )
