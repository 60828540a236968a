"""Higgs Audio V2 on transformers: a Llama that writes an audio codec's tokens, their sound made as it writes.

`generate` tells nothing of audio before its end, hence a loop of our own around the model and the library's
own rule for the delayed codebooks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import (
    AutoTokenizer,
    DynamicCache,
    HiggsAudioV2ForConditionalGeneration,
    HiggsAudioV2TokenizerModel,
)
from transformers.models.higgs_audio_v2.generation_higgs_audio_v2 import (
    HiggsAudioV2DelayPatternLogitsProcessor,
)

from ...catalog import Model
from ...text import sentences
from .. import Sound, torch_device
from ..eight_bits import in_eight_bits
from . import codec
from .refusals import default_voice_only, language_of
from .tempo import stretched

_SYSTEM = "Generate audio following instruction."
_SCENE = "Audio is recorded from a quiet room."
_TEMPERATURE, _TOP_K = 0.7, 50
_WINDOW, _MOST_REPEATS = 7, 2  # a token that comes twice in 7 frames is drawn anew, or the voice sticks
_FRAMES_A_CHARACTER, _FRAMES_BESIDE = 4, 100  # 25 a second; a text that takes longer has gone astray


class Higgs:
    def __init__(self, folder: Path, model: Model) -> None:
        self._catalogued = model
        self._device, dtype = torch_device.choose()
        how = in_eight_bits(model, self._device, leave=["audio_lm_head"]) or {"dtype": dtype}
        self._model = HiggsAudioV2ForConditionalGeneration.from_pretrained(folder, **how).eval()
        if "device_map" not in how:
            self._model.to(self._device)
        self._codec = HiggsAudioV2TokenizerModel.from_pretrained(folder / "codec").eval().to(self._device)
        self._tokenizer = AutoTokenizer.from_pretrained(folder)
        self._config = self._model.config
        self._first_mark = min(self._config.audio_stream_bos_id, self._config.audio_stream_eos_id)
        self.rate: int = self._codec.config.sample_rate

    def warm(self) -> None:
        next(self.speak("Good morning.", voice="default", language="", speed=1.0), None)

    def speak(self, text: str, *, voice: str, language: str, speed: float) -> Iterator[Sound]:
        language_of(self._catalogued, language)
        default_voice_only(self._catalogued, voice)
        yield from stretched(self._spoken(text), speed, self.rate)

    def _spoken(self, text: str) -> Iterator[Sound]:
        for sentence in sentences(text):
            if not re.search(r"\w", sentence):
                continue
            columns = self._columns(self._prompt(sentence), self._most_frames(sentence))
            frames = codec.frames(columns, codebook_size=self._first_mark)
            yield from codec.sound(frames, self._decode, self._codec.config.hop_length)

    def _most_frames(self, text: str) -> int:
        return min(
            _FRAMES_A_CHARACTER * len(text) + _FRAMES_BESIDE, self._config.max_position_embeddings // 2
        )

    def _prompt(self, text: str) -> list[int]:
        def said(role: str, words: str) -> dict[str, Any]:
            return {"role": role, "content": [{"type": "text", "text": words}]}

        text = text.replace("<|", "< |")  # a text cannot end itself
        conversation = [said("system", _SYSTEM), said("scene", _SCENE), said("user", text)]
        ids = self._tokenizer.apply_chat_template(
            conversation, add_generation_prompt=True, return_dict=False, tokenize=True
        )
        return list(ids)

    def _columns(self, prompt: list[int], most: int) -> Iterator[codec.Tokens]:
        """One token of each codebook a step, delayed; the first step, which only begins, is left out."""
        config, cache = self._config, DynamicCache(config=self._config)
        rule = HiggsAudioV2DelayPatternLogitsProcessor(
            delay_pattern=[book + 1 for book in range(config.num_codebooks)],
            audio_bos_token_id=config.audio_bos_token_id,
            audio_eos_token_id=config.audio_delay_token_id,
            audio_stream_bos_id=config.audio_stream_bos_id,
            audio_stream_eos_id=config.audio_stream_eos_id,
            num_codebooks=config.num_codebooks,
            codebook_size=config.codebook_size,
        )
        text_ids = torch.tensor([prompt], device=self._device)
        fed: dict[str, torch.Tensor] = {"input_ids": text_ids}
        recent: list[torch.Tensor] = []
        for step in range(most):
            with torch.inference_mode():
                out = self._model(**fed, past_key_values=cache, use_cache=True, logits_to_keep=1)
                logits = out.logits[:, -1].float()
                tokens = self._draw(rule(text_ids, logits), logits, recent)
            if bool((tokens == config.audio_stream_eos_id).all()):
                return
            if step:
                yield tokens.cpu().numpy()
            recent = [*recent[1 - _WINDOW :], tokens]
            ending = text_ids[0, -1] == config.audio_delay_token_id or config.audio_stream_eos_id in tokens
            mark = config.audio_delay_token_id if ending else config.audio_token_id
            text_ids = torch.cat([text_ids, text_ids.new_tensor([[mark]])], dim=1)[:, -config.num_codebooks :]
            fed = {"audio_input_ids": tokens[None, None]}

    def _draw(self, scores: torch.Tensor, logits: torch.Tensor, recent: list[torch.Tensor]) -> torch.Tensor:
        """One token of each codebook; `scores` keep to the rule, `logits` are the model's own."""
        scores = scores / _TEMPERATURE
        likely = scores.topk(min(_TOP_K, scores.shape[-1]), dim=-1)
        drawn = torch.multinomial(likely.values.softmax(-1), 1)
        tokens = likely.indices.gather(1, drawn)[:, 0]
        if recent:
            repeats = (torch.stack(recent) == tokens).sum(0)
            stuck = (repeats >= _MOST_REPEATS) & (tokens < self._first_mark)
            if bool(stuck.any()):
                own = logits.reshape(self._config.num_codebooks, -1)[stuck, : self._first_mark]
                tokens[stuck] = torch.multinomial(own.softmax(-1), 1)[:, 0]
        return tokens

    @torch.inference_mode()
    def _decode(self, frames: NDArray[np.int64]) -> Sound:
        codes = torch.from_numpy(frames.T)[None].to(self._device)
        sound = self._codec.decode(codes).audio_values.ravel().float().cpu().numpy()
        return np.clip(sound, -1.0, 1.0)
