"""Pages of what a webhook was sent: a list, each message with its answer, tests and replays."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import orjson
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from mlservices.happenings import KINDS

from . import actions
from .figures import counts_of, figures_of
from .forms import SecretForm
from .models import KEPT, Delivery, Webhook
from .views import pretty

PAGE_SIZE = 50
State = Delivery.State


@require_safe
@vary_on_headers("HX-Request")
def webhook(request: HttpRequest, pk: int) -> HttpResponse:
    """Its messages, newest first; `state` is "waiting", "delivered" or "dead", `kind` a kind."""
    found = get_object_or_404(Webhook, pk=pk)
    deliveries = found.deliveries.defer("body", "answer", "headers")
    state, kind = request.GET.get("state", ""), request.GET.get("kind", "")
    if state in (State.DELIVERED, State.DEAD, State.WAITING):
        deliveries = deliveries.filter(state__in=Delivery.UNDER_WAY if state == State.WAITING else [state])
    if kind in KINDS:
        deliveries = deliveries.filter(kind=kind)
    counts = counts_of(found)
    context = {
        "webhook": found,
        "page": Paginator(deliveries, PAGE_SIZE).get_page(request.GET.get("page")),
        "counts": _segments(counts),
        "filtered": bool(state or kind),
        "total": sum(counts.values()),
        "kept_days": KEPT.days,
    }
    if request.htmx and not request.htmx.history_restore_request:  # type: ignore[attr-defined]
        return render(request, "webhooks/_messages.html", context)
    more = {
        "figures": figures_of([found])[pk],
        "kinds": [(name, KINDS[name].what if name in KINDS else "") for name in found.kinds],
        "secret_form": SecretForm(),
    }
    return render(request, "webhooks/webhook.html", {**context, **more})


def _segments(counts: dict[str, int]) -> list[tuple[str, str, int]]:
    """(state, its label, how many messages are in it)"""
    return [
        ("", _("All"), sum(counts.values())),
        *(
            (str(state), str(state.label), counts[state])
            for state in (State.WAITING, State.DELIVERED, State.DEAD)
        ),
    ]


@require_safe
def message(request: HttpRequest, pk: int, uid: UUID) -> HttpResponse:
    delivery = _delivery(pk, uid)
    return render(request, "webhooks/message.html", {"delivery": delivery, **_exchange(delivery)})


@require_POST
def test(request: HttpRequest, pk: int) -> HttpResponse:
    """Sends it at once, and shows what was sent and answered."""
    found = get_object_or_404(Webhook, pk=pk)
    try:
        delivery = actions.send_test(webhook=found, by=request.user.get_username())
    except ValidationError as error:
        return render(request, "webhooks/_tested.html", {"problem": " ".join(error.messages)})
    answer = render(request, "webhooks/_tested.html", {"delivery": delivery, **_exchange(delivery)})
    answer["HX-Trigger"] = "tested"  # the list of messages shows it too
    return answer


@require_POST
def replay(request: HttpRequest, pk: int, uid: UUID) -> HttpResponse:
    delivery = _delivery(pk, uid)
    try:
        actions.replay(delivery=delivery, by=request.user.get_username())
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _("It is sent again, with the same id"))
    return redirect(delivery)


@require_POST
def replay_dead(request: HttpRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(Webhook, pk=pk)
    try:
        count = actions.replay_dead(webhook=found, by=request.user.get_username())
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        text = ngettext("%(count)d message is sent again", "%(count)d messages are sent again", count)
        messages.success(request, text % {"count": count})
    return redirect(found)


def _delivery(pk: int, uid: UUID) -> Delivery:
    return get_object_or_404(Delivery.objects.select_related("webhook"), webhook=pk, uid=uid)


def _exchange(delivery: Delivery) -> dict[str, Any]:
    """For the panel that shows what went over the wire."""
    seconds = delivery.seconds
    headers = [f"{name}: {value}" for name, value in delivery.headers.items()]
    body = pretty(orjson.loads(delivery.body))
    return {
        "sent": "\n".join([f"POST {delivery.webhook.url}", *headers, "", body]),
        "answered": f"{delivery.status}\n\n{delivery.answer}".strip(),
        "milliseconds": None if seconds is None else round(seconds * 1000),
    }
