"""Whisper on CTranslate2: int8 on one thread, float16 on a GPU; the encoder sees no more than it must."""

from __future__ import annotations

from pathlib import Path

import ctranslate2
import numpy as np
from tokenizers import Tokenizer

from ...catalog import Model
from ...types import Transcript
from .. import Sound
from ..mel import RATE, log_mel
from .decoding import Decoded, Vocabulary, transcribe


class Whisper:
    rate = RATE
    side_by_side = 2

    def __init__(self, folder: Path, model: Model) -> None:
        self._model = model
        gpu = ctranslate2.get_cuda_device_count() > 0
        self._whisper = ctranslate2.models.Whisper(
            str(folder),
            device="cuda" if gpu else "cpu",
            compute_type="float16" if gpu else "int8",
            inter_threads=self.side_by_side,
            intra_threads=1,
        )
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        ids = tokenizer.get_vocab()
        self._start, self._ids = ids["<|startoftranscript|>"], ids
        self._vocabulary = Vocabulary(
            first_timestamp=ids["<|notimestamps|>"] + 1,
            end_of_text=ids["<|endoftext|>"],
            to_text=tokenizer.decode,
        )

    def warm(self) -> None:
        noise = np.random.default_rng(0).standard_normal(RATE).astype(np.float32) * 0.02
        self.transcribe(noise, "auto")

    def transcribe(self, samples: Sound, language: str) -> Transcript:
        return transcribe(samples, self, self._vocabulary, self._model, language)

    def encode(self, samples: Sound, frames: int) -> ctranslate2.StorageView:
        features = log_mel(samples, frames, self._whisper.n_mels)
        return self._whisper.encode(ctranslate2.StorageView.from_array(features[None]))

    def detect(self, heard: ctranslate2.StorageView) -> str:
        known = {f"<|{language}|>" for language in self._model.languages}
        (likely,) = self._whisper.detect_language(heard)  # the likeliest first
        return next(token for token, _ in likely if token in known)[2:-2]

    def decode(self, heard: ctranslate2.StorageView, language: str, most_tokens: int) -> Decoded:
        prompt = [self._start]
        if self._whisper.is_multilingual:
            prompt += [self._ids[f"<|{language}|>"], self._ids["<|transcribe|>"]]
        result = self._whisper.generate(
            heard,
            [prompt],
            beam_size=1,
            max_length=2 * most_tokens,  # CTranslate2 generates half of it
            max_initial_timestamp_index=50,
            return_scores=True,
            return_no_speech_prob=True,
        )[0]
        return Decoded(result.sequences_ids[0], result.scores[0], result.no_speech_prob)
