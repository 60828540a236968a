"""What can be done with telephone numbers, one function a verb: used alike by pages, API and commands."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from mlservices import audit

from ..models import BlockedCaller, Call, Credential, PhoneNumber
from .accounts import Offer, OwnNumber, ProviderError
from .actions import asked, note_use, noted

_PATTERN = re.compile(r"\+[0-9]{7,15}|\+[0-9]{3,14}\*")  # not a whole part of the world at once


def import_numbers(*, credential: Credential, by: str) -> tuple[int, int]:
    """Take over what the account has: how many are new, and how many there are. Who answers a number that is
    here already stays; one that the account has no more is marked as missing. Raises ProviderError;
    ValidationError where a number is another account's."""
    with noted(credential, "imported", by=by) as account:
        found = account.numbers()
    with transaction.atomic():
        taken = PhoneNumber.objects.filter(number__in=[each.number for each in found])
        if other := taken.exclude(credential=credential).first():
            told = {"number": other.number, "account": other.credential.label}
            raise ValidationError(_("%(number)s belongs to %(account)s here. Remove it there first.") % told)
        before = taken.count()
        for each in found:
            _keep(credential, each)
        had = PhoneNumber.objects.filter(credential=credential, missing_since=None).exclude(provider_id="")
        found_ids = {each.provider_id for each in found}
        gone = [pk for pk, own_id in had.values_list("pk", "provider_id") if own_id not in found_ids]
        had.filter(pk__in=gone).update(missing_since=timezone.now())
    return len(found) - before, len(found)


def set_hooks(*, number: PhoneNumber, by: str, only: str = "") -> Mapping[str, str]:
    """Have the provider bring the number's calls to us, and to its fallback while we are down; `only` sets
    the addresses whose names begin so. Answers them as they were before. Raises ProviderError."""
    wanted = {name: url for name, url in wanted_hooks(number).items() if name.startswith(only)}
    before = _set_hooks(number, wanted, by=by)
    foreign = {name: before.get(name, "") for name in wanted}
    if not only and not number.hooks_before and foreign != wanted:
        PhoneNumber.objects.filter(pk=number.pk).update(hooks_before=foreign)
        number.refresh_from_db()
    return before


def put_hooks_back(*, number: PhoneNumber, by: str) -> None:
    """As they were before its calls came here. Raises ProviderError."""
    _set_hooks(number, number.hooks_before, by=by)
    PhoneNumber.objects.filter(pk=number.pk).update(hooks_before={})
    number.refresh_from_db()


def _set_hooks(number: PhoneNumber, wanted: Mapping[str, str], *, by: str) -> Mapping[str, str]:
    """Answers them as they were before."""
    before = dict(number.hooks)
    told = "; ".join(
        f"{name}: {before.get(name) or '–'} → {url or '–'}"
        for name, url in wanted.items()
        if before.get(name) != url
    )
    with noted(number.credential, "hooks", by=by, detail=f"{number.number} {told}".strip()) as account:
        hooks = account.set_hooks(number.provider_id, wanted)
    PhoneNumber.objects.filter(pk=number.pk).update(hooks=dict(hooks))
    number.refresh_from_db()
    return before


def wanted_hooks(number: PhoneNumber) -> Mapping[str, str]:
    """The addresses that the provider should have. Raises ProviderError."""
    return asked(number.credential).hooks(number.fallback_number)


def offers(
    *, credential: Credential, country: str, contains: str, kind: str, by: str, can: Sequence[str] = ()
) -> list[Offer]:
    """Numbers that can be bought: all take calls, and what is named in `can`. Raises ProviderError."""
    asked_for = " ".join(filter(None, (country, contains, *can)))
    with noted(credential, "searched", by=by, detail=asked_for) as account:
        return account.offers(country, contains=contains, kind=kind, can=can)


