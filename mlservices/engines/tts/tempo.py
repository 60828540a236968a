"""Another tempo at the same pitch, for models that know no speed (WSOLA: waveform similarity overlap-add).

Windows are taken from the sound faster or slower than they are laid down; each is moved a little, to where it
goes on best from the one before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from .. import Sound

_HOP_SECONDS = 0.012  # half a window: two periods of a low voice
_SEARCH_SECONDS = 0.006  # each way: one such period


def stretched(pieces: Iterable[Sound], speed: float, rate: int) -> Iterator[Sound]:
    """The sound of `pieces`, 1 / speed as long, piece by piece as it comes."""
    if speed == 1.0:
        yield from pieces
        return
    stretch = _Stretch(speed, rate)
    for piece in pieces:
        sound = stretch.feed(piece)
        if len(sound):
            yield sound
    sound = stretch.flush()
    if len(sound):
        yield sound


class _Stretch:
    def __init__(self, speed: float, rate: int) -> None:
        self._speed = speed
        self._hop, self._search = int(_HOP_SECONDS * rate), int(_SEARCH_SECONDS * rate)
        self._window = np.hanning(2 * self._hop + 1)[:-1].astype(np.float32)
        self._sound = np.zeros(0, np.float32)  # what may still be needed
        self._before = 0  # samples that came before it, let go of
        self._given = self._made = 0
        self._last = -1  # where the window laid down last was taken from
        self._tail = np.zeros(self._hop, np.float32)  # its second half, which the next is laid over

    def feed(self, piece: Sound) -> Sound:
        self._given += len(piece)
        self._sound = np.concatenate([self._sound, piece])
        return self._run(self._given)

    def flush(self) -> Sound:
        """What is left; all that was made is as long as it must be, to the sample."""
        expected = round(self._given / self._speed) - self._made
        self._sound = np.concatenate([self._sound, np.zeros(6 * self._hop + 4 * self._search, np.float32)])
        return self._run(self._given + 3 * self._hop)[: max(0, expected)]

    def _run(self, until: int) -> Sound:
        made = []
        end = self._before + len(self._sound)
        while True:
            wanted = int(self._made * self._speed)  # where this moment is in the sound that was given
            goes_on = self._last + self._hop
            if max(wanted + self._search, goes_on) + 2 * self._hop > end or wanted >= until:
                break
            start = wanted if self._last < 0 else self._best(wanted, goes_on)
            window = self._sound[start - self._before :][: 2 * self._hop] * self._window
            if self._last < 0:  # nothing before it to fade over from
                window[: self._hop] = self._sound[start - self._before :][: self._hop]
            made.append(self._tail + window[: self._hop])
            self._tail = window[self._hop :]
            self._last, self._made = start, self._made + self._hop
        self._let_go()
        return np.concatenate(made) if made else np.zeros(0, np.float32)

    def _best(self, wanted: int, goes_on: int) -> int:
        """The start near `wanted` whose window is most like the one that would go on from the last."""
        first = max(wanted - self._search, self._before)
        near = self._sound[first - self._before : wanted + self._search + 2 * self._hop - self._before]
        like = self._sound[goes_on - self._before :][: 2 * self._hop]
        energy = np.convolve(near * near, np.ones(len(like), np.float32), "valid")
        likeness = np.correlate(near, like, "valid") / np.sqrt(np.maximum(energy, 1e-9))
        return first + int(likeness.argmax())

    def _let_go(self) -> None:
        needed = min(int(self._made * self._speed) - self._search, self._last + self._hop)
        if needed > self._before:
            self._sound = self._sound[needed - self._before :]
            self._before = needed
