"""Whisper on transformers, with the same short context as our other Whisper.

`generate` always encodes 30 s; here the encoder's own layers run over what was said, and a greedy loop
decodes with a kept cache.
"""

from __future__ import annotations

from pathlib import Path

import torch
from tokenizers import Tokenizer
from transformers import DynamicCache, EncoderDecoderCache, WhisperForConditionalGeneration

from ...catalog import Model
from ...types import Transcript
from .. import Sound, torch_device
from ..mel import RATE, log_mel
from .decoding import Decoded, Vocabulary, transcribe

_NEVER = -1e9


class TransformersWhisper:
    rate = RATE
    side_by_side = 2

    def __init__(self, folder: Path, model: Model) -> None:
        self._catalogued = model
        self._device, dtype = torch_device.choose()
        whisper = WhisperForConditionalGeneration.from_pretrained(folder, dtype=dtype)
        self._model = whisper.eval().to(self._device)
        settings = self._model.generation_config
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        ids = tokenizer.get_vocab()
        self._vocabulary = Vocabulary(
            first_timestamp=settings.no_timestamps_token_id + 1,
            end_of_text=settings.eos_token_id,
            to_text=tokenizer.decode,
        )
        self._start, self._ids = settings.decoder_start_token_id, ids
        self._multilingual = bool(settings.is_multilingual)
        self._nothing_said = ids.get("<|nocaptions|>", ids.get("<|nospeech|>"))
        self._bias = torch.zeros(self._model.config.vocab_size, device=self._device)
        self._bias[[*(settings.suppress_tokens or []), settings.no_timestamps_token_id]] = _NEVER
        self._first_bias = self._bias.clone()
        self._first_bias[list(settings.begin_suppress_tokens or [])] = _NEVER
        self._first_bias[: self._vocabulary.first_timestamp] = _NEVER  # the text begins with its time

    def warm(self) -> None:
        heard = self.encode(torch.zeros(RATE).numpy(), 800)
        language = self.detect(heard) if self._multilingual else self._catalogued.languages[0]
        self.decode(heard, language, 4)

    def transcribe(self, samples: Sound, language: str) -> Transcript:
        return transcribe(samples, self, self._vocabulary, self._catalogued, language)

    @torch.inference_mode()
    def detect(self, heard: torch.Tensor) -> str:
        states = self._model.model.decoder(
            input_ids=torch.tensor([[self._start]], device=self._device), encoder_hidden_states=heard
        ).last_hidden_state
        logits = self._model.proj_out(states[0, -1])
        known = [code for code in self._catalogued.languages if f"<|{code}|>" in self._ids]
        return known[int(logits[[self._ids[f"<|{code}|>"] for code in known]].argmax())]

    @torch.inference_mode()
    def decode(self, heard: torch.Tensor, language: str, most_tokens: int) -> Decoded:
        prompt = [self._start]
        if self._multilingual:
            prompt += [self._ids[f"<|{language}|>"], self._ids["<|transcribe|>"]]
        cache = EncoderDecoderCache(DynamicCache(), DynamicCache())
        first_timestamp = self._vocabulary.first_timestamp
        ids, total, nothing_said = list[int](), 0.0, 0.0
        fed = torch.tensor([prompt], device=self._device)
        while len(ids) < most_tokens:
            states = self._model.model.decoder(
                input_ids=fed, encoder_hidden_states=heard, past_key_values=cache, use_cache=True
            ).last_hidden_state
            logits = self._model.proj_out(states[0, -1]).float()
            if not ids and self._nothing_said is not None:
                nothing_said = float(logits.softmax(-1)[self._nothing_said])
            scores = (logits + (self._bias if ids else self._first_bias)).log_softmax(-1)
            token = int(scores.argmax())
            times, words = scores[first_timestamp:], scores[:first_timestamp]
            if ids and times.logsumexp(0) > words.max():  # some time is likelier than any word
                token = first_timestamp + int(times.argmax())
            if token == self._vocabulary.end_of_text:
                break
            total += float(scores[token])
            ids.append(token)
            fed = torch.tensor([[token]], device=self._device)
        return Decoded(ids, total / max(1, len(ids)), nothing_said)

    @torch.inference_mode()
    def encode(self, samples: Sound, frames: int) -> torch.Tensor:
        """The encoder over `frames` of features instead of always 3000; shape (1, frames / 2, width)."""
        encoder = self._model.model.encoder
        mel = torch.from_numpy(log_mel(samples, frames, self._model.config.num_mel_bins))
        features = mel[None].to(self._device, self._model.dtype)
        hidden = torch.nn.functional.gelu(encoder.conv1(features))
        hidden = torch.nn.functional.gelu(encoder.conv2(hidden)).transpose(1, 2)
        hidden = hidden + encoder.embed_positions.weight[: hidden.shape[1]]
        for layer in encoder.layers:
            out = layer(hidden, None)
            hidden = out[0] if isinstance(out, tuple) else out
        return encoder.layer_norm(hidden)
