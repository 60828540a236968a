"""What a minute of a call costs, before it is placed."""

from __future__ import annotations

from decimal import Decimal

from django.conf import settings

from ..lines.actions import asked_often
from ..models import PhoneNumber, PlannedCall, SipLine
from .guard import costs_nothing


def written_rate_of(planned: PlannedCall) -> Decimal | None:
    """As far as we know it without asking anybody."""
    if planned.line and costs_nothing(planned.to, planned.line):
        return Decimal(0)
    return planned.line.price_per_minute if planned.line else None


def rate_of(planned: PlannedCall) -> Decimal | None:
    """None where nobody knows it. Raises ProviderError."""
    rate = written_rate_of(planned)
    if rate is not None:
        return rate
    if planned.line:
        account = planned.line.account
        if account is None:
            return None
        return asked_often(account, "priced", by=planned.by).rate(planned.to, shown_by(planned.line))
    assert planned.caller_id
    provider = asked_often(planned.caller_id.credential, "priced", by=planned.by)
    shown = planned.caller_id.number
    rate = provider.rate(planned.to, shown)
    if planned.telephone.startswith("+"):  # a call-back is two calls
        rate += provider.rate(planned.telephone, shown)
    return rate


def shown_by(line: SipLine | None) -> str:
    """The number of its account that it shows, by its extension; "" where nobody knows it."""
    if line is None or not line.account_id:
        return ""
    own = PhoneNumber.objects.filter(credential=line.account_id, extension=line.extension)
    return own.values_list("number", flat=True).first() or ""


def price_of(planned: PlannedCall) -> str:
    """For people; "" where nobody knows it. Raises ProviderError."""
    rate = rate_of(planned)
    if rate is None:
        return ""
    currency = (planned.line.currency or settings.CURRENCY) if planned.line else ""
    return f"{rate.normalize():f} {currency}".strip() if planned.line else f"{rate:f}"
