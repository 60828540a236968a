"""Voice activity without a model: louder than the quiet of this line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...catalog import Model
from .. import Sound

_QUIETEST = 0.003  # rms; below it nobody speaks, however quiet the line
_LOUDER_THAN_NOISE = 3.0


@dataclass
class _Stream:
    noise: float = _QUIETEST  # rms of the line when nobody speaks


class Energy:
    def __init__(self, folder: Path, model: Model) -> None:
        pass

    def warm(self) -> None:
        pass

    def open(self, rate: int) -> _Stream:
        return _Stream()

    def probabilities(self, streams: Sequence[_Stream], windows: Sound) -> Sound:
        loudness = np.sqrt(np.mean(windows * windows, axis=1))
        floor = np.array([stream.noise for stream in streams], np.float32)
        ratio = loudness / np.maximum(floor * _LOUDER_THAN_NOISE, _QUIETEST * 2)
        for stream, value in zip(streams, loudness.tolist(), strict=True):
            # The noise estimate falls at once and rises slowly, so that speech does not become noise.
            stream.noise = min(value, stream.noise * 1.005 + 1e-7) if value else stream.noise
            stream.noise = max(stream.noise, _QUIETEST / 3)
        return (ratio**2 / (1 + ratio**2)).astype(np.float32)
