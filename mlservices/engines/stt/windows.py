"""Long recordings in pieces that Whisper can take at once."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .. import Sound

LONGEST_SECONDS = 28.0
_SEARCH_SECONDS = 8.0
_STEP_SECONDS = 0.1


def windows(samples: Sound, rate: int) -> Iterator[tuple[float, Sound]]:
    """(start in seconds, sound) of pieces of at most LONGEST_SECONDS, cut where it is quietest."""
    longest, search, step = (int(s * rate) for s in (LONGEST_SECONDS, _SEARCH_SECONDS, _STEP_SECONDS))
    start = 0
    while len(samples) - start > longest:
        tail = samples[start + longest - search : start + longest]
        loudness = np.square(tail[: len(tail) // step * step].reshape(-1, step)).mean(axis=1)
        quietest = int(loudness.argmin()) * step + step // 2
        end = start + longest - search + quietest
        yield start / rate, samples[start:end]
        start = end
    yield start / rate, samples[start:]
