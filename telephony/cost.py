"""What a call costs at its carrier: as it charged, or else by the prices that the settings name."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal

from django.conf import settings

from .models import Call

PRICE_SETTINGS = {"twilio": "TWILIO_PRICE_PER_MINUTE"}  # the variable that names a line's price
FREE = ("browser", "api")  # no carrier has a part in them


@dataclass(frozen=True, slots=True)
class Cost:
    """`amount` is None where it is not known; `setting` is what to set where the carrier does not tell."""

    minutes: int  # begun, as carriers count
    amount: Decimal | None
    currency: str
    setting: str = ""
    free: bool = False


def cost_of(call: Call) -> Cost:
    """Of a call that is over."""
    minutes = math.ceil((call.duration_seconds or 0) / 60)
    if call.line in FREE:
        return Cost(minutes, Decimal(0), settings.CURRENCY, free=True)
    if call.price is not None:
        return Cost(minutes, call.price, call.price_currency)
    if call.line == "sip" and call.rate is not None:
        return Cost(minutes, call.rate * minutes, call.price_currency or settings.CURRENCY)
    setting = PRICE_SETTINGS.get(call.line, "")
    price = getattr(settings, setting) if setting else None
    return Cost(minutes, None if price is None else price * minutes, settings.CURRENCY, setting)
