"""The overview: what happened in a period, what goes on now, and what waits for somebody."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import cache
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_safe

from agents.conversations import default_model_id
from agents.models import DEFAULT_MODEL, Agent
from mlservices.models import ServiceAlert
from mlservices.pages.figures import grouped
from telephony.capacity import FULL_LAG_SECONDS, FULL_LOOP_SHARE, capacity
from telephony.credentials import UnreadableSecret, secret_of
from telephony.figures import (
    SERIES,
    Calls,
    Part,
    Period,
    ResponseTime,
    calls_of,
    engine_failures,
    response_time,
)
from telephony.filters import HANDLED, OUTCOMES
from telephony.messages import open_messages
from telephony.models import Call, Credential, PhoneNumber
from telephony.wording import ENGINES, REMEDIES

LATEST_CALLS = 7
LATEST_MESSAGES = 3
MOST_OF_A_KIND = 3  # things to do
SHARE_TO_REASON_FROM = 0.1  # of the capacity in use; what a process does without calls is less

PERIOD_NAMES = {
    "today": gettext_lazy("Today"),
    "7-days": gettext_lazy("7 days"),
    "30-days": gettext_lazy("30 days"),
}
SERIES_NAMES = {
    HANDLED: OUTCOMES[HANDLED],
    "person": gettext_lazy("With a person"),
    "failed": gettext_lazy("Failed or broken off"),
    "silent": Call.Outcome.SILENT.label,
    "unanswered": gettext_lazy("Not answered"),
    "live": gettext_lazy("In progress"),
}


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Figures of `period` (today, 7-days, 30-days), each with the calls behind it; a welcome until the first
    call."""
    agent = Agent.objects.filter(status=Agent.Status.ACTIVE).order_by("created_at").first()
    latest = list(Call.objects.select_related("agent").defer("card").order_by("-created_at")[:LATEST_CALLS])
    if not latest:
        return render(request, "home/welcome.html", {"agent": agent})
    period = Period.of(request.GET.get("period", ""))
    calls, response = calls_of(period), response_time(period)
    context = {
        "agent": agent,
        "latest": latest,
        "period": period,
        "periods": PERIOD_NAMES.items(),
        "calls": calls,
        "links": _links(period),
        "response": response,
        "chart": _chart(period, calls),
        "outcomes": _outcomes(period, calls),
        "times": _times(period, response),
        "failures": engine_failures(period),
        "engines": ENGINES,
        "remedies": REMEDIES,
        "capacity": _capacity(),
        "messages_left": open_messages()[:LATEST_MESSAGES],
        "todo": [item for item in _todo() if request.user.has_perm(item.ability)],
    }
    return render(request, "home/home.html", context)


# ---- the calls behind a figure ------------------------------------------------------------------


def history_of(period: Period, **filters: str) -> str:
    """The history filtered to the calls of these days."""
    asked = {**filters, "from": period.since.isoformat(), "to": period.until.isoformat()}
    return f"{_history()}?{urlencode(asked)}"


@cache
def _history() -> str:
    """A page has hundreds of links to it."""
    return reverse("telephony:history")


def _links(period: Period) -> dict[str, str]:
    return {
        "all": history_of(period),
        "slowest": history_of(period, sort="response"),
        HANDLED: history_of(period, outcome=HANDLED),
        **{str(outcome): history_of(period, outcome=outcome) for outcome in Call.Outcome.values},
    }


# ---- charts -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Column:
    """An hour or a day; `height` is its part (0..1) of the chart, `link` leads to its calls."""

    part: Part
    height: float
    link: str
    cells: list[tuple[str, int, str]]  # outcome, calls, link


@dataclass(frozen=True, slots=True)
class Chart:
    columns: list[Column]
    heads: list[str]  # the outcomes that occurred
    series: list[tuple[str, Any]]  # those that occurred, with their names
    top: int


