"""Utterances out of a stream of sound: who speaks from when to when. Pure; time is counted in windows."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from ..interfaces import WINDOW_SECONDS

SPEECH, STILL_SPEECH = 0.5, 0.35  # how sure the detector is where somebody begins, and goes on
SILENCE_SECONDS = 0.6  # ends an utterance
LEAD_SECONDS = 0.3  # kept before the first window of speech, which misses a soft beginning
SHORTEST_SECONDS = 0.2  # of speech; less is a noise
LONGEST_SECONDS = 28.0  # of an utterance; a longer one is cut


@dataclass(frozen=True, slots=True)
class Utterance:
    """`start` and `end` are those of the speech, in seconds of the stream; `pcm` holds a little more."""

    pcm: bytes
    start: float
    end: float


class Listening:
    """What has been said, window by window."""

    def __init__(self) -> None:
        self.number = 0  # of the utterance that goes on, or comes next
        self._windows = 0
        self._lead: deque[bytes] = deque(maxlen=round(LEAD_SECONDS / WINDOW_SECONDS))
        self._sound: list[bytes] = []  # of the utterance that goes on, and its silence
        self._begun = self._last_speech = self._speech = 0  # window numbers, and a count

    def hear(self, window: bytes, probability: float) -> Utterance | None:
        """The utterance that ends with this window, if one does."""
        self._windows += 1
        if not self._sound:
            if probability >= SPEECH:
                self._begin(window)
            else:
                self._lead.append(window)
            return None
        self._sound.append(window)
        if probability >= STILL_SPEECH:
            self._last_speech = self._windows
            self._speech += 1
        silent = (self._windows - self._last_speech) * WINDOW_SECONDS
        lasts = len(self._sound) * WINDOW_SECONDS
        return self.finish() if silent >= SILENCE_SECONDS or lasts >= LONGEST_SECONDS else None

    def so_far(self) -> bytes:
        """The sound of the utterance that goes on; empty while nobody speaks."""
        return b"".join(self._sound) if self._speaks() else b""

    def finish(self) -> Utterance | None:
        """The utterance that goes on, which ends here."""
        spoken = self._speaks()
        sound, self._sound = b"".join(self._sound), []
        self._lead.clear()
        if not spoken:
            return None
        self.number += 1
        return Utterance(sound, (self._begun - 1) * WINDOW_SECONDS, self._last_speech * WINDOW_SECONDS)

    def _begin(self, window: bytes) -> None:
        self._sound = [*self._lead, window]
        self._begun = self._last_speech = self._windows
        self._speech = 1

    def _speaks(self) -> bool:
        return bool(self._sound) and self._speech * WINDOW_SECONDS >= SHORTEST_SECONDS
