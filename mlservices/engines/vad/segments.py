"""Stretches of speech in a finished recording."""

from __future__ import annotations

import numpy as np

from ...interfaces import WINDOW_SECONDS
from ...types import Segment
from .. import Sound, VadEngine

_PAUSE_SECONDS = 0.25  # a shorter gap does not end a stretch
_SHORTEST_SECONDS = 0.1
_RELEASE = 0.15  # below the threshold by this much, speech is over


def speech_segments(engine: VadEngine, samples: Sound, rate: int, threshold: float) -> list[Segment]:
    """Where somebody speaks; a stretch's confidence is its mean probability."""
    size = round(rate * WINDOW_SECONDS)
    whole = len(samples) // size
    stream = engine.open(rate)
    probabilities = [
        float(engine.probabilities([stream], samples[None, i * size : (i + 1) * size])[0])
        for i in range(whole)
    ]
    segments: list[Segment] = []
    start, last = -1, -1
    for index, probability in enumerate(
        [*probabilities, *[0.0] * (int(_PAUSE_SECONDS / WINDOW_SECONDS) + 2)]
    ):
        if probability >= threshold or (start >= 0 and probability >= threshold - _RELEASE):
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