def _chart(period: Period, calls: Calls) -> Chart:
    top = _ceiling(max(part.calls for part in calls.parts))
    occurred = [outcome for outcome in Call.Outcome.values if calls.outcomes[outcome]]
    series = [
        (name, SERIES_NAMES[name])
        for name, group in SERIES.items()
        if any(calls.outcomes[one] for one in group)
    ]
    heads = [str(Call.Outcome(outcome).label) for outcome in occurred]
    return Chart([_column(period, part, top, occurred) for part in calls.parts], heads, series, top)


def _column(period: Period, part: Part, top: int, occurred: Iterable[str]) -> Column:
    """The history knows days, not hours: only days lead there."""
    day = None if period.by_hour else _day(part.begins)
    cells = [
        (outcome, part.outcomes.get(outcome, 0), history_of(day, outcome=outcome) if day else "")
        for outcome in occurred
    ]
    return Column(part, part.calls / top, history_of(day) if day else "", cells)


def _day(begins: datetime) -> Period:
    return Period("", begins.date(), begins.date(), ())


def _ceiling(most: float) -> int:
    """The number at the top of the chart: 1, 2 or 5 with noughts, and at least 4."""
    for exponent in range(10):
        for first in (1, 2, 5):
            if (ceiling := first * 10**exponent) >= max(most, 4):
                return ceiling
    return round(most)


@dataclass(frozen=True, slots=True)
class OutcomeRow:
    outcome: str
    label: str
    calls: int
    share: float  # 0..1 of all calls
    series: str
    link: str


def _outcomes(period: Period, calls: Calls) -> list[OutcomeRow]:
    """The most frequent first."""
    series = {outcome: name for name, group in SERIES.items() for outcome in group}
    return [
        OutcomeRow(
            outcome,
            str(Call.Outcome(outcome).label),
            count,
            count / calls.all,
            series[Call.Outcome(outcome)],
            history_of(period, outcome=outcome),
        )
        for outcome, count in calls.outcomes.most_common()
    ]


@dataclass(frozen=True, slots=True)
class TimesRow:
    begins: datetime
    half: float
    most: float
    link: str


def _times(period: Period, response: ResponseTime) -> dict[str, Any]:
    """The hours or days in which something was measured, and the value at the top of the chart."""
    rows = [
        TimesRow(part, half, most, "" if period.by_hour else history_of(_day(part), sort="response"))
        for part, half, most in zip(period.parts, response.medians, response.p95s, strict=True)
        if half is not None and most is not None
    ]
    return {"rows": rows, "top": max([1000, *(_ceiling(row.most) for row in rows)])}


# ---- now ----------------------------------------------------------------------------------------


def _capacity() -> dict[str, Any]:
    """What is known of how much this server still carries. Each web process knows itself alone."""
    alone = settings.WEB_CONCURRENCY == 1
    carried = Call.objects.filter(held_at__isnull=False, ended_at=None).count()
    enough = alone and capacity.known and capacity.share_in_use >= SHARE_TO_REASON_FROM
    return {
        "live": Call.objects.filter(status__in=Call.LIVE, ended_at=None).count(),
        "known": capacity.known,
        "alone": alone,
        "share": capacity.share_in_use,
        "busy": capacity.loop_share,
        "late_ms": capacity.lag_seconds * 1000,
        "most_busy": FULL_LOOP_SHARE,
        "most_late_ms": FULL_LAG_SECONDS * 1000,
        "full": capacity.full(),
        "about": round(carried / capacity.share_in_use) if enough and carried else None,
    }


# ---- things to do -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ToDo:
    icon: str
    text: str
    url: str
    ability: str  # of who can do it; nobody else is asked to


def _todo() -> Iterator[ToDo]:
    """The most urgent first."""
    kinds: list[Callable[[], Iterator[ToDo]]] = [
        _alerts,
        _failed_calls,
        _failing_credentials,
        _open_messages,
        _unanswered_numbers,
        _agents_that_hang_up_on_failure,
        _agents_that_know_nothing,
    ]
    for kind in kinds:
        yield from kind()


