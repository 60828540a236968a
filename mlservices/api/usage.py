"""`/api/usage`: what was asked for in a period, from the sums of its days, or what a call asked for."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.db.models.functions import TruncDate
from django.http import HttpRequest, HttpResponseBase, JsonResponse

from ..days import NO_DAY, day_of
from ..models.usage import UNITS, Service, UsageDay, UsageRow
from ..usage.figures import OF_DAYS, OF_ROWS, SUMS
from .answers import key_of, refusal, taking

GROUPS = ("day", "service", "engine", "key")
DAYS = 30  # unless told
LONGEST_DAYS = 366


@taking("from", "to", "group", "call")
def usage(request: HttpRequest) -> HttpResponseBase:
    """?from=&to= (days of UTC, both included), ?group=, ?call= (while its rows are kept). Sums are of one
    service each, since their units differ. Who may not see everybody's sees those of the key that asks, or of
    the keys they have."""
    first, last, group, wrong = _asked(request)
    call = _call(request, wrong)
    if wrong:
        return refusal(400, "The request is not valid.", fields=wrong)
    rows = _rows(call).filter(day__gte=first, day__lte=last)
    if not request.user.has_perm("mlservices.view_usage"):
        rows = rows.filter(key__in=_own_keys(request))
    answer = JsonResponse(
        {
            "from": first,
            "to": last,
            "group": group,
            **({"call": call} if call else {}),
            "currency": settings.CURRENCY,
            "rows": _sums(rows, [group, "service"] if group != "service" else [group]),
            "totals": _sums(rows, ["service"]),
        }
    )
    answer["Cache-Control"] = "no-store"
    return answer


def _rows(call: UUID | None) -> QuerySet[Any]:
    if call is None:
        return UsageDay.objects.all()
    return UsageRow.objects.filter(call=call).annotate(day=TruncDate("at", tzinfo=UTC))


def _call(request: HttpRequest, wrong: dict[str, str]) -> UUID | None:
    try:
        return UUID(request.GET["call"]) if request.GET.get("call") else None
    except ValueError:
        wrong["call"] = "not the id of a call"
        return None


def _own_keys(request: HttpRequest) -> list[str]:
    if key := key_of(request):
        return [key]
    person: Any = request.user  # somebody, or the door would have refused
    return list(person.api_keys.values_list("prefix", flat=True))


def _asked(request: HttpRequest) -> tuple[date, date, str, dict[str, str]]:
    """(first day, last day, group, what is wrong by field)"""
    wrong = {}
    today = datetime.now(UTC).date()
    given = {}
    for name in ("from", "to"):
        if text := request.GET.get(name, ""):
            if day := day_of(text):
                given[name] = day
            else:
                wrong[name] = str(NO_DAY)
    last = given.get("to", today)
    first = given["from"] if "from" in given else last - timedelta(days=DAYS - 1)
    group = request.GET.get("group", "day")
    if group not in GROUPS:
        wrong["group"] = f"use one of {', '.join(GROUPS)}"
    if first > last:
        wrong.setdefault("from", "later than `to`")
    elif last - first > timedelta(days=LONGEST_DAYS - 1):
        wrong.setdefault("from", f"more than {LONGEST_DAYS} days before `to`")
    return first, last, group, wrong


def _sums(rows: QuerySet[Any], by: list[str]) -> list[dict[str, Any]]:
    sums = OF_DAYS if rows.model is UsageDay else OF_ROWS
    return [_row(each, by) for each in rows.values(*by).order_by(*by).annotate(**sums)]


def _row(found: dict[str, Any], by: list[str]) -> dict[str, Any]:
    row = {name: found[name] for name in (*by, *SUMS)}
    latency, requests = row.pop("latency_ms"), row["requests"]
    mean = round(latency / requests) if requests else 0
    return {**row, "unit": UNITS[Service(found["service"])], "mean_first_piece_ms": mean}
