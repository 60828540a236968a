"""The overview, composed of what each app knows; whether one is signed in."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from agents.conversations import default_model_id
from agents.models import DEFAULT_MODEL, Agent
from telephony.figures import calls_by_day, response_time
from telephony.messages import left_message, newest_messages
from telephony.models import Call

from . import health

LATEST_CALLS = 7
LATEST_MESSAGES = 3
RESPONSE_DAYS = 7
CHART_DAYS = 14
FAILURE_HOURS = 24
# As the ML service names them.
MODEL_STATES = {
    "loaded": gettext_lazy("loaded"),
    "loading": gettext_lazy("loading"),
    "starting": gettext_lazy("starting"),
    "failed": gettext_lazy("failed"),
    "off": gettext_lazy("switched off"),
}


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Today's figures, the latest calls and what needs doing; a welcome until the first call."""
    agent = Agent.objects.filter(status=Agent.Status.ACTIVE).order_by("created_at").first()
    latest = list(Call.objects.select_related("agent").order_by("-created_at")[:LATEST_CALLS])
    if not latest:
        return render(request, "home/welcome.html", {"agent": agent})
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    context = {
        "agent": agent,
        "latest": latest,
        "calls_today": Call.objects.filter(created_at__gte=midnight).count(),
        "response": response_time(timezone.now() - timedelta(days=RESPONSE_DAYS)),
        "days": calls_by_day(CHART_DAYS),
        "messages_left": [left_message(row) for row in newest_messages()[:LATEST_MESSAGES]],
        "todo": _todo(),
    }
    return render(request, "home/home.html", context)


def _todo() -> list[dict[str, Any]]:
    """What an administrator should look at, each with the page where it is done."""
    found = []
    since = timezone.now() - timedelta(hours=FAILURE_HOURS)
    if failed := Call.objects.filter(created_at__gte=since, end_reason="engine_failure").count():
        text = ngettext(
            "%(count)d call ended in the last day because an engine failed",
            "%(count)d calls ended in the last day because an engine failed",
            failed,
        ) % {"count": failed}
        found.append({"icon": "triangle-alert", "text": text, "url": reverse("telephony:history")})
    for agent in Agent.objects.filter(status=Agent.Status.ACTIVE, fallback_number="")[:3]:
        text = _("%(agent)s has no fallback number: callers are lost when an engine fails") % {"agent": agent}
        found.append({"icon": "phone-missed", "text": text, "url": agent.get_absolute_url()})
    no_model = [""] if default_model_id() else ["", DEFAULT_MODEL]
    for agent in Agent.objects.filter(status=Agent.Status.ACTIVE, facts=[], chat_model__in=no_model)[:3]:
        text = _("%(agent)s has neither facts nor a language model") % {"agent": agent}
        found.append({"icon": "book-open", "text": text, "url": agent.get_absolute_url()})
    return found


@require_safe
async def services(request: HttpRequest) -> HttpResponse:
    """The state of every service, asked just now; a fragment, so that no page waits for it."""
    database, live_events, jobs, (ml, models) = await asyncio.gather(
        health.database_state(),
        health.live_events_state(),
        health.jobs_state(),
        health.ml_state(),
    )
    rows = [
        (_("Speech and language models"), ml),
        (_("Live events"), live_events),
        (_("Background jobs"), jobs),
        (_("Database"), database),
    ]
    away = ", ".join(str(name) for name, state in rows if state != health.OK)
    told = _("Not ready: %(services)s") % {"services": away} if away else _("All services are ready")
    context = {"rows": rows, "models": models, "model_states": MODEL_STATES, "told": told}
    return render(request, "home/_services.html", context)


@require_safe
@never_cache
def session(request: HttpRequest) -> JsonResponse:
    """For a form about to be sent: whether its user is still signed in (else the gate answers 401), and the
    newest token for it."""
    return JsonResponse({"token": get_token(request)})
