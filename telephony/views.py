"""The pages of calls: talk to an agent, a call as it goes on and afterwards."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from agents.models import Agent, Flow
from mlservices.api.answers import asker_of

from . import file_names, operators, wording
from .afterwards import before_its_first_event
from .audited import record_fetched, record_of_call
from .cards import Card
from .figures import usage_of
from .models import Call, CallEvent, Recording
from .ranges import ranged
from .recordings.shown import chosen_of, sounds_of
from .session.events import event_from
from .transcript import Transcript

KEYS = "123456789*0#"


@require_safe
def talk(request: HttpRequest, slug: str) -> HttpResponse:
    """The page from which a person speaks to an agent through the browser; with `draft`, the address of a
    flow, one that follows that draft."""
    agent = get_object_or_404(Agent, slug=slug)
    named = request.GET.get("draft", "")
    draft = get_object_or_404(Flow.objects.defer("draft"), slug=named) if named else None
    return render(request, "calls/talk.html", {"agent": agent, "draft": draft, "keys": KEYS, **_words()})


@require_safe
def call_page(request: HttpRequest, call_id: UUID) -> HttpResponse:
    """A call as it goes on, or afterwards with its recording, or the one of its provider that `sound` names;
    `?part=recording` is that alone, `?replay` the page of before its first event, to which it is played
    again."""
    calls = Call.objects.select_related("agent", "phone_number", "flow_version__flow")
    calls = calls.defer("flow_version__graph", "flow_version__subflows", "flow_version__flow__draft")
    call = get_object_or_404(calls, pk=call_id)
    if "replay" in request.GET and not call.is_live:
        return render(
            request, "calls/replay.html", {**before_its_first_event(call), "call": call, **_words_of_a_call()}
        )
    sounds = sounds_of(call)
    recording = chosen_of(sounds, f"{request.path}?sound={request.GET.get('sound', '')}")
    if request.GET.get("part") == "recording":
        heard = {"call": call, "recording": recording, "sounds": sounds}
        return render(request, "calls/_recording.html", heard)
    rows = list(CallEvent.objects.filter(call=call).order_by("seq"))
    transcript = Transcript(event_from(row.kind, row.at_seconds, row.payload) for row in rows)
    words = _words_of_a_call()
    _name_operators(transcript, words["labels"]["people"])
    context = {
        "call": call,
        "card": card_of(call),
        "recording": recording,
        "sounds": sounds,
        "rows": rows,
        "last_seq": rows[-1].seq if rows else 0,
        "transcript": transcript,
        "messages_left": call.messages.order_by("ordinal"),
        "scale_ms": _scale(transcript),
        "stages": wording.STAGES,
        "stands_under": reverse("telephony:live" if call.is_live else "telephony:history"),
        **words,
    }
    return render(request, "calls/call.html", context)


@require_safe
def usage(request: HttpRequest) -> HttpResponse:
    """Calls and response time of the agents named by `agent`, as cells for the agents' list."""
    return render(request, "calls/_usage.html", {"usages": usage_of(request.GET.getlist("agent"))})


@require_safe
def recording(request: HttpRequest, call_id: UUID) -> HttpResponseBase:
    """The sound of a call. Answers ranges, so that a player may seek; `?download` saves it."""
    row = get_object_or_404(
        Recording.objects.select_related("call").defer("peaks", "call__card"), call_id=call_id
    )
    response = ranged(request, row.file.open("rb"), size=row.file.size, content_type="audio/wav")
    _fetched(request, row)
    if "download" in request.GET:
        response["Content-Disposition"] = f'attachment; filename="{file_names.of_call(row.call, "wav")}"'
    return response


def _fetched(request: HttpRequest, row: Recording) -> None:
    """Downloads, and that somebody listens: a player asks for one piece after another, which is told once."""
    if request.method != "GET":
        return
    if "download" in request.GET:
        record_of_call("recording.downloaded", row.call_id)
    else:
        record_fetched("recording.heard", row.call_id, asker=asker_of(request))


def card_of(call: Call) -> Card:
    """The call's card, or one made of its row where no event has been folded yet."""
    return Card.from_json(call.card) if call.card else call.blank_card()


def _words() -> dict[str, Any]:
    return {"labels": wording.labels(), "notes": wording.NOTES}


def _words_of_a_call() -> dict[str, Any]:
    return {"labels": {**wording.labels(), "people": operators.names()}, "notes": wording.NOTES}


def _name_operators(transcript: Transcript, names: dict[str, str]) -> None:
    for line in transcript.lines:
        line.by = names.get(line.by, line.by)
        if by := line.values.get("by"):
            line.values = {**line.values, "by": names.get(str(by), by)}


def _scale(transcript: Transcript) -> int:
    """How many milliseconds the whole width of the bars is: the slowest turn, at least 1 s."""
    slowest = max((turn.voice_to_voice_seconds for turn in transcript.turns), default=0.0)
    return max(1000, round(slowest * 1000))
