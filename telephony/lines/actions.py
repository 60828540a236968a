"""What can be done with accounts of providers, one function a verb: used alike by pages, API and commands.

A provider is asked outside of transactions; what was done in an account's name is written down either way.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from django.core.cache import caches
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from mlservices import audit
from mlservices.secret_box import UnreadableSecret

from ..credentials import save_credential
from ..models import Call, Credential
from .accounts import Account, ProviderError, account_of

DAY_SECONDS = 24 * 3600


def note_use(credential: Credential, what: str, *, by: str, detail: str = "", **values: Any) -> None:
    """`values` are what it was `before` and is `after`."""
    audit.record(f"account.{what}", credential, by=by, detail=detail, **values)


@contextmanager
def noted(credential: Credential, what: str, *, by: str, detail: str = "") -> Iterator[Account]:
    """The account, ready to be asked; that it was is written down, with the reason where it was refused."""
    try:
        yield asked(credential)
    except ProviderError as error:
        note_use(credential, what, by=by, detail=": ".join(filter(None, (detail, str(error)))))
        raise
    note_use(credential, what, by=by, detail=detail)


@transaction.atomic
def add_credential(*, provider: str, account: str, secret: str, label: str, by: str) -> Credential:
    """Raises ValidationError where the account is there already: its secret is replaced on its page."""
    if Credential.objects.filter(provider=provider, account=account).exists():
        raise ValidationError(_("This account is set up already. Replace its secret on its own page."))
    credential = save_credential(provider=provider, account=account, secret=secret, label=label)
    after = audit.fields_of(credential, "provider", "account", "label", "secret")
    note_use(credential, "added", by=by, after=after)
    return credential


@transaction.atomic
def replace_secret(*, credential: Credential, secret: str, by: str) -> Credential:
    note_use(credential, "secret", by=by)
    return save_credential(
        provider=credential.provider, account=credential.account, secret=secret, label=credential.label
    )


@transaction.atomic
def change_credential(*, credential: Credential, by: str, **fields: Any) -> Credential:
    """Its name and its limits."""
    before = audit.stored_fields(credential, *fields)
    if before == fields:
        return credential
    Credential.objects.filter(pk=credential.pk).update(**fields)
    note_use(credential, "changed", by=by, before=before, after=fields)
    credential.refresh_from_db()
    return credential


def check_credential(*, credential: Credential, by: str) -> bool:
    """Ask the provider what the account is; what it answered, or why not, stays with the account."""
    facts, problem = credential.facts, ""
    try:
        facts = [[name, value] for name, value in asked(credential).facts()]
    except ProviderError as error:
        problem = str(error)[:500]
    Credential.objects.filter(pk=credential.pk).update(
        facts=facts, problem=problem, checked_at=timezone.now()
    )
    credential.refresh_from_db()
    note_use(credential, "checked", by=by, detail=problem)
    return not problem


@transaction.atomic
def delete_credential(*, credential: Credential, by: str) -> None:
    """With its numbers. Raises ValidationError while one of them is on a call."""
    if Call.objects.filter(phone_number__credential=credential, status__in=Call.LIVE).exists():
        raise ValidationError(_("A call of this account goes on. Wait for its end."))
    numbers = list(credential.numbers.values_list("number", flat=True))
    before = {**audit.fields_of(credential, "provider", "account", "label"), "numbers": numbers}
    note_use(credential, "deleted", by=by, before=before)
    credential.delete()


def stop_ringing(call_id: str) -> str:
    """Of a call of ours that was ended here before anybody answered; for the worker."""
    call = Call.objects.select_related("phone_number__credential").get(pk=call_id)
    if not call.provider_call_id or call.phone_number is None:
        return "not placed"
    credential = call.phone_number.credential
    if credential.provider == Credential.Provider.ZADARMA:
        return "Zadarma ends no call-back"
    with noted(credential, "hung_up", by="", detail=call.callee) as account:
        account.hang_up(call.provider_call_id)
    return "stopped"


def asked(credential: Credential) -> Account:
    """The account, ready to be asked. Raises ProviderError also where its secret cannot be read, and for
    the simulator's, which no provider knows."""
    if credential.is_simulated:
        raise ProviderError(_("The simulator's account is with no provider. Choose another one."))
    try:
        return account_of(credential)
    except UnreadableSecret as error:
        raise ProviderError(str(error)) from None


def asked_often(credential: Credential, what: str, *, by: str = "") -> Account:
    """The same for what goes without saying, each hour or with each call: that is written down once in a day
    for each who asks, or it would bury all else. Without `by` it is ourselves."""
    account = asked(credential)
    named = hashlib.sha256(f"{credential.pk} {what} {by}".encode()).hexdigest()  # whatever signs a name has
    noted_today = caches["noted"]
    if not noted_today.get(named):
        with nullcontext() if by else audit.acting(audit.ITSELF):
            note_use(credential, what, by=by)
        noted_today.set(named, True, timeout=DAY_SECONDS)
    return account
