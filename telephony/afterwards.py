"""A call that is over: what came of it, its files, and the whole of it played back."""

from __future__ import annotations

import csv
import io
from typing import Any
from uuid import UUID

import orjson
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from mlservices.usage import figures

from . import file_names, sheet, wording
from .audited import record_of_call
from .cost import cost_of
from .eventlog import event_json
from .models import Call, CallEvent
from .recordings.shown import chosen_of, file_name_of, missing_of, sounds_of
from .session.events import event_from
from .transcript import Transcript

OPERATORS_NOTES = ("operator_took_over", "operator_gave_back", "operator_lost", "operator_whispered")


@require_safe
def afterwards(request: HttpRequest, call_id: UUID) -> HttpResponse:
    """The part of a call's page that its end adds: cost, downloads, replay, deletion."""
    call = get_object_or_404(Call.objects.select_related("agent").defer("card"), pk=call_id)
    if call.is_live:
        return HttpResponse()
    context = {
        "call": call,
        "cost": cost_of(call),
        "models": figures.of_call(call.pk) if request.user.has_perm("mlservices.view_usage") else None,
        "currency": settings.CURRENCY,
        "sounds": sounds_of(call),
        "missing": missing_of(call),
        "file_name": file_name_of(call),
    }
    return render(request, "calls/_afterwards.html", context)


@require_safe
def transcript_file(request: HttpRequest, call_id: UUID) -> HttpResponse:
    """Who said what when, as plain text."""
    call = get_object_or_404(Call.objects.select_related("agent"), pk=call_id)
    rows = CallEvent.objects.filter(call=call).order_by("seq")
    transcript = Transcript(event_from(row.kind, row.at_seconds, row.payload) for row in rows)
    started = f"{timezone.localtime(call.created_at):%Y-%m-%d %H:%M:%S %Z}"
    not_heard = _("not heard")
    lines = [f"{call.other_party or _('Unknown caller')} – {call.agent.name}, {started}", ""]
    for line in transcript.lines:
        if line.who == "note":
            if line.kind in OPERATORS_NOTES:
                lines.append(
                    f"[{_clock(line.at_seconds)}] ({str(wording.NOTES[line.kind][2]).format(**line.values)})"
                )
            continue
        cut = f" [{not_heard}: {line.unheard}]" if line.unheard else ""
        said = line.text or ("" if line.unheard else f"({_('Not kept')})")
        who = str(wording.BY[line.who]).format(by=line.by) if line.by else wording.WHO[line.who]
        lines.append(f"[{_clock(line.at_seconds)}] {who}: {said}{cut}")
    for message in call.messages.order_by("ordinal"):
        lines += ["", f"{_('Message')}: {message.name} {message.number}".rstrip(), message.words]
    _fetched(request, "transcript.downloaded", call)
    return _file("\n".join(lines) + "\n", "text/plain", call, "txt")


@require_safe
def events_file(request: HttpRequest, call_id: UUID) -> HttpResponse:
    """Every event, as watchers got them; a replay reads it too."""
    call = get_object_or_404(Call.objects.select_related("agent"), pk=call_id)
    rows = [event_json(row) for row in CallEvent.objects.filter(call=call).order_by("seq")]
    whole = {
        "call": str(call.pk),
        "agent": call.agent.slug,
        "caller": call.caller,
        "started": call.created_at.isoformat(),
        "outcome": call.outcome,
        "events": rows,
    }
    _fetched(request, "events.downloaded", call)
    return _file(orjson.dumps(whole, option=orjson.OPT_INDENT_2), "application/json", call, "json")


@require_safe
def csv_file(request: HttpRequest, call_id: UUID) -> HttpResponse:
    """The call as a line of an export, with its transcript."""
    calls = Call.objects.select_related("agent").prefetch_related("tags")
    call = get_object_or_404(calls, pk=call_id)
    columns = [*sheet.COLUMNS, sheet.TRANSCRIPT]
    text = io.StringIO()
    csv.writer(text).writerows([sheet.head(columns), *sheet.lines([call], columns)])
    _fetched(request, "csv.downloaded", call)
    return _file("\ufeff" + text.getvalue(), "text/csv", call, "csv")


def _fetched(request: HttpRequest, verb: str, call: Call) -> None:
    if request.method == "GET":
        record_of_call(verb, call.pk)


def _file(content: str | bytes, kind: str, call: Call, ending: str) -> HttpResponse:
    answer = HttpResponse(content, content_type=f"{kind}; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{file_names.of_call(call, ending)}"'
    return answer


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


def before_its_first_event(call: Call) -> dict[str, Any]:
    """What the page of a call shows before anything happened in it, for a replay to begin from. The row
    at hand is set back to that moment; it must not be saved."""
    card, final_status = call.blank_card(), call.status
    call.status, call.end_reason, call.transfer_to = Call.Status.RINGING, "", ""
    card.status = call.status
    return {
        "card": card,
        "rows": [],
        "last_seq": 0,
        "transcript": Transcript(),
        "messages_left": [],
        "scale_ms": scale_ms(call),
        "stages": wording.STAGES,
        "stands_under": reverse("telephony:history"),
        "replay": True,
        "final_status": final_status,
        "sound": chosen_of(sounds_of(call), ""),
    }


def scale_ms(call: Call) -> int:
    """How many milliseconds the whole width of the bars is: the slowest turn, at least 1 s."""
    measured = CallEvent.objects.filter(call=call, kind="turn_measured")
    seconds = measured.values_list("payload__voice_to_voice_seconds", flat=True)
    return max(1000, round(1000 * max(seconds, default=0.0)))
