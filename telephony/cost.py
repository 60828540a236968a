"""What a call costs at its carrier, by the prices that the settings name."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal

from django.conf import settings

from .models import Call

PRICE_SETTINGS = {"twilio": "TWILIO_PRICE_PER_MINUTE"}  # the variable that names a line's price


@dataclass(frozen=True, slots=True)
class Cost:
    """`amount` is None where the line's price is not set; `setting` then says what to set."""

    minutes: int  # begun, as carriers count
    price: Decimal | None
    amount: Decimal | None
    currency: str
    setting: str


def cost_of(call: Call) -> Cost:
    """Of a call that is over: what the provider asks, or, until it has said so, minutes begun times the
    line's price. A call through the browser is free."""
    minutes = math.ceil((call.duration_seconds or 0) / 60)
    setting = PRICE_SETTINGS.get(call.line, "")
    price = getattr(settings, setting) if setting else Decimal(0)
    told = call.price is not None
    return Cost(
        minutes=minutes,
        price=price,
        amount=call.price if told else None if price is None else price * minutes,
        currency=call.currency if told and call.currency else settings.CURRENCY,
        setting=setting,
    )
