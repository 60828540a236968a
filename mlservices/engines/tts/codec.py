"""Sound out of the tokens of a neural codec as a model makes them.

Such models delay each codebook by one step more than the one before it: a frame is whole when its last
codebook's token is there. A decoder looks some frames around, so it is run on windows and their edges are
dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from .. import Sound

Tokens = NDArray[np.int64]  # one of each codebook

_FIRST_FRAMES = 16  # small, so that the first sound comes soon
_NEXT_FRAMES = 48
CONTEXT_FRAMES = 16  # what DAC's decoder sees around a frame; with it the windows equal the whole


def frames(columns: Iterable[Tokens], *, codebook_size: int) -> Iterator[Tokens]:
    """Frames out of steps: codebook k of frame n came with step n + k.

    Tokens from `codebook_size` on are marks of the beginning and the end: no frame has them.
    """
    waiting: list[Tokens] = []
    for column in columns:
        waiting.append(column)
        if len(waiting) == len(column):
            frame = np.array([step[book] for book, step in enumerate(waiting)], np.int64)
            if frame.max() < codebook_size:
                yield frame
            waiting.pop(0)


def sound(
    frames: Iterable[Tokens],
    decode: Callable[[NDArray[np.int64]], Sound],
    samples_per_frame: int,
    *,
    context: int = CONTEXT_FRAMES,
) -> Iterator[Sound]:
    """`decode` takes frames, shape (frames, codebooks), and makes `samples_per_frame` of each."""
    kept: list[Tokens] = []
    done, size = 0, _FIRST_FRAMES

    def window(end: int) -> Sound:
        begin = max(0, done - context)
        made = decode(np.stack(kept[begin : end + context]))
        return made[(done - begin) * samples_per_frame : (end - begin) * samples_per_frame]

    for frame in frames:
        kept.append(frame)
        if len(kept) == done + size + context:
            yield window(done + size)
            done, size = done + size, _NEXT_FRAMES
    if len(kept) > done:
        yield window(len(kept))
