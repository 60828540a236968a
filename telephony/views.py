"""The pages of calls that go on: talk to an agent, the live board, a call."""

from __future__ import annotations

from statistics import median
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from agents.models import Agent

from . import wording
from .actions import hang_up
from .afterwards import before_its_first_event
from .cards import Card
from .figures import usage_of
from .models import Call, CallEvent, Recording
from .ranges import ranged
from .session.events import event_from
from .transcript import Transcript

KEYS = "123456789*0#"


@require_safe
def talk(request: HttpRequest, slug: str) -> HttpResponse:
    """The page from which a person speaks to an agent through the browser."""
    agent = get_object_or_404(Agent, slug=slug)
    return render(request, "calls/talk.html", {"agent": agent, "keys": KEYS, **_words()})


@require_safe
def live_board(request: HttpRequest) -> HttpResponse:
    live = Call.objects.filter(status__in=Call.LIVE).select_related("agent")
    cards = sorted((card_of(call) for call in live), key=lambda card: (not card.alert, card.started))
    context = {
        "cards": cards,
        "blank": Card(
            id="", url="", agent="", agent_slug="", caller="", direction="web", line="", status="", started=0
        ),
        "attention": sum(1 for card in cards if card.alert),
        "median_ms": _median(ms for card in cards for ms in card.latencies),
        "agent": Agent.objects.filter(status=Agent.Status.ACTIVE).order_by("created_at").first(),
        **_words(),
    }
    return render(request, "calls/live.html", context)


@require_safe
def live_count(request: HttpRequest) -> JsonResponse:
    """For the menu, which every page keeps right."""
    return JsonResponse({"live": Call.objects.filter(status__in=Call.LIVE).count()})


@require_safe
def call_page(request: HttpRequest, call_id: UUID) -> HttpResponse:
    """A call as it goes on, or afterwards with its recording; `?part=recording` is that alone,
    `?replay` the page of before its first event, to which it is played again."""
    call = get_object_or_404(Call.objects.select_related("agent", "phone_number"), pk=call_id)
    if "replay" in request.GET and not call.is_live:
        return render(
            request, "calls/replay.html", {**before_its_first_event(call), "call": call, **_words()}
        )
    recording = Recording.objects.filter(call=call).first()
    if request.GET.get("part") == "recording":
        return render(request, "calls/_recording.html", {"call": call, "recording": recording})
    rows = list(CallEvent.objects.filter(call=call).order_by("seq"))
    transcript = Transcript(event_from(row.kind, row.at_seconds, row.payload) for row in rows)
    context = {
        "call": call,
        "card": card_of(call),
        "recording": recording,
        "rows": rows,
        "last_seq": rows[-1].seq if rows else 0,
        "transcript": transcript,
        "scale_ms": _scale(transcript),
        "stages": wording.STAGES,
        "stands_under": reverse("telephony:live" if call.is_live else "telephony:history"),
        **_words(),
    }
    return render(request, "calls/call.html", context)


@require_safe
def usage(request: HttpRequest) -> HttpResponse:
    """Calls and response time of the agents named by `agent`, as cells for the agents' list."""
    return render(request, "calls/_usage.html", {"usages": usage_of(request.GET.getlist("agent"))})


@require_safe
def recording(request: HttpRequest, call_id: UUID) -> HttpResponseBase:
    """The sound of a call. Answers ranges, so that a player may seek; `?download` saves it."""
    row = get_object_or_404(Recording, call_id=call_id)
    response = ranged(request, row.file.open("rb"), size=row.file.size, content_type="audio/wav")
    if "download" in request.GET:
        response["Content-Disposition"] = f'attachment; filename="call-{call_id}.wav"'
    return response


@require_POST
def hang_up_call(request: HttpRequest, call_id: UUID) -> HttpResponse:
    """Ends a call; 204 for the page that watches it, else back to its page."""
    call = get_object_or_404(Call, pk=call_id)
    hang_up(call.pk)
    if request.headers.get("X-Requested-With") == "fetch":
        return HttpResponse(status=204)
    return redirect(call)


def card_of(call: Call) -> Card:
    """The call's card, or one made of its row where no event has been folded yet."""
    return Card.from_json(call.card) if call.card else call.blank_card()


def _words() -> dict[str, Any]:
    return {"labels": wording.labels(), "notes": wording.NOTES}


def _scale(transcript: Transcript) -> int:
    """How many milliseconds the whole width of the bars is: the slowest turn, at least 1 s."""
    slowest = max((turn.voice_to_voice_seconds for turn in transcript.turns), default=0.0)
    return max(1000, round(slowest * 1000))


def _median(values: Any) -> float | None:
    found = list(values)
    return median(found) if found else None
