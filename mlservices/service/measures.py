"""What the models of a service do: for /api/metrics since the start, for people of the last minutes."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram

# How requests end. "busy": no worker could be expected soon; "refused": what was asked is wrong; "loading":
# who asked was told to come back. These two, and who left, say nothing of how well the model does.
OUTCOMES = ("served", "failed", "busy", "refused", "loading", "cancelled")
ERRORS = ("failed", "busy")
LATELY_SECONDS = 300.0
_MOST_KEPT = 2000  # requests of a model
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_FACTORS = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)


class Metrics:
    """The instruments of one service, each with the labels `model` and `pool`."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        labels, registry = ("model", "pool"), self.registry
        self.queue = Histogram(
            "voiceforge_ml_queue_seconds",
            "Waiting for a worker.",
            labels,
            buckets=_SECONDS,
            registry=registry,
        )
        self.inference = Histogram(
            "voiceforge_ml_inference_seconds",
            "From a worker taking a request to its end.",
            labels,
            buckets=_SECONDS,
            registry=registry,
        )
        self.factor = Histogram(
            "voiceforge_ml_real_time_factor",
            "Inference by seconds of sound heard or made.",
            labels,
            buckets=_FACTORS,
            registry=registry,
        )
        self.requests = Counter(
            "voiceforge_ml_requests", "Requests by their outcome.", (*labels, "outcome"), registry=registry
        )
        self.busy = Counter(
            "voiceforge_ml_busy_seconds", "Worker time in requests.", labels, registry=registry
        )
        self.restarts = Counter("voiceforge_ml_restarts", "Workers replaced.", labels, registry=registry)


@dataclass(frozen=True, slots=True)
class _Request:
    at: float
    outcome: str  # one of OUTCOMES
    queue_seconds: float
    inference_seconds: float
    sound_seconds: float


class Measures:
    """Of one model."""

    def __init__(self, model: str, pool: str, metrics: Metrics | None = None) -> None:
        self._labels = (model, pool)
        self._metrics = metrics or Metrics()
        self._requests: deque[_Request] = deque(maxlen=_MOST_KEPT)
        self.counts = dict.fromkeys((*OUTCOMES, "retried", "restarts"), 0)

    def note(
        self,
        outcome: str,
        *,
        queue_seconds: float = 0.0,
        inference_seconds: float = 0.0,
        sound_seconds: float = 0.0,
    ) -> None:
        """One request that has ended, or was turned away."""
        request = _Request(time.monotonic(), outcome, queue_seconds, inference_seconds, sound_seconds)
        self._requests.append(request)
        self.counts[outcome] += 1
        self._metrics.requests.labels(*self._labels, outcome).inc()
        if inference_seconds:
            self._metrics.queue.labels(*self._labels).observe(queue_seconds)
            self._metrics.inference.labels(*self._labels).observe(inference_seconds)
            self._metrics.busy.labels(*self._labels).inc(inference_seconds)
        if sound_seconds and outcome == "served":
            self._metrics.factor.labels(*self._labels).observe(inference_seconds / sound_seconds)

    def restarted(self) -> None:
        self.counts["restarts"] += 1
        self._metrics.restarts.labels(*self._labels).inc()

    def mean_seconds(self) -> float | None:
        """Of inference a request, lately; None where there was none."""
        served = [each.inference_seconds for each in self._lately() if each.inference_seconds]
        return sum(served) / len(served) if served else None

    def lately(self, workers: int) -> dict[str, Any]:
        """Requests of the last minutes in figures; milliseconds, shares of 1; None where there were none."""
        recent = list(self._lately())
        worked = [each for each in recent if each.inference_seconds]
        sounding = [each for each in worked if each.sound_seconds and each.outcome == "served"]
        judged = [each for each in recent if each.outcome in ("served", *ERRORS)]
        sound = sum(each.sound_seconds for each in sounding)
        busy = sum(each.inference_seconds for each in worked)
        return {
            "seconds": LATELY_SECONDS,
            "requests": len(recent),
            "errors": sum(each.outcome in ERRORS for each in judged) / len(judged) if judged else None,
            **_milliseconds("queue", [each.queue_seconds for each in worked]),
            **_milliseconds("inference", [each.inference_seconds for each in worked]),
            "real_time_factor": sum(each.inference_seconds for each in sounding) / sound if sound else None,
            "utilisation": min(1.0, busy / LATELY_SECONDS / max(1, workers)),
        }

    def _lately(self) -> Iterable[_Request]:
        since = time.monotonic() - LATELY_SECONDS
        return (each for each in self._requests if each.at >= since)


def _milliseconds(name: str, seconds: Sequence[float]) -> dict[str, float | None]:
    ordered = sorted(seconds)
    return {
        f"{name}_ms_p{share}": ordered[min(len(ordered) - 1, len(ordered) * share // 100)] * 1000
        if ordered
        else None
        for share in (50, 95)
    }
