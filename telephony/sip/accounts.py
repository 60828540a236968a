"""SIP lines as people and the environment give them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from agents.models import Agent
from mlservices import audit

from ..models import Call, Credential, SipLine

ZADARMA_HOSTS = ".zadarma.com"
OF_THE_GATEWAY = ("state", "state_at", "reason", "held_at")
_OURS = ("id", "dialling_until", "dialling_by", *OF_THE_GATEWAY)
_TOLD = [field.name for field in SipLine._meta.fields if field.name not in _OURS]


@transaction.atomic
def save_line(*, label: str, password: str | None = None, **fields: Any) -> SipLine:
    """Make the line of that label, or change what is given of it. Raises ValidationError by field."""
    line = SipLine.objects.filter(label=label).first() or SipLine(label=label)
    for name, value in fields.items():
        setattr(line, name, value)
    if password is not None:
        line.set_password(password)
    line.account = line.account or account_at(line.host)
    line.full_clean(exclude=OF_THE_GATEWAY)
    return keep_line(line)


@transaction.atomic
def keep_line(line: SipLine, *, changed: Sequence[str] | None = None) -> SipLine:
    """Store a line that is right; of one that was stored before `changed` alone, if those are given."""
    before = audit.stored_fields(line, *_TOLD)
    line.save(update_fields=changed if before else None)
    verb = "sip_line.changed" if before else "sip_line.created"
    audit.record(verb, line, before=before, after=audit.fields_of(line, *_TOLD))
    return line


@transaction.atomic
def delete_line(*, line: SipLine) -> None:
    """Raises ValidationError while a call goes on by it."""
    if Call.objects.filter(sip_line=line, status__in=Call.LIVE).exists():
        raise ValidationError(_("A call goes on by this line. Wait for its end."))
    audit.record("sip_line.deleted", line, before=audit.fields_of(line, *_TOLD))
    line.delete()


def account_at(host: str) -> Credential | None:
    """The account that a line of that registrar belongs to, where there is only one that it can be."""
    if not f".{host.lower()}".endswith(ZADARMA_HOSTS):
        return None
    accounts = Credential.objects.filter(provider=Credential.Provider.ZADARMA)[:2]
    return accounts[0] if len(accounts) == 1 else None


def seed_from_environment(agent: Agent) -> SipLine | None:
    """A first line of ZADARMA_SIP_*, which `agent` answers. Where the account has a line already, that stays
    as it is. Raises ValidationError."""
    if not (settings.ZADARMA_SIP_USERNAME and settings.ZADARMA_SIP_PASSWORD):
        return None
    account = {"host": settings.ZADARMA_SIP_DOMAIN, "user": settings.ZADARMA_SIP_USERNAME}
    if line := SipLine.objects.filter(**account).first():
        return line
    return save_line(
        label=f"Zadarma {account['user']}", password=settings.ZADARMA_SIP_PASSWORD, agent=agent, **account
    )
