"""What each role may do: the one table, read by pages, sockets, commands and the page that shows it.

Abilities are Django permissions by name, so that apps below ask `user.has_perm("telephony.listen")` and
templates `perms.telephony.listen` without knowing of roles.
"""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    ADMINISTRATOR = "administrator", _("Administrator")
    DESIGNER = "designer", _("Designer")
    OPERATOR = "operator", _("Operator")
    VIEWER = "viewer", _("Viewer")


_EVERYBODY = frozenset(Role)
_WHO_BUILDS = frozenset({Role.ADMINISTRATOR, Role.DESIGNER})
_WHO_OPERATES = frozenset({Role.ADMINISTRATOR, Role.OPERATOR})
_NOT_VIEWERS = frozenset({Role.ADMINISTRATOR, Role.DESIGNER, Role.OPERATOR})
_ADMINISTRATORS = frozenset({Role.ADMINISTRATOR})

# Ability: (what it is, who has it), in the order in which the page shows them.
ABILITIES: dict[str, tuple[Any, frozenset[str]]] = {
    "telephony.view_calls": (_("See calls, transcripts, messages and figures"), _EVERYBODY),
    "telephony.hear_recordings": (_("Hear and download recordings"), _NOT_VIEWERS),
    "telephony.annotate_calls": (_("Write notes and tags on calls"), _NOT_VIEWERS),
    "telephony.handle_messages": (_("Mark messages as done, and delete them"), _WHO_OPERATES),
    "telephony.export_calls": (_("Export lists of calls"), _NOT_VIEWERS),
    "telephony.listen": (_("Listen to a live call"), _WHO_OPERATES),
    "telephony.direct_calls": (_("Say, whisper, take over, transfer and hang up"), _WHO_OPERATES),
    "telephony.delete_calls": (_("Delete calls with their recordings"), _ADMINISTRATORS),
    "agents.view_agents": (_("See agents and flows"), _EVERYBODY),
    "agents.try_agents": (_("Talk to agents and try them by text"), _NOT_VIEWERS),
    "agents.change_agents": (
        _("Make, change and archive agents and flows"),
        _WHO_BUILDS,
    ),
    "telephony.assign_numbers": (_("Choose which agent answers a number"), _WHO_BUILDS),
    "telephony.view_lines": (_("See accounts with providers and their numbers"), _WHO_BUILDS),
    "telephony.manage_lines": (
        _("Add accounts, set their limits, buy and give back numbers"),
        _ADMINISTRATORS,
    ),
    "telephony.place_calls": (_("Have agents call somebody, and keep the do-not-call list"), _NOT_VIEWERS),
    "mlservices.view_models": (_("See the models and the machine's memory"), _WHO_BUILDS),
    "mlservices.manage_models": (_("Download, load, unload and remove models"), _ADMINISTRATORS),
    "mlservices.view_usage": (_("See what models were used and what it cost"), _WHO_BUILDS),
    "mlservices.set_prices": (_("Set the prices of models"), _ADMINISTRATORS),
    "voiceforge_site.view_status": (_("See how each service does"), _WHO_OPERATES),
    "voiceforge_site.check_services": (_("Ask services at once how they do"), _ADMINISTRATORS),
    "mlservices.use_models": (_("Use speech and language models through the API"), _NOT_VIEWERS),
    "voiceforge_site.have_keys": (_("Have API keys of one's own"), _EVERYBODY),
    "voiceforge_site.manage_webhooks": (
        _("Choose which systems are told what happens here"),
        _ADMINISTRATORS,
    ),
    "voiceforge_site.manage_people": (_("Invite people and give them roles"), _ADMINISTRATORS),
    "voiceforge_site.view_audit": (_("See the audit trail"), _ADMINISTRATORS),
}


def may(role: str, ability: str) -> bool:
    """False for an ability that is not in the table."""
    known = ABILITIES.get(ability)
    return known is not None and role in known[1]


def abilities_of(role: str) -> list[Any]:
    """What somebody with this role may do, in words."""
    return [what for what, roles in ABILITIES.values() if role in roles]
