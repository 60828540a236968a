"""Days as they stand in addresses."""

from __future__ import annotations

from datetime import date

from django.utils.translation import gettext_lazy as _

NO_DAY = _("Write the day like 2026-03-05.")


def day_of(text: str) -> date | None:
    """Of "2026-03-05". None for what is no day, and for days that no call or request can have, and some
    clocks cannot tell."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 2000 <= day.year <= 2200 else None
