"""What files are called that people save: of letters, digits and hyphens that every system knows."""

from __future__ import annotations

import re

from django.utils import timezone
from django.utils.text import slugify

from .models import Call, CallExport

LONGEST = 60  # letters of what a name says


def of_call(call: Call, ending: str) -> str:
    """`call-14155550112-2026-11-30-0915.wav`: who called, or was called, when, in the
    current time zone."""
    return _joined(
        "call", call.other_party or "unknown", f"{timezone.localtime(call.created_at):%Y-%m-%d-%H%M}", ending
    )


def of_export(export: CallExport, title: str) -> str:
    """`calls-front-desk-failed-2026-11-30.csv`: what is in it, and the day it was made."""
    return _joined("calls", title, f"{timezone.localtime(export.created_at):%Y-%m-%d}", "csv")


def _joined(first: str, told: str, day: str, ending: str) -> str:
    words = slugify(re.sub(r"[\W_]+", " ", told))[:LONGEST].strip("-")
    return "-".join(filter(None, [first, words, day])) + f".{ending}"
