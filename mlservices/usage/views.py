"""The page of usage, and the verbs of its table of prices."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from ..models.usage import Price, Service
from . import actions, figures
from .forms import PriceForm


@require_safe
def usage(request: HttpRequest) -> HttpResponse:
    return render(request, "usage/usage.html", context(request, PriceForm()))


@require_POST
def add_price(request: HttpRequest) -> HttpResponse:
    form = PriceForm(request.POST)
    if not form.is_valid():
        return render(request, "usage/usage.html", context(request, form), status=422)
    price = actions.add_price(price=form.save(commit=False))
    messages.success(request, _("From %(day)s on %(engine)s has this price.") % _words(price))
    return redirect("usage:usage")


@require_POST
def delete_price(request: HttpRequest, pk: int) -> HttpResponse:
    price = get_object_or_404(Price, pk=pk)
    actions.delete_price(price=price)
    told = _("The price of %(engine)s from %(day)s is gone. What was used so far keeps its cost.")
    messages.success(request, told % _words(price))
    return redirect("usage:usage")


def _words(price: Price) -> dict[str, Any]:
    return {"engine": price.engine, "day": price.since.isoformat()}


def context(request: HttpRequest, form: PriceForm) -> dict[str, Any]:
    period = figures.Period.of(request.GET.get("period", ""), datetime.now(UTC).date())
    rows = figures.rows_of(period)
    parts = figures.by_engine(rows)
    columns = figures.columns(rows, period)
    return {
        "period": period,
        "periods": [("7-days", _("7 days")), ("30-days", _("30 days")), ("90-days", _("90 days"))],
        "totals": figures.totals(rows),
        "parts": parts,
        "keys": figures.by_key(rows),
        "columns": columns,
        "highest": max(column.requests for column in columns),
        "series": [(value, label) for value, label in Service.choices if value in _shown(columns)],
        "prices": Price.objects.order_by("engine", "-since"),
        "engines": figures.known_engines(parts),
        "form": form,
        "currency": settings.CURRENCY,
    }


def _shown(columns: list[figures.Column]) -> set[str]:
    return {service for column in columns for service in column.series}
