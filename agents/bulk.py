"""One status for several agents at once, and the way back."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from mlservices.pages.lists import way_back
from mlservices.pages.toasts import undoable

from .actions import set_statuses
from .models import Agent

MOST = 500


@require_POST
def bulk(request: HttpRequest) -> HttpResponse:
    """Give the agents named by `agent` the status `do`; `undo` holds `slug:status` for each instead.

    Back to `next`, with a toast that can undo it.
    """
    undo = request.POST.getlist("undo")
    status = request.POST.get("do", "")
    chosen = [f"{slug}:{status}" for slug in request.POST.getlist("agent")]
    pairs = [entry.split(":", 1) for entry in undo or chosen]
    if len(pairs) > MOST or not all(len(pair) == 2 and pair[1] in Agent.Status.values for pair in pairs):
        return HttpResponseBadRequest("do is a status, agent an address; undo is address:status.")
    before = set_statuses(statuses=dict(pairs), by=request.user.get_username())
    back = way_back(request, otherwise=reverse("agents:list"))
    if not before:
        messages.success(request, _("Nothing changed"))
    elif undo:
        messages.success(request, _("Undone"))
    else:
        entries = [f"{slug}:{was}" for slug, was in before.items()]
        undoable(request, _told(before, status), url=reverse("agents:bulk"), undo=entries, next=back)
    return redirect(back)


def _told(before: dict[str, str], status: str) -> str:
    count = len(before)
    if count == 1:
        one = {
            Agent.Status.ACTIVE: _("%(name)s is active"),
            Agent.Status.PAUSED: _("%(name)s is paused"),
            Agent.Status.ARCHIVED: _("%(name)s is archived"),
        }
        return one[Agent.Status(status)] % {"name": Agent.objects.get(slug=next(iter(before)))}
    several = {
        Agent.Status.ACTIVE: ngettext("%(count)d agent is active", "%(count)d agents are active", count),
        Agent.Status.PAUSED: ngettext("%(count)d agent is paused", "%(count)d agents are paused", count),
        Agent.Status.ARCHIVED: ngettext(
            "%(count)d agent is archived", "%(count)d agents are archived", count
        ),
    }
    return several[Agent.Status(status)] % {"count": count}
