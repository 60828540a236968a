"""SIP lines as people and the environment give them."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import transaction

from agents.models import Agent

from ..models import SipLine

OF_THE_GATEWAY = ("state", "state_at", "reason", "held_at")


@transaction.atomic
def save_line(*, label: str, password: str | None = None, **fields: Any) -> SipLine:
    """Make the line of that label, or change what is given of it. Raises ValidationError by field."""
    line = SipLine.objects.filter(label=label).first() or SipLine(label=label)
    for name, value in fields.items():
        setattr(line, name, value)
    if password is not None:
        line.set_password(password)
    line.full_clean(exclude=OF_THE_GATEWAY)
    line.save()
    return line


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
