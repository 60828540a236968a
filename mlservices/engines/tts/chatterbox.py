"""Chatterbox Multilingual on the chatterbox-tts package: a Llama writes speech tokens, a flow and a vocoder
make them sound. The package does one after the other; here sound begins while tokens are still written.

Its watermark, which no ear hears, is put into each piece.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from chatterbox.models.s3tokenizer import SPEECH_VOCAB_SIZE
from chatterbox.models.t3.inference.alignment_stream_analyzer import (
    LLAMA_ALIGNED_HEADS,
    AlignmentStreamAnalyzer,
)
from chatterbox.models.t3.inference.t3_hf_backend import T3HuggingfaceBackend
from chatterbox.mtl_tts import ChatterboxMultilingualTTS, punc_norm
from torch.nn import functional
from transformers.generation.logits_process import MinPLogitsWarper, RepetitionPenaltyLogitsProcessor

from ...catalog import Model
from ...errors import EngineError
from ...text import sentences
from .. import Sound, torch_device
from .refusals import default_voice_only, language_of
from .tempo import stretched

_GUIDANCE, _TEMPERATURE, _REPETITION_PENALTY, _MIN_P = 0.5, 0.8, 2.0, 0.05  # the package's own
_MOST_TOKENS = 1000  # 25 a second
_FIRST_TOKENS, _NEXT_TOKENS = 15, 50
_CONTEXT_TOKENS = 50  # what the flow sees of what was said before
_LOOKAHEAD_TOKENS = 3  # what it must see of what follows
_FRAMES_A_TOKEN, _SAMPLES_A_FRAME = 2, 480
_OVERLAP_FRAMES = 8  # over which one piece fades into the next


class Chatterbox:
    def __init__(self, folder: Path, model: Model) -> None:
        self._catalogued = model
        self._device, _ = torch_device.choose()
        self._tts = ChatterboxMultilingualTTS.from_local(folder, str(self._device))
        if self._tts.conds is None:
            raise EngineError(
                f"{folder} has no conds.pt, the voice of {model.name}", service="tts", permanent=True
            )
        _read_cangjie(folder / "Cangjie5_TC.json", self._tts.tokenizer.cangjie_converter)
        self._penalty: Any = RepetitionPenaltyLogitsProcessor(penalty=_REPETITION_PENALTY)
        self._min_p: Any = MinPLogitsWarper(min_p=_MIN_P)
        self._t3, self._flow, self.rate = self._tts.t3, self._tts.s3gen, int(self._tts.sr)

    def warm(self) -> None:
        next(self.speak("Good morning.", voice="default", language="", speed=1.0), None)

    def speak(self, text: str, *, voice: str, language: str, speed: float) -> Iterator[Sound]:
        language = language_of(self._catalogued, language)
        default_voice_only(self._catalogued, voice)
        yield from stretched(self._spoken(text, language), speed, self.rate)

    def _spoken(self, text: str, language: str) -> Iterator[Sound]:
        for sentence in sentences(text):
            if not re.search(r"\w", sentence):
                continue
            for piece in self._sound(self._speech_tokens(self._text_tokens(sentence, language))):
                marked = self._tts.watermarker.apply_watermark(piece, sample_rate=self.rate)
                yield np.clip(marked, -1.0, 1.0).astype(np.float32)

    def _text_tokens(self, text: str, language: str) -> torch.Tensor:
        """Twice, since what is guided is compared with what is not; shape (2, length)."""
        tokens = self._tts.tokenizer.text_to_tokens(punc_norm(text), language_id=language).long()
        tokens = functional.pad(tokens, (1, 0), value=self._t3.hp.start_text_token)
        tokens = functional.pad(tokens, (0, 1), value=self._t3.hp.stop_text_token)
        return torch.cat([tokens, tokens]).to(self._device)

    # --- Words into speech tokens ---

    def _speech_tokens(self, text_tokens: torch.Tensor) -> Iterator[int]:
        """The package's own way to draw them (`T3.inference`), one at a time."""
        t3, hp = self._t3, self._t3.hp
        start = torch.full_like(text_tokens[:, :1], hp.start_speech_token)
        said = start[:1]
        with torch.inference_mode():
            embeds, conditions = t3.prepare_input_embeds(
                t3_cond=self._tts.conds.t3, text_tokens=text_tokens, speech_tokens=start, cfg_weight=_GUIDANCE
            )
            fed = torch.cat([embeds, self._embedded(said, 0)], dim=1)
        backend = T3HuggingfaceBackend(t3.cfg, t3.tfmr, speech_enc=t3.speech_emb, speech_head=t3.speech_head)
        cache = None
        with self._analyzer(conditions, text_tokens.shape[1]) as analyzer:
            for step in range(_MOST_TOKENS):
                with torch.inference_mode():
                    out = backend(inputs_embeds=fed, past_key_values=cache, output_attentions=True)
                    cache = out.past_key_values
                    token = self._drawn(out.logits, said, analyzer)
                    said = torch.cat([said, token], dim=1)
                    if int(token) == hp.stop_speech_token:
                        return
                    fed = self._embedded(token, step + 1)
                if int(token) < SPEECH_VOCAB_SIZE:
                    yield int(token)

    @contextmanager
    def _analyzer(self, begin: int, length: int) -> Iterator[AlignmentStreamAnalyzer]:
        """What watches where in the text the model is; it leaves its hooks where it put them."""
        t3 = self._t3
        spied = [t3.tfmr.layers[layer].self_attn._forward_hooks for layer, _ in LLAMA_ALIGNED_HEADS]
        others = [set(hooks) for hooks in spied]
        try:
            yield AlignmentStreamAnalyzer(
                t3.tfmr,
                None,
                text_tokens_slice=(begin, begin + length),
                eos_idx=t3.hp.stop_speech_token,
            )
        finally:
            for hooks, kept in zip(spied, others, strict=True):
                for hook in set(hooks) - kept:
                    del hooks[hook]

    def _drawn(
        self, logits: torch.Tensor, said: torch.Tensor, analyzer: AlignmentStreamAnalyzer
    ) -> torch.Tensor:
        """The next token, shape (1, 1)."""
        guided, free = logits[:1, -1], logits[1:, -1]
        logits = analyzer.step(guided + _GUIDANCE * (guided - free), next_token=said[0, -1].item())
        return torch.multinomial(self._min_p(said, self._penalty(said, logits) / _TEMPERATURE).softmax(-1), 1)

    def _embedded(self, token: torch.Tensor, position: int) -> torch.Tensor:
        embedded = self._t3.speech_emb(token) + self._t3.speech_pos_emb.get_fixed_embedding(position)
        return torch.cat([embedded, embedded])

    # --- Speech tokens into sound ---

    def _sound(self, tokens: Iterator[int]) -> Iterator[Sound]:
        vocoder = _Vocoder(self._flow)
        kept: list[int] = []
        done, size = 0, _FIRST_TOKENS
        noise = torch.randn(1, 80, _FRAMES_A_TOKEN * _MOST_TOKENS, device=self._device)
        for token in tokens:
            kept.append(token)
            if len(kept) == done + size + _LOOKAHEAD_TOKENS:
                yield vocoder.feed(self._mel(kept, done, noise, last=False), last=False)
                done, size = done + size, _NEXT_TOKENS
        if kept:
            yield vocoder.feed(self._mel(kept, done, noise, last=True), last=True)

    @torch.inference_mode()
    def _mel(self, tokens: list[int], done: int, noise: torch.Tensor, *, last: bool) -> torch.Tensor:
        """Of the tokens from `done` on; the last ones wait for what follows them, unless nothing will.

        The noise it is made from belongs to the place, so seams fit.
        """
        begin = max(0, done - _CONTEXT_TOKENS)
        end = len(tokens) if last else len(tokens) - _LOOKAHEAD_TOKENS
        mel = self._flow(
            torch.tensor([tokens[begin:]], device=self._device),
            ref_wav=None,
            ref_sr=None,
            ref_dict=self._tts.conds.gen,
            finalize=True,  # what its streaming leaves out, its mask keeps: it fails
            skip_vocoder=True,
            n_cfm_timesteps=10,
            noised_mels=noise[:, :, _FRAMES_A_TOKEN * begin : _FRAMES_A_TOKEN * len(tokens)],
        )
        return mel[:, :, _FRAMES_A_TOKEN * (done - begin) : _FRAMES_A_TOKEN * (end - begin)]


