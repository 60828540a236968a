"""Parler-TTS and its Indic sibling, on the parler-tts package: a voice is described in words.

The package runs to the end of a sentence; a streamer hands out its tokens on the way, and their sound is made
here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from parler_tts import ParlerTTSForConditionalGeneration
from transformers import AutoTokenizer
from transformers.generation.streamers import BaseStreamer

from ...catalog import Model
from ...text import sentences
from .. import Sound, torch_device
from . import codec
from .handing import handed_out
from .refusals import language_of
from .tempo import stretched

_DEFAULT = (
    "A female speaker with a clear and friendly voice speaks at a moderate pace. "
    "The recording is of very high quality, close up and without background noise."
)
_FRAMES_A_CHARACTER, _FRAMES_BESIDE = 14, 260  # 86 a second; a text that takes longer has gone astray


class _Steps(BaseStreamer):
    """Hands on one token of each codebook a step."""

    def __init__(self, put: Callable[[codec.Tokens], None]) -> None:
        self._put, self._begun = put, False

    def put(self, value: torch.Tensor) -> None:
        if self._begun:  # the first is where generation starts from
            self._put(value.numpy())
        self._begun = True

    def end(self) -> None:
        pass


class Parler:
    def __init__(self, folder: Path, model: Model) -> None:
        self._catalogued = model
        self._device, dtype = torch_device.choose()
        parler = ParlerTTSForConditionalGeneration.from_pretrained(folder, torch_dtype=dtype)
        self._model = parler.eval().to(self._device)
        self._words = AutoTokenizer.from_pretrained(folder)
        self._description = AutoTokenizer.from_pretrained(folder / "description")
        self._codec = self._model.audio_encoder
        self.rate: int = self._codec.config.sampling_rate
        self._samples_per_frame = math.floor(self.rate / self._codec.config.frame_rate)

    def warm(self) -> None:
        next(self.speak("Good morning.", voice="default", language="", speed=1.0), None)

    def speak(self, text: str, *, voice: str, language: str, speed: float) -> Iterator[Sound]:
        language_of(self._catalogued, language)
        description = _DEFAULT if voice in ("default", self._catalogued.id) else voice
        yield from stretched(self._spoken(text, description), speed, self.rate)

    def _spoken(self, text: str, description: str) -> Iterator[Sound]:
        described = self._description(description, return_tensors="pt").to(self._device)
        for sentence in sentences(text):
            if not re.search(r"\w", sentence):
                continue
            words = self._words(sentence, return_tensors="pt").to(self._device)

            def produce(put: Callable[[codec.Tokens], None], words: dict[str, torch.Tensor] = words) -> None:
                self._model.generate(
                    input_ids=described["input_ids"],
                    attention_mask=described["attention_mask"],
                    prompt_input_ids=words["input_ids"],
                    prompt_attention_mask=words["attention_mask"],
                    do_sample=True,
                    max_new_tokens=self._most_frames(sentence),  # noqa: B023 (awaited before the next)
                    streamer=_Steps(put),
                )

            frames = codec.frames(handed_out(produce), codebook_size=self._codec.config.codebook_size)
            yield from codec.sound(frames, self._decode, self._samples_per_frame)

    def _most_frames(self, text: str) -> int:
        room = self._model.decoder.config.max_position_embeddings // 2
        return min(_FRAMES_A_CHARACTER * len(text) + _FRAMES_BESIDE, room)

    @torch.inference_mode()
    def _decode(self, frames: NDArray[np.int64]) -> Sound:
        codes = torch.from_numpy(frames.T)[None].to(self._device)
        if self._model.use_4dim_audio_codes:
            codes = codes[None]
        scales = {"audio_scales": [None]} if self._model.use_audio_scales else {}
        sound = self._codec.decode(audio_codes=codes, **scales).audio_values
        return np.clip(sound.ravel().float().cpu().numpy(), -1.0, 1.0)
