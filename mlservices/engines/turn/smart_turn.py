"""Smart Turn: whether a speaker who paused is done, from the sound of the last 8 s."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ...catalog import Model
from .. import Sound
from ..mel import HOP, log_mel
from ..onnx_session import session

_SECONDS = 8


class SmartTurn:
    rate = 16000

    def __init__(self, folder: Path, model: Model) -> None:
        self._session = session(folder / "smart_turn.onnx")
        self._input = self._session.get_inputs()[0].name

    def warm(self) -> None:
        self.judge(np.zeros(self.rate, np.float32))

    def judge(self, samples: Sound) -> float:
        (output,) = self._session.run(None, {self._input: features(samples)[None]})
        return float(np.ravel(output)[0])


def features(samples: Sound) -> Sound:
    """What the model sees: 8 s that end now, at zero mean and unit variance; shape (80, 800)."""
    length = _SECONDS * SmartTurn.rate
    heard = samples[-length:]
    window = np.zeros(length, np.float32)
    if len(heard):
        window[-len(heard) :] = heard
    window = (window - window.mean()) / np.sqrt(window.var() + 1e-7)
    return log_mel(window, length // HOP)
