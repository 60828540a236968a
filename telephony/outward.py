"""What other systems are told of calls, and how a call looks to them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from mlservices import happenings
from mlservices.happenings import Kind, declare, tell

from .addresses import public_url
from .cost import cost_of
from .models import Call, CallEvent, PlannedCall
from .session.events import event_from
from .transcript import Transcript

TRANSCRIPT_READY = "call.transcript_ready"
NO_TRANSCRIPT = "words_forgotten"  # the event of a flow that keeps none

_CALL = {
    "id": "6a0f3c9e-2d1b-4d57-9f0e-8f5a1d2c3b4a",
    "url": "https://voice.example.com/calls/6a0f3c9e-2d1b-4d57-9f0e-8f5a1d2c3b4a/",
    "direction": "inbound",
    "line": "twilio",
    "status": "in-progress",
    "caller": "+14155550112",
    "callee": "+14155550100",
    "number": "+14155550100",
    "agent": {"slug": "front-desk", "name": "Front desk"},
    "flow_version": 4,
    "started_at": "2026-03-02T09:30:00+00:00",
    "answered_at": "2026-03-02T09:30:02+00:00",
    "ended_at": None,
}
_OVER = {**_CALL, "status": "completed", "ended_at": "2026-03-02T09:31:32+00:00"}
_PLANNED = {
    "id": "b7c1d3a2-5e4f-4c0b-8a9d-1f2e3d4c5b6a",
    "to": "+14155550112",
    "number": "+14155550100",
    "line": "",
    "agent": {"slug": "front-desk", "name": "Front desk"},
    "due_at": "2026-03-02T09:30:00+00:00",
    "reason": "",
    "call": None,
    "by": "alice",
}
declare(
    Kind(
        "call.ringing",
        _("A call comes in, or is about to be placed"),
        {"call": _CALL | {"answered_at": None}},
    ),
    Kind("call.answered", _("An agent and a caller are connected"), {"call": _CALL}),
    Kind(
        "call.transferred",
        _("A caller is being put through to another telephone"),
        {"call": _CALL, "to": "+14155550199", "reason": "agent", "by": ""},
    ),
    Kind(
        "call.message_taken",
        _("A caller has left a message; told again with the same ordinal when they correct it"),
        {
            "call": _CALL,
            "message": {
                "ordinal": 1,
                "name": "Ada Byron",
                "number": "+14155550112",
                "number_confirmed": True,
                "words": "Please call me back about my appointment.",
                "complete": True,
                "confirmed": True,
            },
        },
    ),
    Kind(
        "call.ended",
        _("A call is over: how it ended, how long it lasted, what it cost and what the caller told"),
        {
            "call": _OVER,
            "outcome": "completed",
            "end_reason": "agent_hung_up",
            "transfer_to": "",
            "duration_seconds": 90.4,
            "turns": 7,
            "response_ms": 820,
            "cost": {"amount": "0.0170", "currency": "USD", "minutes": 2},
            "variables": {"day": "Monday"},
        },
    ),
    Kind(
        "call.recording_ready",
        _("The sound of a call is kept and can be fetched"),
        {
            "call": _OVER,
            "recording": {"url": f"{_CALL['url']}recording.wav", "duration_seconds": 91.2, "bytes": 2918444},
        },
    ),
    Kind(
        TRANSCRIPT_READY,
        _("Who said what in a call that is over, unless its flow keeps no transcript"),
        {
            "call": _OVER,
            "transcript": [
                {"who": "agent", "at_seconds": 0.4, "text": "Hello, how can I help you?"},
                {"who": "caller", "at_seconds": 3.0, "text": "When are you open on Saturday?"},
            ],
        },
    ),
    Kind(
        "planned_call.placed",
        _("A planned call is placed and rings"),
        {"planned_call": _PLANNED | {"call": _CALL["id"]}},
    ),
    Kind(
        "planned_call.refused",
        _("A planned call is not placed, or nobody knows whether it was"),
        {"planned_call": _PLANNED | {"reason": "The number is on the do-not-call list."}},
    ),
    Kind(
        "planned_call.canceled",
        _("A planned call is canceled before it was placed"),
        {"planned_call": _PLANNED},
    ),
)


def about(call_id: UUID) -> str:
    return f"call:{call_id}"


# ---- calls ------------------------------------------------------------------------------------------


def _just_the_call(call: Call, row: CallEvent) -> dict[str, Any]:
    return {"call": facts_of(call)}


def _transfer(call: Call, row: CallEvent) -> dict[str, Any]:
    told = row.payload
    return {"call": facts_of(call), "to": told["number"], "reason": told["reason"], "by": told["by"]}


def _message(call: Call, row: CallEvent) -> dict[str, Any]:
    return {"call": facts_of(call), "message": row.payload}


def _end(call: Call, row: CallEvent) -> dict[str, Any]:
    cost = cost_of(call)
    notes = CallEvent.objects.filter(call=call, kind="step_noted").order_by("seq")
    return {
        "call": facts_of(call),
        "outcome": call.outcome,
        "end_reason": call.end_reason,
        "transfer_to": call.transfer_to,
        "duration_seconds": call.duration_seconds,
        "turns": call.turns,
        "response_ms": call.response_ms,
        "cost": {
            "amount": None if cost.amount is None else str(cost.amount),
            "currency": cost.currency,
            "minutes": cost.minutes,
        },
        "variables": _told_of(notes).variables,
    }


def _recording(call: Call, row: CallEvent) -> dict[str, Any]:
    told = row.payload
    return {
        "call": facts_of(call),
        "recording": {
            "url": public_url(reverse("telephony:recording", args=[call.pk])),
            "duration_seconds": told["duration_seconds"],
            "bytes": told["bytes"],
        },
    }


# Kind of event: (kind of happening, what makes its data)
_TOLD: dict[str, tuple[str, Callable[[Call, CallEvent], dict[str, Any]]]] = {
    "call_ringing": ("call.ringing", _just_the_call),
    "call_answered": ("call.answered", _just_the_call),
    "transfer_started": ("call.transferred", _transfer),
    "message_taken": ("call.message_taken", _message),
    "call_ended": ("call.ended", _end),
    "recording_saved": ("call.recording_ready", _recording),
}


def tell_of_events(rows: Iterable[CallEvent]) -> None:
    """Once they are stored, in the same transaction; one look at who wants what for all of them."""
    rows = [row for row in rows if row.kind in _TOLD]
    wanted = happenings.wanted() if rows else set()
    for row in rows:
        kind, data_of = _TOLD[row.kind]
        if kind in wanted:
            call = _whole(row.call_id)
            tell(kind, data_of(call, row), about=about(call.pk), sequence=row.seq)


def tell_transcript(call_id: UUID) -> None:
    """Of a call that is over and of which nothing more will be told; to be called once for each."""
    if TRANSCRIPT_READY not in happenings.wanted():
        return
    call = _whole(call_id)
    rows = CallEvent.objects.filter(call=call).order_by("seq")
    if call.answered_at is None or rows.filter(kind=NO_TRANSCRIPT).exists():
        return
    lines = [
        {"who": line.who, "at_seconds": round(line.at_seconds, 3), "text": line.text}
        for line in _told_of(rows).lines
        if line.who != "note" and line.text
    ]
    tell(
        TRANSCRIPT_READY,
        {"call": facts_of(call), "transcript": lines},
        about=about(call.pk),
        sequence=call.last_seq,
    )


def facts_of(call: Call) -> dict[str, Any]:
    """`number` is ours that was called, or called from; "" where it is none of our numbers."""
    return {
        "id": str(call.pk),
        "url": public_url(call.get_absolute_url()),
        "direction": call.direction,
        "line": call.line,
        "status": call.status,
        "caller": call.caller,
        "callee": call.callee,
        "number": call.phone_number.number if call.phone_number else "",
        "agent": {"slug": call.agent.slug, "name": call.agent.name},
        "flow_version": call.flow_version.number if call.flow_version else None,
        "started_at": call.created_at.isoformat(),
        "answered_at": call.answered_at.isoformat() if call.answered_at else None,
        "ended_at": call.ended_at.isoformat() if call.ended_at else None,
    }


def _whole(call_id: UUID) -> Call:
    calls = Call.objects.select_related("agent", "phone_number", "flow_version").defer("card")
    return calls.get(pk=call_id)


def _told_of(rows: Iterable[CallEvent]) -> Transcript:
    return Transcript(event_from(row.kind, row.at_seconds, row.payload) for row in rows)


# ---- calls that we place ----------------------------------------------------------------------------


def tell_of_planned(*planned_ids: UUID, as_: str) -> None:
    """`as_` is "placed", "refused" or "canceled": they have just become it."""
    kind = f"planned_call.{as_}"
    if kind not in happenings.wanted():
        return
    rows = PlannedCall.objects.select_related("agent", "caller_id", "line").filter(pk__in=planned_ids)
    for planned in rows.order_by("at"):
        tell(kind, {"planned_call": _facts_of_planned(planned)}, about=f"planned_call:{planned.pk}")


def _facts_of_planned(planned: PlannedCall) -> dict[str, Any]:
    """Of a call by a SIP line `number` is ""; what was deleted is null, or ""."""
    agent = planned.agent
    return {
        "id": str(planned.pk),
        "to": planned.to,
        "number": planned.caller_id.number if planned.caller_id else "",
        "line": planned.line.label if planned.line else "",
        "agent": {"slug": agent.slug, "name": agent.name} if agent else None,
        "due_at": planned.due_at.isoformat(),
        "reason": planned.reason,
        "call": str(planned.call_id) if planned.call_id else None,
        "by": planned.by,
    }
