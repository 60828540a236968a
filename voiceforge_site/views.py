"""Parts of pages that all apps share: the state of the services, and whether one is signed in."""

from __future__ import annotations

import asyncio

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from mlservices.catalog import MODELS, Kind

from . import health
from .access.gate import may

# As the ML service names them.
MODEL_STATES = {
    "loaded": gettext_lazy("loaded"),
    "loading": gettext_lazy("loading"),
    "starting": gettext_lazy("starting"),
    "failed": gettext_lazy("failed"),
    "off": gettext_lazy("switched off"),
}
# What each kind of model does in a call.
MODEL_USES = {
    Kind.STT: gettext_lazy("Turns speech into words"),
    Kind.TTS: gettext_lazy("Gives agents their voice"),
    Kind.LLM: gettext_lazy("Words answers"),
    Kind.MEANING: gettext_lazy("Finds what a caller means"),
    Kind.TURN: gettext_lazy("Hears when a caller is done"),
    Kind.VAD: gettext_lazy("Hears that somebody speaks"),
}


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
    uses = {model.id: MODEL_USES[model.kind] for model in MODELS}
    shown = [
        (uses.get(model, model), model, state == "loaded", MODEL_STATES.get(state, state))
        for model, state in models.items()
    ]
    context = {"rows": rows, "models": shown, "told": told}
    return render(request, "home/_services.html", context)


@require_safe
@never_cache
def session(request: HttpRequest) -> JsonResponse:
    """For a page that holds what somebody typed: whether they are still signed in (else the gate answers
    401), whether they may do `method` at `path` (else 403), and the newest token for its forms."""
    wanted = request.GET.get("path", "")
    allowed = not wanted or may(request.user, request.GET.get("method", "GET").upper(), wanted)
    return JsonResponse({"token": get_token(request)}, status=200 if allowed else 403)
