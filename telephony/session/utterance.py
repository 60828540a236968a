"""What the agent says between two turns of the caller: its sentences, and where in its sound each one lies.

Pure: bytes of 16-bit sound in, words out. Who knows how much of the sound has been heard learns here which
words that were.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from mlservices.types import Timing

# The sound's full length is not known while it is still being made: this guess keeps the proportion honest.
CHARACTERS_PER_SECOND = 15
_SENTENCE_ENDS = (".", "!", "?", "…")


@dataclass(slots=True)
class Sentence:
    text: str
    recorded: bool = False
    start: int = -1  # bytes into the utterance; -1 before its first sound
    end: int | None = None  # None while its sound is still being made
    told: bool = False  # that it has begun
    trimmed: int = 0  # bytes of silence before its sound that were left out
    timing: Timing = field(default_factory=Timing)
    engine: str = ""  # that made its sound
    degraded: bool = False

    @property
    def is_finished(self) -> bool:
        """Not a clause alone, whose sentence goes on in the next."""
        return self.text.rstrip().endswith(_SENTENCE_ENDS)


@dataclass(slots=True)
class Utterance:
    bytes_per_second: int
    sound: bytearray = field(default_factory=bytearray)
    sentences: list[Sentence] = field(default_factory=list)
    owed: list[Sentence] = field(default_factory=list)  # those that must be heard to their end
    sent: int = 0  # bytes given to the line
    plays_until: float = 0.0  # loop time at which what was sent has been played
    first_sound_at: float | None = None
    first: Sentence | None = None  # that was made for it

    @property
    def between_sentences(self) -> bool:
        """No sentence is half made."""
        return not self.sentences or self.sentences[-1].end is not None

    def owes_nothing(self, heard: int) -> bool:
        """Whether all that must be heard lies within the first `heard` bytes."""
        return all(sentence.end is not None and heard >= sentence.end for sentence in self.owed)

    def sentence_at(self, heard: int) -> int | None:
        """The index of the one that is being heard, or was the last."""
        begun = (at for at, sentence in enumerate(self.sentences) if sentence.start <= heard)
        return max(begun, default=None)

    def text_within(self, heard: int, *, recorded: bool) -> str:
        """The words in the first `heard` bytes; with `recorded` false only those that were made for it."""
        parts = []
        for sentence in self.sentences:
            if sentence.start >= heard:
                break
            if sentence.recorded and not recorded:
                continue
            if sentence.end is not None and heard >= sentence.end:
                parts.append(sentence.text)
            else:
                share = (heard - sentence.start) / max(self._length(sentence), 1)
                parts.append(_words_within(sentence.text, share))
        return " ".join(part for part in parts if part)

    def _length(self, sentence: Sentence) -> float:
        """In bytes, at least as many as are made by now."""
        if sentence.end is not None:
            return sentence.end - sentence.start
        guessed = len(sentence.text) / CHARACTERS_PER_SECOND * self.bytes_per_second
        return max(len(self.sound) - sentence.start, guessed)


def _words_within(text: str, share: float) -> str:
    """The whole words in the first `share` (0..1) of a text."""
    if share >= 1:
        return text
    cut = text[: int(len(text) * share) + 1]
    return cut[: cut.rfind(" ")] if " " in cut else ""
