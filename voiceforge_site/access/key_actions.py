"""What can be done with API keys, one function a verb: used alike by pages, API and commands.

A key is given no more than who makes it may do: its person's role holds besides, whenever it is used.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from ipaddress import ip_network
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from mlservices import audit

from ..models import ApiKey, User
from .keys import BEGINNING, PREFIX_LENGTH, digest
from .roles import ABILITIES

LONGEST_OVERLAP = timedelta(days=30)
CHANGEABLE = ("name", "scopes", "networks", "requests_a_minute", "expires_at")


@transaction.atomic
def create(
    name: str,
    person: User,
    *,
    scopes: Sequence[str] = (),
    networks: Sequence[str] = (),
    requests_a_minute: int | None = None,
    expires_at: datetime | None = None,
) -> tuple[ApiKey, str]:
    """The key's row, and the key in the clear: here alone. Raises ValidationError by field."""
    fields = {
        "name": name.strip(),
        "scopes": sorted(set(scopes)),
        "networks": [network.strip() for network in networks],
        "requests_a_minute": requests_a_minute,
        "expires_at": expires_at,
    }
    _refuse_wrong(fields, person)
    row, shown = _made(person, **fields)
    audit.record("api_key.made", row, after=audit.fields_of(row, "person", *CHANGEABLE))
    return row, shown


@transaction.atomic
def change(*, key: ApiKey, by: User, **fields: Any) -> ApiKey:
    """Its name and its limits, from the next request on. Raises ValidationError by field."""
    _refuse_closed(key)
    wanted = {name: getattr(key, name) for name in CHANGEABLE} | fields
    _refuse_wrong(wanted, by, before=key)
    before = audit.stored_fields(key, *CHANGEABLE)
    for name, value in fields.items():
        setattr(key, name, value)
    key.save(update_fields=list(fields))
    after = audit.fields_of(key, *CHANGEABLE)
    audit.record("api_key.changed", key, before=before, after=after, by=by.username)
    return key


@transaction.atomic
def rotate(*, key: ApiKey, overlap: timedelta, by: User) -> tuple[ApiKey, str]:
    """A key in its place, with the same limits; the old one opens for `overlap` yet."""
    _refuse_closed(key)
    if key.replaced_by_id:
        raise ValidationError(_("It was replaced already."))
    if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
        raise ValidationError({"overlap": _("Let the old key open for 30 days at most.")})
    fields = {name: getattr(key, name) for name in CHANGEABLE}
    successor, shown = _made(key.person, **fields)
    ends = timezone.now() + overlap
    key.replaced_by, key.expires_at = successor, min(ends, key.expires_at or ends)
    key.save(update_fields=["replaced_by", "expires_at"])
    after = {"replaced_by": successor.prefix, "expires_at": key.expires_at}
    audit.record("api_key.rotated", key, after=after, by=by.username)
    return successor, shown


@transaction.atomic
def revoke(prefix: str) -> bool:
    """Whether there was such a key that still opened; it opens nothing from its next request on."""
    key = ApiKey.objects.filter(prefix=prefix, revoked_at=None).first()
    if key is None:
        return False
    audit.record("api_key.revoked", key)
    return ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=timezone.now()) > 0


def _made(person: User, **fields: Any) -> tuple[ApiKey, str]:
    while True:
        key = BEGINNING + secrets.token_hex(16)
        row = ApiKey(prefix=key[:PREFIX_LENGTH], digest=digest(key), person=person, **fields)
        try:
            with transaction.atomic():
                row.save()
        except IntegrityError:  # another begins alike
            continue
        return row, key


def _refuse_closed(key: ApiKey) -> None:
    if not key.opens:
        raise ValidationError(_("This key opens nothing any more: make another."))


def _refuse_wrong(fields: dict[str, Any], by: User, before: ApiKey | None = None) -> None:
    wrong = {}
    if not 1 <= len(fields["name"]) <= 80:
        wrong["name"] = _("Give it a name of at most 80 characters, like what uses it.")
    if unknown := [scope for scope in fields["scopes"] if scope not in ABILITIES]:
        wrong["scopes"] = _("There is no ability %(name)s.") % {"name": unknown[0]}
    elif beyond := _beyond(fields["scopes"], by, before):
        wrong["scopes"] = _("You may not do this yourself: %(what)s.") % {"what": beyond}
    for network in fields["networks"]:
        try:
            ip_network(network)
        except ValueError:
            told = {"network": network}
            wrong["networks"] = _("%(network)s is no network: write it like 203.0.113.0/24.") % told
    rate = fields["requests_a_minute"]
    if rate is not None and not 1 <= rate <= 1_000_000:
        wrong["requests_a_minute"] = _("Choose from 1 to 1,000,000.")
    expires = fields["expires_at"]
    if expires and expires <= timezone.now() and (before is None or expires != before.expires_at):
        wrong["expires_at"] = _("Choose a time from now on.")
    if wrong:
        raise ValidationError(wrong)


def _beyond(scopes: Sequence[str], by: User, before: ApiKey | None) -> str:
    """What of these who gives them may not do, in words. No scope means all of the role's: a key that has
    some itself cannot give that."""
    if before is not None and sorted(scopes) == sorted(before.scopes):
        return ""
    if not scopes and by.scopes is not None:
        return _("all that the role may")
    lacking = [scope for scope in scopes if not by.has_perm(scope)]
    return str(ABILITIES[lacking[0]][0]) if lacking else ""
