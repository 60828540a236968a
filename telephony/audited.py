"""Calls as the audit trail names them. It is never emptied: no number and no word of a caller gets in."""

from __future__ import annotations

import hashlib
from datetime import UTC
from uuid import UUID

from django.core.cache import cache

from mlservices.audit import Thing, record

from .models import Call

FETCHED_ONCE_SECONDS = 600  # in which who goes on fetching, piece after piece, is told of once


def call_named(call: Call) -> Thing:
    started = call.created_at.astimezone(UTC)
    return Thing("telephony.call", str(call.pk), f"{call.direction} {started:%Y-%m-%d %H:%M} UTC")


def record_of_call(verb: str, call_id: UUID, *, by: str = "", detail: str = "") -> None:
    """`mlservices.audit.record` for a call that is there."""
    call = Call.objects.only("direction", "created_at").get(pk=call_id)
    record(verb, call_named(call), by=by, detail=detail)


def record_fetched(verb: str, call_id: UUID, *, asker: str) -> None:
    """`record_of_call`, once for `asker` (`asker_of`) in FETCHED_ONCE_SECONDS."""
    named = hashlib.sha256(f"{verb} {call_id} {asker}".encode()).hexdigest()  # whatever signs a name has
    if cache.add(f"fetched:{named}", True, timeout=FETCHED_ONCE_SECONDS):
        record_of_call(verb, call_id)
