"""How a VITS decoder is run in pieces that join without a seam."""

from __future__ import annotations

from collections.abc import Iterator

_FIRST_FRAMES = 20  # a quarter of a second: small, so that the first sound comes soon
_NEXT_FRAMES = 80
CONTEXT_FRAMES = 10  # what Piper's decoder sees around a frame; with it the pieces equal the whole to 1e-5


def slices(
    frames: int, samples_per_frame: int, *, context: int = CONTEXT_FRAMES
) -> Iterator[tuple[slice, slice]]:
    """(frames to decode, samples of the result to keep), over all frames, in order."""
    start, size = 0, _FIRST_FRAMES
    while start < frames:
        end = min(frames, start + size)
        begin, stop = max(0, start - context), min(frames, end + context)
        yield (
            slice(begin, stop),
            slice((start - begin) * samples_per_frame, (end - begin) * samples_per_frame),
        )
        start, size = end, _NEXT_FRAMES
