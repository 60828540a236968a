"""Words for what a number can do, and for the addresses that a provider calls."""

from __future__ import annotations

from collections.abc import Collection

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

HOOKS: dict[str, Promise] = {
    "voice_url": _("When a call comes in"),
    "voice_fallback_url": _("When we do not answer"),
    "status_callback": _("When a call changes"),
    "voice_application_sid": _("Application that has its calls"),
    "trunk_sid": _("Trunk that has its calls"),
}

# Beside calls, which every number takes that we buy.
BESIDE_CALLS: dict[str, str | Promise] = {"sms": "SMS", "mms": "MMS", "fax": _("Fax")}


def in_words(can: Collection[str]) -> str:
    """What a number can do, calls first."""
    words = {"voice": _("Calls"), **BESIDE_CALLS}
    known = [str(words[each]) for each in words if each in can]
    return ", ".join([*known, *(each for each in can if each not in words)])
