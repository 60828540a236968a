"""Whisper's log-mel features in plain numpy: windows of 25 ms every 10 ms, at 16 kHz."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

RATE = 16000
HOP = 160
_WINDOW = 400


def _hertz_to_mel(hertz: NDArray[np.float64]) -> NDArray[np.float64]:
    """Slaney's scale: linear below 1 kHz, logarithmic above."""
    linear = hertz * 3 / 200
    return np.where(hertz < 1000, linear, 15 + np.log(np.maximum(hertz, 1e-10) / 1000) * (27 / np.log(6.4)))


def _mel_to_hertz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(mel < 15, mel * 200 / 3, 1000 * np.exp((mel - 15) * (np.log(6.4) / 27)))


@cache
def _filters(bands: int) -> NDArray[np.float32]:
    """Triangles of equal area on the mel scale; shape (bands, _WINDOW // 2 + 1)."""
    bins = np.linspace(0, RATE / 2, _WINDOW // 2 + 1)
    ends = _hertz_to_mel(np.array([0.0, RATE / 2]))
    edges = _mel_to_hertz(np.linspace(ends[0], ends[1], bands + 2))
    rising = (bins[None, :] - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - bins[None, :]) / (edges[2:] - edges[1:-1])[:, None]
    triangles = np.maximum(0, np.minimum(rising, falling))
    return (triangles * (2 / (edges[2:] - edges[:-2]))[:, None]).astype(np.float32)


@cache
def _hann() -> NDArray[np.float32]:
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(_WINDOW) / _WINDOW)).astype(np.float32)


def log_mel(samples: NDArray[np.float32], frames: int, bands: int = 80) -> NDArray[np.float32]:
    """Features of the first `frames` hops, shape (bands, frames); sound that is shorter counts as silence."""
    needed = frames * HOP
    padded = np.zeros(needed, np.float32)
    padded[: min(len(samples), needed)] = samples[:needed]
    padded = np.pad(padded, _WINDOW // 2, mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::HOP][:frames]
    power = np.abs(np.fft.rfft(windows * _hann(), axis=1)) ** 2
    mel = _filters(bands) @ power.T.astype(np.float32)
    log = np.log10(np.maximum(mel, 1e-10))
    return ((np.maximum(log, log.max() - 8.0) + 4.0) / 4.0).astype(np.float32)
