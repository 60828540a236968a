"""Sound as providers send it, checked, and written as we keep it: a WAV of two sides."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import soundfile

from ..providers.sounds import SMALLEST, sound_kind
from ..recorder import PEAKS_PER_SECOND, peaks

LONGEST_SECONDS = 24 * 3600.0  # of a call, at any carrier
SLOWEST, FASTEST = 8000, 48_000  # samples a second
BLOCK_PEAKS = 600  # a minute is decoded at once


class NoSound(Exception):
    """What was sent as a recording cannot be heard; says why."""


@dataclass(frozen=True, slots=True)
class Copied:
    """What was written. `peaks` as `telephony.models.Recording` keeps them."""

    rate: int
    duration_seconds: float
    peaks: dict[str, object]


def copy(source: Path, target: Path) -> Copied:
    """Decode it to `target`, which is there whole or not at all. Of one side alone nobody knows who speaks:
    it is on both. Raises NoSound."""
    with source.open("rb") as file:
        if sound_kind(file.read(SMALLEST)) is None:
            raise NoSound("it is neither a WAV nor an MP3")
    with _part_of(target) as part:
        try:
            copied = _decode(source, part)
        except soundfile.LibsndfileError as error:
            raise NoSound(f"it cannot be decoded: {error.error_string}") from None
        part.replace(target)
    return copied


@contextmanager
def _part_of(target: Path) -> Iterator[Path]:
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.part")
    try:
        yield part
    finally:
        part.unlink(missing_ok=True)


def _decode(source: Path, part: Path) -> Copied:
    with soundfile.SoundFile(source) as read:
        rate = read.samplerate
        if not SLOWEST <= rate <= FASTEST or read.channels > 2:
            raise NoSound(f"{read.channels} channels at {rate} Hz are no telephone's")
        caller: list[int] = []
        agent: list[int] = []
        frames = 0
        with soundfile.SoundFile(part, "w", rate, 2, "PCM_16", format="WAV") as written:
            for block in read.blocks(BLOCK_PEAKS * (rate // PEAKS_PER_SECOND), dtype="int16", always_2d=True):
                both = block[:, [0, -1]]
                written.write(both)
                frames += len(both)
                if frames > LONGEST_SECONDS * rate:
                    raise NoSound("it is longer than a day")
                caller += peaks(both[:, 0], rate)
                agent += peaks(both[:, 1], rate)
    if not frames:
        raise NoSound("it is empty")
    return Copied(rate, frames / rate, {"rate": PEAKS_PER_SECOND, "caller": caller, "agent": agent})
