"""Calls as the audit trail names them. It is never emptied: no number and no word of a caller gets in."""

from __future__ import annotations

from datetime import UTC
from uuid import UUID

from mlservices.audit import Thing, record

from .models import Call


def call_named(call: Call) -> Thing:
    started = call.created_at.astimezone(UTC)
    return Thing("telephony.call", str(call.pk), f"{call.direction} {started:%Y-%m-%d %H:%M} UTC")


def record_of_call(verb: str, call_id: UUID, *, by: str = "", detail: str = "") -> None:
    """`mlservices.audit.record` for a call that is there."""
    call = Call.objects.only("direction", "created_at").get(pk=call_id)
    record(verb, call_named(call), by=by, detail=detail)
