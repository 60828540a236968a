"""Whisper on CTranslate2: int8, one thread, and an encoder that sees no more than it must."""

from __future__ import annotations

from pathlib import Path

import ctranslate2
import numpy as np
from tokenizers import Tokenizer

from ...catalog import Model
from ...errors import EngineError
from ...types import Transcript
from .. import Sound
from ..mel import RATE, log_mel
from .decoding import Decoded, Vocabulary, transcribe


class Whisper:
    rate = RATE

    def __init__(self, folder: Path, model: Model) -> None:
        self._model = model
        self._whisper = ctranslate2.models.Whisper(str(folder), compute_type="int8", intra_threads=1)
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        ids = tokenizer.get_vocab()
        self._prompt = [ids["<|startoftranscript|>"]]
        self._vocabulary = Vocabulary(
            first_timestamp=ids["<|notimestamps|>"] + 1,
            end_of_text=ids["<|endoftext|>"],
            to_text=tokenizer.decode,
        )

    def warm(self) -> None:
        noise = np.random.default_rng(0).standard_normal(RATE).astype(np.float32) * 0.02
        self.transcribe(noise, "en")

    def transcribe(self, samples: Sound, language: str) -> Transcript:
        if language not in (*self._model.languages, "auto"):
            raise EngineError(
                f"{self._model.name} does not know the language {language!r}", service="stt", permanent=True
            )
        return transcribe(samples, self._decode, self._vocabulary, engine=self._model.id, language="en")

    def _decode(self, samples: Sound, frames: int, most_tokens: int) -> Decoded:
        features = ctranslate2.StorageView.from_array(log_mel(samples, frames)[None])
        result = self._whisper.generate(
            features,
            [self._prompt],
            beam_size=1,
            max_length=2 * most_tokens,  # CTranslate2 generates half of it
            max_initial_timestamp_index=50,
            return_scores=True,
            return_no_speech_prob=True,
        )[0]
        return Decoded(result.sequences_ids[0], result.scores[0], result.no_speech_prob)
