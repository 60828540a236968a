"""How many calls go where in a flow, and where they end: counted as each call ends, summed by the hour."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Sum

from agents.models import FlowVersion

from .figures import Period
from .flow_traffic import FlowTraffic
from .models import Call, CallEvent

HANDED_OVER = "agent"  # the note of a flow that gives the call to another agent
# How calls end at a step, beside telephony.session.events.EndReason.
TO_AGENT, LOST = "to_agent", "lost"
Place = tuple[str, str]  # flow and part


@dataclass(frozen=True, slots=True)
class Went:
    """The steps and connections that a call came to, and the step that it ended at, if it came to any."""

    places: frozenset[Place]
    last: Place | None
    end: str


def went(notes: Iterable[Mapping[str, Any]], reason: str) -> Went:
    """Of the payloads of a call's `step_noted`, up to where another agent takes it over."""
    places: set[Place] = set()
    last: Place | None = None
    edge, end = "", reason
    for note in notes:
        if note["note"] == HANDED_OVER:
            end = TO_AGENT
            break
        part = note["data"].get("id", "")
        if note["note"] == "edge":
            edge = part
        elif note["note"] == "node" and not part:
            end = LOST
        elif note["note"] == "node":
            flow = note["data"].get("flow", "")
            last, end = (flow, part), reason
            places |= {last, (flow, edge)} if edge else {last}
            edge = ""
    return Went(frozenset(places), last, end)


def count(call_id: UUID) -> None:
    """Add a call that is over, all of whose events are stored, to the sums. To be called once for each."""
    call = Call.objects.filter(pk=call_id, flow_version__number__isnull=False).only(
        "flow_version_id", "created_at", "end_reason"
    )
    for row in call:
        notes = CallEvent.objects.filter(call=row, kind="step_noted").order_by("seq")
        found = went(notes.values_list("payload", flat=True), row.end_reason)
        hour = row.created_at.replace(minute=0, second=0, microsecond=0)
        rows = [(place, "") for place in found.places]
        if found.last:
            rows.append((found.last, found.end))
        # In one order everywhere: two calls that end at once must not wait for each other.
        _add([(row.flow_version_id, hour, *place, end, 1) for place, end in sorted(rows)])


def _add(sums: Sequence[tuple[Any, ...]]) -> None:
    """(version, hour, flow, part, end, calls) each onto what is there: `bulk_create` can only replace."""
    quote = connection.ops.quote_name
    hour = FlowTraffic._meta.get_field("hour")
    prepared = [(version, hour.get_db_prep_save(at, connection), *rest) for version, at, *rest in sums]
    table = quote(FlowTraffic._meta.db_table)
    with connection.cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO {table} (version_id, hour, flow, part, {quote('end')}, calls)"
            f" VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (version_id, hour, flow, part, {quote('end')})"
            f" DO UPDATE SET calls = {table}.calls + excluded.calls",
            prepared,
        )


# ---- figures ------------------------------------------------------------------------------------


@dataclass(slots=True)
class Part:
    """`calls` that came to a step or took a connection; `ends` how many of them ended there, and how."""

    calls: int = 0
    ends: dict[str, int] = field(default_factory=dict)

    @property
    def ended(self) -> int:
        return sum(self.ends.values())


def traffic_of(versions: Iterable[FlowVersion], *, flow: str, period: Period) -> dict[str, Part]:
    """The calls that began in the period and are over, by the ids of steps and connections; `flow` is a
    sub-flow's address or "". One query over an index, of sums: it takes no longer with more calls."""
    rows = (
        FlowTraffic.objects.filter(
            version__in=versions, flow=flow, hour__gte=period.edges[0], hour__lt=period.edges[-1]
        )
        .values_list("part", "end")
        .annotate(sum=Sum("calls"))
    )
    found: dict[str, Part] = {}
    for part, end, calls in rows:
        each = found.setdefault(part, Part())
        if end:
            each.ends[end] = calls
        else:
            each.calls = calls
    return found