class _Vocoder:
    """Mel frames into sound, piece by piece; each begins over the end of the one before it."""

    def __init__(self, flow: Any) -> None:
        self._flow = flow
        self._mel: torch.Tensor | None = None
        self._source: torch.Tensor | None = None  # the vocoder's own hum, which must go on
        self._tail: torch.Tensor | None = None

    @torch.inference_mode()
    def feed(self, mel: torch.Tensor, *, last: bool) -> Sound:
        begun = self._mel is not None
        if self._mel is not None:
            mel = torch.cat([self._mel, mel], dim=2)
        sound, source = self._flow.hift_inference(mel, self._source)
        sound = sound[0]
        overlap = _OVERLAP_FRAMES * _SAMPLES_A_FRAME
        if self._tail is not None:
            rising = torch.linspace(0, 1, len(self._tail), device=sound.device)
            sound[: len(self._tail)] = sound[: len(self._tail)] * rising + self._tail * (1 - rising)
        if not begun:
            fade = self._flow.trim_fade[: len(sound)]
            sound[: len(fade)] *= fade
        if not last:
            self._mel, self._source = mel[:, :, -_OVERLAP_FRAMES:], source[:, :, -overlap:]
            sound, self._tail = sound[:-overlap], sound[-overlap:]
        return sound.float().cpu().numpy()


def _read_cangjie(path: Path, converter: Any) -> None:
    """Chinese characters by their parts; the package looks for this file in the hub's cache alone."""
    if not path.exists():
        return
    for entry in json.loads(path.read_text()):
        word, code = entry.split("\t")[:2]
        converter.word2cj[word] = code
        converter.cj2word.setdefault(code, []).append(word)
