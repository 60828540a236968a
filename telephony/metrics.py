"""Figures of calls for Prometheus: what events tell is counted once they are stored, by whichever process
stores them; what is true now is asked of the database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from django.db.models import Count, Min
from django.utils import timezone
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from mlservices.counting import counter, gauge, histogram

from .models import Call, PlannedCall, SipLine

# Around what people take for a pause, and for a fault.
_TURN_SECONDS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.25, 1.5, 2.0, 3.0, 5.0, 10.0)
STEPS = (
    "endpointing",
    "words",
    "text",
    "audio",
    "heard",
    "stt_queue",
    "stt_compute",
    "llm_queue",
    "tts_queue",
    "tts_compute",
)

begun = counter("voiceforge_calls_begun", "Calls, as they begin.", "line", "direction")
ended = counter("voiceforge_calls_ended", "Calls, as they end.", "line", "direction", "outcome")
turns = counter("voiceforge_turns", "Whole turns of callers.", "line")
answer_seconds = histogram(
    "voiceforge_voice_to_voice_seconds",
    "From the caller's last sound to the agent's first.",
    "line",
    buckets=_TURN_SECONDS,
)
step_seconds = histogram(
    "voiceforge_turn_step_seconds",
    "The steps of an answer; queue and compute are parts of words, text and audio.",
    "step",
    buckets=_TURN_SECONDS,
)
barge_ins = counter("voiceforge_barge_ins", "Times that a caller broke off what the agent said.", "line")
engine_failures = counter("voiceforge_engine_failures", "Engines that failed in a call.", "engine", "remedy")
frames_dropped = counter(
    "voiceforge_media_frames_dropped", "Frames of 20 ms that came too fast or could not be sent.", "leg"
)
webhooks_refused = counter(
    "voiceforge_provider_webhooks_refused",
    "Requests without the signature of the account that they name.",
    "provider",
)
sockets_refused = counter(
    "voiceforge_media_sockets_refused", "Media sockets turned away or cut off.", "reason"
)
events_stored = counter("voiceforge_events_stored", "Events of calls that were stored.")
events_dropped = counter("voiceforge_events_dropped", "Events of calls that could not be stored.")
events_waiting = gauge("voiceforge_events_waiting", "Events of calls that wait to be stored.")


def count(card: Mapping[str, Any], events: Iterable[Mapping[str, Any]]) -> None:
    """Events of one call that were stored together, as watchers are told of them."""
    for event in events:
        events_stored.inc()
        if event["seq"] == 1:
            begun.labels(card["line"], card["direction"]).inc()
        _count(event["kind"], event["payload"], card)


def _count(kind: str, told: Mapping[str, Any], card: Mapping[str, Any]) -> None:
    match kind:
        case "caller_said":
            turns.labels(card["line"]).inc()
        case "turn_measured":
            answer_seconds.labels(card["line"]).observe(told["voice_to_voice_seconds"])
            for step in STEPS:
                if seconds := told[f"{step}_seconds"]:
                    step_seconds.labels(step).observe(seconds)
        case "agent_heard" if told["interrupted"]:
            barge_ins.labels(card["line"]).inc()
        case "engine_failed":
            engine_failures.labels(told["engine"], told["remedy"]).inc()
        case "frames_dropped":
            frames_dropped.labels(told["leg"]).inc(told["count"])
        case "call_ended":
            outcome = Call.objects.filter(pk=UUID(card["id"])).values_list("outcome", flat=True).first()
            ended.labels(card["line"], card["direction"], outcome or "deleted").inc()


class Now(Collector):
    """What stands in the database, the same whichever process or machine is asked."""

    def collect(self) -> Iterable[Metric]:
        live = GaugeMetricFamily("voiceforge_calls_live", "Calls that go on.", labels=["line", "direction"])
        going_on = Call.objects.filter(ended_at=None, status__in=Call.LIVE).order_by()
        for line, direction, number in going_on.values_list("line", "direction").annotate(Count("pk")):
            live.add_metric([line, direction], number)
        yield live
        yield from _planned()
        yield _sip_lines()


def _planned() -> Iterable[Metric]:
    due = PlannedCall.objects.filter(state=PlannedCall.State.WAITING).order_by()
    found = due.aggregate(number=Count("pk"), earliest=Min("due_at"))
    yield GaugeMetricFamily(
        "voiceforge_planned_calls_waiting", "Calls that wait to be placed.", value=found["number"]
    )
    earliest = found["earliest"] or timezone.now()
    late = max(0.0, (timezone.now() - earliest).total_seconds())
    yield GaugeMetricFamily(
        "voiceforge_planned_calls_late_seconds", "How long the earliest of them is due.", value=late
    )


def _sip_lines() -> Metric:
    lines = GaugeMetricFamily("voiceforge_sip_lines", "SIP lines by their state.", labels=["state"])
    states = Counter(line.shown_state for line in SipLine.objects.all())
    for state in SipLine.State.values:
        lines.add_metric([state], states[state])
    return lines
