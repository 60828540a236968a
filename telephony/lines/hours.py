"""When a number is answered: stored as agents store opening hours; {} is always."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from agents.facts import opening_hours
from agents.flow import hours as spoken
from agents.flow.knowledge import OpeningHours


def hours_of(data: Any) -> OpeningHours | None:
    """None is always. Raises ValidationError that names the field."""
    return opening_hours(data, "hours") if data else None


def is_open(data: Any, now: datetime) -> bool:
    hours = hours_of(data)
    return hours is None or hours.open_until(now) is not None


def closed_words(data: Any, now: datetime) -> str:
    """What a caller hears: "We're closed right now. We open again tomorrow at 9 am." """
    hours = hours_of(data)
    return spoken.status(hours, now) if hours else ""


def read_as(data: Any, now: datetime) -> str:
    """The week and how it stands, as an agent would tell it; "" is always."""
    hours = hours_of(data)
    return f"{spoken.weekly(hours)} {spoken.status(hours, now)}" if hours else ""
