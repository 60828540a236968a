"""Words for the addresses that a provider calls."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

HOOKS: dict[str, Promise] = {
    "voice_url": _("When a call comes in"),
    "voice_fallback_url": _("When we do not answer"),
    "status_callback": _("When a call changes"),
    "voice_application_sid": _("Application that has its calls"),
    "trunk_sid": _("Trunk that has its calls"),
}
