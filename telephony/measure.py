"""Voice-to-voice time as it can be heard: from the two legs of a recording, without asking the software.

A turn is a stretch of the caller's sound followed by the agent's. Its time is from the end of the one
to the start of the other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

STEP_SECONDS = 0.01
# Above the noise of the leg by this factor, and above what a quiet line hisses.
LOUDER_THAN_NOISE = 4.0
QUIETEST_SPEECH = 120.0  # RMS of 16-bit samples
# Shorter silences are inside speech: stops and pauses between words.
PAUSE_SECONDS = 0.25
SHORTEST_SOUND_SECONDS = 0.06


@dataclass(frozen=True, slots=True)
class Stretch:
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class HeardTurn:
    caller_end: float  # seconds on the recording
    agent_start: float

    @property
    def voice_to_voice_seconds(self) -> float:
        return self.agent_start - self.caller_end


def sounds(leg: NDArray[np.int16], rate: int) -> list[Stretch]:
    """Where a leg is not silent."""
    step = int(rate * STEP_SECONDS)
    steps = leg[: len(leg) // step * step].reshape(-1, step).astype(np.float64)
    loudness = np.sqrt((steps**2).mean(axis=1))
    if not len(loudness):
        return []
    threshold = max(QUIETEST_SPEECH, LOUDER_THAN_NOISE * float(np.percentile(loudness, 10)))
    found: list[Stretch] = []
    for index in np.flatnonzero(loudness > threshold):
        start = round(float(index) * STEP_SECONDS, 3)
        end = round(start + STEP_SECONDS, 3)
        if found and start - found[-1].end < PAUSE_SECONDS:
            found[-1] = Stretch(found[-1].start, end)
        else:
            found.append(Stretch(start, end))
    return [sound for sound in found if sound.end - sound.start >= SHORTEST_SOUND_SECONDS]


def heard_turns(caller: NDArray[np.int16], agent: NDArray[np.int16], rate: int) -> list[HeardTurn]:
    """Each time the agent begins to speak after the caller has, with nobody speaking in between."""
    turns: list[HeardTurn] = []
    speeches = sounds(caller, rate)
    for answer in sounds(agent, rate):
        before = [speech for speech in speeches if speech.end <= answer.start]
        if not before:
            continue
        last = before[-1]
        if not turns or turns[-1].caller_end != last.end:
            turns.append(HeardTurn(last.end, answer.start))
    return turns
