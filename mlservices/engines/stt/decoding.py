"""What all Whisper engines here agree on, whatever library runs them.

The encoder sees the utterance and a few seconds of silence instead of always 30 s: a fifth of the time. It
loops without three guards: timestamps stay on and the text is cut at the closing one; the number of tokens
is capped by the length of the sound; a decoding that runs into the cap is done once more with all 30 s.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from ...catalog import Model
from ...errors import EngineError
from ...types import Segment, Transcript
from .. import Sound
from ..mel import HOP, RATE

_SHORTEST_CONTEXT_SECONDS = 8.0
_SILENCE_AFTER_SECONDS = 5.0
_FULL_CONTEXT_SECONDS = 30.0
_TIMESTAMP_SECONDS = 0.02
_TAIL_SECONDS = 0.6  # a timestamp this near the end of the sound closes the text
_QUIETEST = 0.0015  # rms of silence on a telephone line; Whisper invents words for it
_NOTHING_SAID = 0.6  # of no_speech_probability, with words that are themselves unlikely
_UNLIKELY_WORDS = -1.0  # mean log probability
_ENGLISH_TOKENS_A_SECOND = 7
_TOKENS_A_SECOND = 20  # some scripts take a token for each byte
_MOST_TOKENS = 440  # the decoder has 448 places, the prompt takes some


@dataclass(frozen=True, slots=True)
class Decoded:
    ids: Sequence[int]  # text and timestamp tokens, no prompt
    log_probability: float  # mean over the tokens
    no_speech_probability: float


@dataclass(frozen=True, slots=True)
class Vocabulary:
    first_timestamp: int
    end_of_text: int
    to_text: Callable[[list[int]], str]


class Ear(Protocol):
    """What each library does in its own way."""

    def encode(self, samples: Sound, frames: int) -> Any:
        """What the encoder makes of the sound, with silence after it up to `frames` of features."""

    def detect(self, heard: Any) -> str:
        """The likeliest of the model's languages."""

    def decode(self, heard: Any, language: str, most_tokens: int) -> Decoded: ...


def transcribe(samples: Sound, ear: Ear, vocabulary: Vocabulary, model: Model, language: str) -> Transcript:
    """The words of at most 30 s at 16 kHz; "auto" has the model hear which language it is."""
    if language not in (*model.languages, "auto"):
        raise EngineError(
            f"{model.name} does not know the language {language!r}", service="stt", permanent=True
        )
    seconds = len(samples) / RATE
    if language == "auto" and len(model.languages) == 1:
        language = model.languages[0]
    if seconds < 0.1 or np.sqrt(np.mean(samples * samples)) < _QUIETEST:
        return Transcript("", _told(language), 0.0, seconds, engine=model.id)
    heard = ear.encode(samples, _frames(max(_SHORTEST_CONTEXT_SECONDS, seconds + _SILENCE_AFTER_SECONDS)))
    if language == "auto":
        language = ear.detect(heard)
    a_second = _ENGLISH_TOKENS_A_SECOND if language == "en" else _TOKENS_A_SECOND
    cap = min(_MOST_TOKENS, int(a_second * seconds) + 12)
    decoded = ear.decode(heard, language, cap)
    if len(decoded.ids) >= cap - 2:
        decoded = ear.decode(ear.encode(samples, _frames(_FULL_CONTEXT_SECONDS)), language, cap)
    nothing = Transcript("", language, 0.0, seconds, engine=model.id)
    if decoded.no_speech_probability > _NOTHING_SAID and decoded.log_probability < _UNLIKELY_WORDS:
        return nothing
    confidence = float(np.exp(min(decoded.log_probability, 0.0)))
    segments = _segments(decoded.ids, vocabulary, seconds, confidence)
    text = " ".join(segment.text for segment in segments)
    return Transcript(text, language, confidence if text else 0.0, seconds, segments, model.id)


def _told(language: str) -> str:
    """Of a silence there is no language to tell."""
    return "" if language == "auto" else language


def _frames(seconds: float) -> int:
    """Even, since the encoder halves it."""
    return int(min(_FULL_CONTEXT_SECONDS, seconds) * RATE / HOP) // 2 * 2


def _segments(
    ids: Sequence[int], vocabulary: Vocabulary, seconds: float, confidence: float
) -> tuple[Segment, ...]:
    """Text between pairs of timestamps, up to the one that closes the sound."""
    segments, words, start, seen = [], list[int](), 0.0, 0

    def close(end: float) -> None:
        text = vocabulary.to_text(words).strip()
        if text:
            end = min(end, seconds)
            segments.append(Segment(round(min(start, end), 2), round(end, 2), text, confidence))
        words.clear()

    for token in ids:
        if token >= vocabulary.first_timestamp:
            at = (token - vocabulary.first_timestamp) * _TIMESTAMP_SECONDS
            close(at)
            start, seen = at, seen + 1
            if seen >= 2 and at >= seconds - _TAIL_SECONDS:
                break
        elif token < vocabulary.end_of_text:
            words.append(token)
    close(seconds)
    return tuple(segments)
