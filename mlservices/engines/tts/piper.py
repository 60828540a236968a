"""A Piper voice on ONNX Runtime, its decoder run in slices: the first sound after a tenth of a second.

This file alone imports piper-tts (GPL-3.0-or-later), for its phonemes, and runs only inside a worker process.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from piper.phonemize_espeak import EspeakPhonemizer

from ...catalog import Model
from ...text import sentences
from .. import Sound
from ..onnx_session import session
from .refusals import default_voice_only, language_of
from .slices import slices

_SAMPLES_PER_FRAME = 256


class Piper:
    side_by_side = 2

    def __init__(self, folder: Path, model: Model) -> None:
        self._model = model
        config = json.loads((folder / "voice.json").read_text())
        self.rate: int = config["audio"]["sample_rate"]
        self._ids: dict[str, list[int]] = config["phoneme_id_map"]
        self._espeak_voice: str = config["espeak"]["voice"]
        inference = config["inference"]
        self._scales = (inference["noise_scale"], inference["length_scale"], inference["noise_w"])
        self._phonemizer = EspeakPhonemizer()
        self._encoder = session(folder / "encoder.onnx")
        self._decoder = session(folder / "decoder.onnx")
        self._latent = self._decoder.get_inputs()[0].name

    def warm(self) -> None:
        for _ in self.speak(
            "Good morning, how can I help you today?", voice="default", language="", speed=1.0
        ):
            pass

    def speak(self, text: str, *, voice: str, language: str, speed: float) -> Iterator[Sound]:
        language_of(self._model, language)
        default_voice_only(self._model, voice)
        for sentence in sentences(text):
            if re.search(r"\w", sentence):
                yield from self._spoken(sentence, speed)

    def _spoken(self, sentence: str, speed: float) -> Iterator[Sound]:
        for phonemes in self._phonemizer.phonemize(self._espeak_voice, sentence):
            ids = [1, 0, *(i for p in phonemes if p in self._ids for i in (*self._ids[p], 0)), 2]
            if len(ids) == 3:
                continue
            noise, length, noise_w = self._scales
            (latent,) = self._encoder.run(
                None,
                {
                    "input": np.array([ids], np.int64),
                    "input_lengths": np.array([len(ids)], np.int64),
                    "scales": np.array([noise, length / speed, noise_w], np.float32),
                },
            )
            for part, keep in slices(latent.shape[2], _SAMPLES_PER_FRAME):
                (sound,) = self._decoder.run(None, {self._latent: np.ascontiguousarray(latent[:, :, part])})
                yield np.ravel(sound)[keep]
