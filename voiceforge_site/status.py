"""Service status: what each service said when it was asked last, its week, and a way to ask now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe
from django.views.decorators.vary import vary_on_headers

from mlservices import audit, checks
from mlservices.checks import GROUPS, Service, Status, keeping
from mlservices.checks.probing import Report, ask
from mlservices.models import ServiceAlert

from .status_cards import STATES, UNKNOWN, Card, cards_of, incidents_of

CLEARED_SHOWN = timedelta(days=1)
Kind = ServiceAlert.Kind

ALERT_REMEDIES = {
    Kind.DOWN: gettext_lazy("What to do stands beside the service below."),
    Kind.ERRORS: gettext_lazy("The log's lines “ml” say which requests failed and why."),
    Kind.INFERENCE: gettext_lazy("Give the pool more workers, choose a smaller model, or use a GPU."),
    Kind.MEMORY: gettext_lazy("Choose smaller models or fewer workers, or give the machine more memory."),
}


# ---- pages --------------------------------------------------------------------------------------


@require_safe
@vary_on_headers("HX-Request")
def status(request: HttpRequest) -> HttpResponse:
    """All services; for htmx the part of the page that changes."""
    cards = cards_of(checks.services())
    by_key = {card.service.key: card for card in cards}
    opened = list(ServiceAlert.objects.filter(cleared_at=None).order_by("since"))
    cleared = ServiceAlert.objects.filter(cleared_at__gt=timezone.now() - CLEARED_SHOWN).order_by(
        "-cleared_at"
    )
    context = {
        "groups": [
            (name, found)
            for key, name in GROUPS.items()
            if (found := [c for c in cards if c.service.group == key])
        ],
        "summary": Summary(cards),
        "alerts": [AlertRow(alert, by_key.get(alert.service)) for alert in opened],
        "cleared": [AlertRow(alert, by_key.get(alert.service)) for alert in cleared],
        "webhook": bool(settings.ALERT_WEBHOOK_URL),
    }
    part = request.htmx and not request.htmx.history_restore_request  # type: ignore[attr-defined]
    return render(request, "status/_status.html" if part else "status/status.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
async def service(request: HttpRequest, key: str) -> HttpResponse:
    """One service; a POST asks it now, and answers with its row for htmx."""
    return await (_check(request, key) if request.method == "POST" else _page(request, key))


async def _check(request: HttpRequest, key: str) -> HttpResponse:
    asked = await _found(key)
    await check_now(asked)
    if request.htmx:  # type: ignore[attr-defined]
        return await sync_to_async(_row)(request, asked)
    return redirect("service_status", key)


async def check_now(service: Service) -> None:
    """Asks all its probes, those too that are asked on demand alone, and keeps what they found."""
    await sync_to_async(keep_answer)(await ask(service, on_demand=True))


@transaction.atomic
def keep_answer(report: Report) -> None:
    """Of a service that somebody wanted to be asked."""
    keeping.store(report)
    asked = report.service
    audit.record("service.checked", audit.Thing("mlservices.service", asked.key, str(asked.title)))


def _row(request: HttpRequest, asked: Service) -> HttpResponse:
    [card] = cards_of([asked])
    return render(request, "status/_row.html", {"card": card})


@sync_to_async
def _page(request: HttpRequest, key: str) -> HttpResponse:
    [card] = cards_of([service_named(key)])
    part = request.htmx and not request.htmx.history_restore_request  # type: ignore[attr-defined]
    return render(request, "status/_single.html" if part else "status/service.html", _single(card))


def _single(card: Card) -> dict[str, Any]:
    return {
        "card": card,
        "incidents": incidents_of(card.service),
        "days": card.history.days(),
        "keep_warm": settings.HF_ML_KEEP_WARM,
    }


_found = sync_to_async(lambda key: service_named(key))


def service_named(key: str) -> Service:
    for each in checks.services():
        if each.key == key:
            return each
    raise Http404


# ---- all of them together -----------------------------------------------------------------------


class Summary:
    """What can be said of all services at once; only fresh answers count as working."""

    def __init__(self, cards: Sequence[Card]) -> None:
        self.all = len(cards)
        self.counts = {status: sum(card.status == status for card in cards) for status in STATES}
        self.failing = [card.service for card in cards if card.status == Status.FAIL]
        self.newest = max((card.kept.checked_at for card in cards if card.kept), default=None)
        answered = [card for card in cards if card.kept and card.status in (Status.PASS, Status.WARN)]
        self.slowest = max(answered, key=lambda card: card.kept.latency_ms if card.kept else 0, default=None)
        shares = [card.history for card in cards if card.history.checks]
        asked = sum(history.checks for history in shares)
        failed = sum(hour.failed for history in shares for hour in history.hours)
        self.checks, self.share = asked, 1 - failed / asked if asked else None

    @property
    def works(self) -> int:
        return self.counts[Status.PASS]

    @property
    def status(self) -> str:
        for each in (Status.FAIL, UNKNOWN, Status.WARN):
            if self.counts[each]:
                return each
        return Status.PASS


@dataclass(frozen=True, slots=True)
class AlertRow:
    """`card` is the service's; None for one that is gone."""

    alert: ServiceAlert
    card: Card | None

    @property
    def title(self) -> Any:
        return self.card.service.title if self.card else None

    @property
    def may_be_over(self) -> bool:
        """What is not asked any more raises and clears nothing."""
        return self.card is None or self.card.status == UNKNOWN

    @property
    def remedy(self) -> Any:
        return ALERT_REMEDIES[Kind(self.alert.kind)]

    @property
    def told_at(self) -> datetime | None:
        return self.alert.cleared_told_at if self.alert.cleared_at else self.alert.raised_told_at
