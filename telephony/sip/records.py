"""What the gateway reads of its lines and calls in the database, and writes there."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from agents.models import Agent
from mlservices.secret_box import UnreadableSecret

from .. import actions
from ..admission import issue_token
from ..models import SipLine

LONGEST_CALL_ID = 64  # characters of `Call.provider_call_id`
LONGEST_REASON = 200


@dataclass(frozen=True, slots=True)
class LineFacts:
    """A line as the gateway is to carry it; one that was changed differs in `changed_at`."""

    pk: int
    label: str
    host: str
    port: int
    transport: str
    user: str
    auth_user: str
    password: str
    domain: str
    registers: bool
    max_calls: int
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Announced:
    """A call that the web process may be asked to serve."""

    call_id: UUID
    token: str
    provider_call_id: str


def any_line() -> bool:
    """Whether there is anything for a gateway to do."""
    return SipLine.objects.filter(enabled=True).exists()


def lines() -> list[LineFacts]:
    """Those that are to be carried. One whose password cannot be read is marked as failed and left out."""
    facts = []
    for line in SipLine.objects.filter(enabled=True):
        try:
            password = line.clear_password()
        except UnreadableSecret as error:
            set_state(line.pk, SipLine.State.FAILED, str(error))
            continue
        facts.append(
            LineFacts(
                pk=line.pk,
                label=line.label,
                host=line.host,
                port=line.port,
                transport=line.transport,
                user=line.user,
                auth_user=line.auth_user,
                password=password,
                domain=line.address_domain,
                registers=line.registers,
                max_calls=line.max_calls,
                changed_at=line.changed_at,
            )
        )
    return facts


def set_state(line_id: int, state: str, reason: str = "") -> None:
    """`state_at` tells since when; the same state again only renews the reason."""
    now = timezone.now()
    line = SipLine.objects.filter(pk=line_id)
    line.filter(~Q(state=state) | Q(state_at=None)).update(state=state, state_at=now)
    line.update(reason=reason[:LONGEST_REASON], held_at=now)


def hold(line_ids: list[int]) -> None:
    """The gateway is alive and carries these."""
    SipLine.objects.filter(pk__in=line_ids).update(held_at=timezone.now())


def announce(line_id: int, *, sip_call_id: str, caller: str, callee: str) -> Announced | None:
    """A call that comes in by this line; None where nobody takes it."""
    line = SipLine.objects.select_related("agent").filter(pk=line_id, enabled=True).first()
    if line is None or line.agent is None or line.agent.status != Agent.Status.ACTIVE:
        return None
    provider_call_id = short(sip_call_id)
    try:
        call = actions.answer_call(
            line="sip",
            agent=line.agent,
            sip_line=line,
            provider_call_id=provider_call_id,
            caller=caller,
            callee=callee,
        )
    except actions.WrongNumber:
        return None
    if call.ended_at:
        return None
    return Announced(call.pk, issue_token(call), provider_call_id)


def never_answered(call_id: UUID) -> None:
    """The caller gave up first, or nobody could take the call."""
    actions.end_call(call_id, reason="never_connected")


def short(sip_call_id: str) -> str:
    """A Call-ID as it is stored: itself, or where it is too long its sha256."""
    if len(sip_call_id) <= LONGEST_CALL_ID:
        return sip_call_id
    return hashlib.sha256(sip_call_id.encode()).hexdigest()
