"""Words for what was done with accounts."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

USES: dict[str, Promise] = {
    "added": _("Added"),
    "secret": _("The secret was replaced"),
    "changed": _("Its limits were changed"),
    "checked": _("Checked"),
    "rotated": _("Encrypted with another key"),
    "imported": _("Its numbers were imported"),
    "hooks": _("The addresses of a number were set"),
    "notices": _("The address of its notices was set"),
    "searched": _("Numbers were searched"),
    "bought": _("A number was bought"),
    "released": _("A number was given back"),
    "forgotten": _("A number was forgotten here"),
    "deleted": _("Deleted, with its numbers"),
    "called": _("A call was placed"),
    "hung_up": _("A call was ended"),
}
HOOKS: dict[str, Promise] = {
    "voice_url": _("When a call comes in"),
    "voice_fallback_url": _("When we do not answer"),
    "status_callback": _("When a call changes"),
}