def buy_number(*, credential: Credential, number: str, by: str) -> PhoneNumber:
    """It costs from now on; its calls come to us at once. Raises ProviderError."""
    if PhoneNumber.objects.filter(number=number).exists():
        raise ProviderError(_("%(number)s is here already.") % {"number": number})
    account = asked(credential)
    note_use(credential, "bought", by=by, detail=number)  # before: it may be bought though no answer comes
    try:
        bought = account.buy(number, account.hooks(""))
    except ProviderError as error:
        own = account.numbers() if error.sent else []
        found = next((each for each in own if each.number == number), None)
        if found is None:
            raise
        bought = found
    return _keep(credential, bought)


def give_back(*, number: PhoneNumber, by: str) -> None:
    """The provider may sell it to somebody else at once. Raises ProviderError; ValidationError while it is on
    a call."""
    _refuse_while_on_a_call(number)
    with noted(number.credential, "released", by=by, detail=number.number) as account:
        if number.provider_id:
            account.release(number.provider_id)
    audit.record("number.given_back", number, before=audit.fields_of(number), by=by)
    number.delete()


@transaction.atomic
def forget_number(*, number: PhoneNumber, by: str) -> None:
    """Only here: the provider keeps it. Raises ValidationError while it is on a call."""
    _refuse_while_on_a_call(number)
    audit.record("number.forgotten", number, before=audit.fields_of(number), by=by)
    number.delete()


def change_number(*, number: PhoneNumber, by: str) -> str:
    """Store a changed number; the provider is told of a new fallback. Answers why it did not take it."""
    return tell_of_fallback(number=number, by=by) if save_number(number=number, by=by) else ""


@transaction.atomic
def save_number(*, number: PhoneNumber, by: str) -> bool:
    """Whether its provider has to be told. Raises ValidationError."""
    before = audit.stored_fields(number)
    number.full_clean()
    number.save()
    audit.record("number.changed", number, before=before, after=audit.fields_of(number), by=by)
    return bool(number.provider_id) and number.fallback_number != before["fallback_number"]


def tell_of_fallback(*, number: PhoneNumber, by: str) -> str:
    """Answers why the provider did not take it."""
    try:
        set_hooks(number=number, by=by, only="voice_fallback")
    except ProviderError as error:
        return str(error)
    return ""


@transaction.atomic
def block_caller(*, pattern: str, note: str, by: str) -> BlockedCaller:
    """A number, or with * at its end all that begin so. Raises ValidationError by field."""
    if not _PATTERN.fullmatch(pattern):
        raise ValidationError(
            {"pattern": _("Write it like +14155550100, or +1415555* for all that begin so.")}
        )
    blocked, _created = BlockedCaller.objects.update_or_create(
        pattern=pattern, defaults={"note": note[:200], "by": by, "at": timezone.now()}
    )
    audit.record("caller.blocked", blocked, after={"pattern": pattern, "note": note}, by=by)
    return blocked


@transaction.atomic
def unblock_caller(*, pattern: str) -> bool:
    blocked = BlockedCaller.objects.filter(pattern=pattern).first()
    if blocked:
        audit.record("caller.unblocked", blocked, before={"pattern": pattern, "note": blocked.note})
        blocked.delete()
    return blocked is not None


def _keep(credential: Credential, own: OwnNumber) -> PhoneNumber:
    fields: dict[str, Any] = {
        "provider_id": own.provider_id,
        "can": list(own.can),
        "hooks": dict(own.hooks),
        "imported_at": timezone.now(),
        "missing_since": None,
    }
    label = "" if own.label == own.number else own.label[:80]
    number, _created = PhoneNumber.objects.update_or_create(
        number=own.number,
        credential=credential,
        defaults=fields,
        create_defaults={**fields, "label": label},
    )
    return number


def _refuse_while_on_a_call(number: PhoneNumber) -> None:
    if Call.objects.filter(phone_number=number, status__in=Call.LIVE).exists():
        raise ValidationError(_("A call goes on by this number. Wait for its end."))
