"""Stretches of speech in a finished recording."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ...interfaces import WINDOW_SECONDS
from ...types import Segment
from .. import Sound, VadEngine

_PAUSE_SECONDS = 0.25  # a shorter gap does not end a stretch
_SHORTEST_SECONDS = 0.1
_RELEASE = 0.15  # below the threshold by this much, but by half of it at the most, speech is over


def probabilities(engine: VadEngine, samples: Sound, rate: int) -> Iterator[float]:
    """How surely each whole window of a recording holds speech."""
    size = round(rate * WINDOW_SECONDS)
    stream = engine.open(rate)
    for start in range(0, len(samples) - size + 1, size):
        yield float(engine.probabilities([stream], samples[None, start : start + size])[0])


def speech_segments(probabilities: Sequence[float], threshold: float) -> list[Segment]:
    """Where somebody speaks; a stretch's confidence is its mean probability."""
    segments: list[Segment] = []
    start, last = -1, -1
    release = max(threshold - _RELEASE, threshold / 2)
    for index, probability in enumerate(
        [*probabilities, *[0.0] * (int(_PAUSE_SECONDS / WINDOW_SECONDS) + 2)]
    ):
        if probability >= threshold or (start >= 0 and probability >= release):
            start, last = (index if start < 0 else start), index
        elif start >= 0 and (index - last) * WINDOW_SECONDS > _PAUSE_SECONDS:
            if (last + 1 - start) * WINDOW_SECONDS >= _SHORTEST_SECONDS:
                segments.append(
                    Segment(
                        start=round(start * WINDOW_SECONDS, 3),
                        end=round((last + 1) * WINDOW_SECONDS, 3),
                        confidence=float(np.mean(probabilities[start : last + 1])),
                    )
                )
            start = -1
    return segments
