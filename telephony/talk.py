"""A call from the browser begins."""

from __future__ import annotations

import logging

from django.http import HttpRequest, JsonResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from agents.flows.actions import keep_for_trial
from agents.flows.rehearsal import Unplayable
from agents.flows.texts import sentence
from agents.models import Agent, Flow

from . import actions
from .admission import issue_token
from .capacity import capacity

logger = logging.getLogger(__name__)

BROWSER_SOCKET = "/ws/media/browser/"


@require_POST
def talk_start(request: HttpRequest, slug: str) -> JsonResponse:
    """What the page needs to open the line. `draft` names a flow whose draft is followed in this call."""
    agent = get_object_or_404(Agent, slug=slug)
    if agent.status == Agent.Status.ARCHIVED:
        return JsonResponse({"error": _("This agent is archived.")}, status=409)
    if agent.status != Agent.Status.ACTIVE:
        return JsonResponse({"error": _("This agent is paused.")}, status=409)
    if capacity.full():
        logger.warning("A browser call was turned away: %s.", capacity.describe())
        return JsonResponse({"error": _("All lines are busy. Try again in a minute.")}, status=503)
    who = request.user.get_username()
    version = None
    if draft := request.GET.get("draft"):
        try:
            version = keep_for_trial(flow=get_object_or_404(Flow, slug=draft), by=who)
        except Unplayable as error:
            return JsonResponse({"error": sentence(error.problems[0])}, status=409)
    call = actions.start_browser_call(agent=agent, caller=who, version=version)
    return JsonResponse(
        {
            "call": str(call.pk),
            "token": issue_token(call),
            "socket": BROWSER_SOCKET,
            "page": call.get_absolute_url(),
        }
    )
