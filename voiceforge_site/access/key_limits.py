"""What limits a key may be given: such as can be kept, and none wider than those of who gives them."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from ..models import ApiKey, User
from . import rates
from .roles import ABILITIES

CHANGEABLE = ("name", "scopes", "networks", "requests_a_minute", "expires_at")
MOST_NETWORKS = 100  # each is looked at with each request
Network = IPv4Network | IPv6Network


def refuse_wrong(fields: dict[str, Any], by: User, before: ApiKey | None = None) -> None:
    """`fields` are all of CHANGEABLE, as they shall be; `before` is the key that has them already, or others.
    Raises ValidationError by field."""
    wrong = {}
    if not 1 <= len(fields["name"]) <= 80:
        wrong["name"] = _("Give it a name of at most 80 characters, like what uses it.")
    if unknown := [scope for scope in fields["scopes"] if scope not in ABILITIES]:
        wrong["scopes"] = _("There is no ability %(name)s.") % {"name": unknown[0]}
    elif beyond := _beyond(fields["scopes"], by, before):
        wrong["scopes"] = _("You may not do this yourself: %(what)s.") % {"what": beyond}
    if no_networks := _no_networks(fields["networks"]):
        wrong["networks"] = no_networks
    rate = fields["requests_a_minute"]
    if rate is not None and not 1 <= rate <= 1_000_000:
        wrong["requests_a_minute"] = _("Choose from 1 to 1,000,000.")
    expires = fields["expires_at"]
    if expires and expires <= timezone.now() and (before is None or expires != before.expires_at):
        wrong["expires_at"] = _("Choose a time from now on.")
    if not wrong and by.asks_with:
        wrong = _wider(fields, ApiKey.objects.get(prefix=by.asks_with))
    if wrong:
        raise ValidationError(wrong)


def _no_networks(networks: Sequence[str]) -> str:
    """What is wrong with them, in words."""
    if len(networks) > MOST_NETWORKS:
        return _("Name at most %(most)d networks.") % {"most": MOST_NETWORKS}
    for network in networks:
        try:
            ip_network(network)
        except ValueError:
            told = {"network": network}
            return _("%(network)s is no network: write it like 203.0.113.0/24.") % told
    return ""


def _beyond(scopes: Sequence[str], by: User, before: ApiKey | None) -> str:
    """What of these who gives them may not do, in words. No scope means all of the role's: a key that has
    some itself cannot give that. A person may leave a key what it has: without the role it opens nothing."""
    if before is not None and not by.asks_with and sorted(scopes) == sorted(before.scopes):
        return ""
    if not scopes and by.scopes is not None:
        return _("all that the role may")
    lacking = [scope for scope in scopes if not by.has_perm(scope)]
    return str(ABILITIES[lacking[0]][0]) if lacking else ""


def _wider(fields: dict[str, Any], own: ApiKey) -> dict[str, str]:
    """By field, in what these limits go beyond those of the key that gives them."""
    wider = {}
    expires, networks = fields["expires_at"], fields["networks"]
    if own.expires_at and (expires is None or expires > own.expires_at):
        wider["expires_at"] = _("The key that asks opens until %(end)s: choose no later end.") % {
            "end": own.expires_at.isoformat(timespec="seconds")
        }
    if own.networks and not (networks and all(_lies_in(network, own.networks) for network in networks)):
        wider["networks"] = _("The key that asks opens from %(networks)s alone: choose of those.") % {
            "networks": ", ".join(own.networks)
        }
    most, rate = rates.limit_of(own.requests_a_minute), rates.limit_of(fields["requests_a_minute"])
    if most and not 1 <= rate <= most:
        wider["requests_a_minute"] = _("The key that asks may send %(most)d: choose no more.") % {
            "most": most
        }
    return wider


def _lies_in(network: str, wider: Sequence[str]) -> bool:
    return any(_is_part(ip_network(network), ip_network(one)) for one in wider)


def _is_part(inner: Network, outer: Network) -> bool:
    if isinstance(inner, IPv4Network) and isinstance(outer, IPv4Network):
        return inner.subnet_of(outer)
    return isinstance(inner, IPv6Network) and isinstance(outer, IPv6Network) and inner.subnet_of(outer)