def _alerts() -> Iterator[ToDo]:
    for alert in ServiceAlert.objects.filter(cleared_at=None).order_by("since")[:MOST_OF_A_KIND]:
        text = _("Alert: %(service)s, %(kind)s") % {
            "service": alert.title,
            "kind": alert.get_kind_display().lower(),
        }
        yield ToDo("activity", text, reverse("status"), "voiceforge_site.view_status")


def _failed_calls() -> Iterator[ToDo]:
    since = timezone.localdate() - timedelta(days=1)
    midnight = timezone.make_aware(datetime.combine(since, time.min))
    failed = Call.objects.filter(created_at__gte=midnight, outcome=Call.Outcome.FAILED).count()
    if failed:
        text = ngettext(
            "%(count)s call failed since yesterday", "%(count)s calls failed since yesterday", failed
        )
        asked = urlencode({"outcome": "failed", "from": since.isoformat()})
        url = f"{_history()}?{asked}"
        yield ToDo("triangle-alert", text % {"count": _grouped(failed)}, url, "telephony.view_calls")


def _grouped(count: int) -> str:
    """1234 as the language writes it: 1,234."""
    return number_format(count, force_grouping=True)


def _open_messages() -> Iterator[ToDo]:
    if count := open_messages().count():
        text = ngettext("%(count)d message to see to", "%(count)d messages to see to", count)
        url = reverse("telephony:messages")
        yield ToDo("mail", text % {"count": count}, url, "telephony.handle_messages")


def _failing_credentials() -> Iterator[ToDo]:
    for credential in Credential.objects.real().order_by("label"):
        try:
            secret_of(credential)
        except UnreadableSecret:
            text = _("The secret of %(label)s cannot be read: put its key into CREDENTIALS_KEY and restart")
            told = text % {"label": credential}
            yield ToDo("key-round", told, credential.get_absolute_url(), "telephony.manage_lines")


def _unanswered_numbers() -> Iterator[ToDo]:
    numbers = PhoneNumber.objects.real().order_by("number")
    for number in numbers.filter(agent=None)[:MOST_OF_A_KIND]:
        text = _("Nobody answers %(number)s: give it to an agent") % {"number": grouped(number.number)}
        yield ToDo("phone-off", text, reverse("agents:list"), "telephony.assign_numbers")
    idle = numbers.filter(agent__isnull=False).exclude(agent__status=Agent.Status.ACTIVE)
    for number in idle.select_related("agent")[:MOST_OF_A_KIND]:
        assert number.agent
        text = _("Nobody answers %(number)s: %(agent)s is %(status)s") % {
            "number": grouped(number.number),
            "agent": number.agent,
            "status": number.agent.get_status_display().lower(),
        }
        yield ToDo("circle-pause", text, number.agent.get_absolute_url(), "agents.change_agents")


def _agents_that_hang_up_on_failure() -> Iterator[ToDo]:
    active = Agent.objects.filter(status=Agent.Status.ACTIVE)
    for agent in active.filter(on_failure=Agent.OnFailure.GOODBYE)[:MOST_OF_A_KIND]:
        text = _("%(agent)s hangs up when engines fail; it could transfer the caller") % {"agent": agent}
        yield ToDo("phone-missed", text, agent.get_absolute_url(), "agents.change_agents")


def _agents_that_know_nothing() -> Iterator[ToDo]:
    active = Agent.objects.filter(status=Agent.Status.ACTIVE)
    no_model = [""] if default_model_id() else ["", DEFAULT_MODEL]
    for agent in active.filter(facts=[], chat_model__in=no_model)[:MOST_OF_A_KIND]:
        text = _("%(agent)s has neither facts nor a language model") % {"agent": agent}
        yield ToDo("book-open", text, agent.get_absolute_url(), "agents.change_agents")
