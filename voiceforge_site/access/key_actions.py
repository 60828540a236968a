"""What can be done with API keys, one function a verb: used alike by pages, API and commands.

A key is given no more than who makes it may do: its person's role holds besides, whenever it is used. And
where a key asks, it makes, changes and replaces only such as lie within its own limits.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from mlservices import audit

from ..models import ApiKey, User
from .key_limits import CHANGEABLE, refuse_wrong
from .keys import BEGINNING, PREFIX_LENGTH, digest
from .news import tell_sockets

LONGEST_OVERLAP = timedelta(days=30)


class Closed(ValidationError):
    """What the key was to do, one that was replaced or opens nothing any more cannot."""


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
    fields = _kept(
        {
            "name": name,
            "scopes": scopes,
            "networks": networks,
            "requests_a_minute": requests_a_minute,
            "expires_at": expires_at,
        }
    )
    refuse_wrong(fields, person)
    row, shown = _made(person, **fields)
    audit.record("api_key.made", row, after=audit.fields_of(row, "person", *CHANGEABLE))
    return row, shown


@transaction.atomic
def change(*, key: ApiKey, by: User, **fields: Any) -> ApiKey:
    """Its name and its limits, from the next request on. Raises ValidationError by field."""
    key = _locked(key)
    before = audit.fields_of(key, *CHANGEABLE)
    changed = _kept(fields)
    refuse_wrong(before | changed, by, before=key)
    for name, value in changed.items():
        setattr(key, name, value)
    key.save(update_fields=list(changed))
    after = audit.fields_of(key, *CHANGEABLE)
    audit.record("api_key.changed", key, before=before, after=after, by=by.username)
    _tell_sockets(key)
    return key


@transaction.atomic
def rotate(*, key: ApiKey, overlap: timedelta, by: User) -> tuple[ApiKey, str]:
    """A key in its place, with the same limits; the old one opens for `overlap` yet. Raises Closed, or
    another ValidationError."""
    key = _locked(key)
    if key.person_id != by.pk:  # or who sees the new one could act as another
        raise ValidationError(_("That is only its person's to do. Revoke it, if need be."))
    if key.replaced_by_id:
        raise Closed(_("It was replaced already."))
    if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
        raise ValidationError({"overlap": _("Let the old key open for 30 days at most.")})
    fields = {name: getattr(key, name) for name in CHANGEABLE}
    refuse_wrong(fields, by, before=key)
    successor, shown = _made(key.person, **fields)
    ends = timezone.now() + overlap
    key.replaced_by, key.expires_at = successor, min(ends, key.expires_at or ends)
    key.save(update_fields=["replaced_by", "expires_at"])
    after = {"replaced_by": successor.prefix, "expires_at": key.expires_at}
    audit.record("api_key.rotated", key, after=after, by=by.username)
    _tell_sockets(key)
    return successor, shown


@transaction.atomic
def revoke(prefix: str) -> bool:
    """Whether there was such a key that still opened; it opens nothing from its next request on."""
    key = ApiKey.objects.select_for_update().filter(prefix=prefix, revoked_at=None).first()
    if key is None:
        return False
    audit.record("api_key.revoked", key)
    ApiKey.objects.filter(pk=key.pk).update(revoked_at=timezone.now())
    _tell_sockets(key)
    return True


def _tell_sockets(key: ApiKey) -> None:
    """Those that it has opened ask at once whether it opens them still."""
    transaction.on_commit(lambda: tell_sockets(key.prefix))


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


def _locked(key: ApiKey) -> ApiKey:
    """As it is stored now, until the transaction ends: others may change, rotate or revoke it meanwhile.
    Raises Closed."""
    stored = ApiKey.objects.select_for_update().filter(pk=key.pk).first()
    if stored is None or not stored.opens:
        raise Closed(_("This key opens nothing any more: make another."))
    return stored


def _kept(fields: dict[str, Any]) -> dict[str, Any]:
    """As they are stored."""
    kept = dict(fields)
    if "name" in kept:
        kept["name"] = kept["name"].strip()
    if "scopes" in kept:
        kept["scopes"] = sorted(set(kept["scopes"]))
    if "networks" in kept:
        kept["networks"] = [network.strip() for network in kept["networks"]]
    return kept
