"""VITS on transformers, its decoder run in slices as in our other voice.

Two kinds of folders: a checkpoint as on the hub (MMS: letters in), and a converted Piper voice, which has
`phoneme_ids.json` beside it and takes phonemes from the espeak-ng program.
"""

from __future__ import annotations

import json
import math
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import nn
from transformers import VitsConfig, VitsModel, VitsTokenizer

from ...catalog import Model
from ...errors import EngineError
from ...text import sentences
from .. import Sound, torch_device
from .piper_vits import build
from .refusals import default_voice_only, language_of
from .slices import slices

_CONTEXT_FRAMES = 16  # transformers' residual blocks look further around than Piper's
_ESPEAK_SECONDS = 10


class _Latent(nn.Module):
    """In the decoder's place: keeps what it is given, so that the decoder can run on slices of it."""

    def forward(self, latent: torch.Tensor, global_conditioning: torch.Tensor | None = None) -> torch.Tensor:
        self.kept = latent
        return latent[:, :1]


class TransformersVits:
    def __init__(self, folder: Path, model: Model) -> None:
        self._catalogued = model
        self._device, _ = torch_device.choose()  # small enough for whole digits
        phonemes = folder / "phoneme_ids.json"
        if phonemes.exists():
            self._read: _Phonemes | _Letters = _Phonemes(json.loads(phonemes.read_text()))
            vits = build(VitsConfig.from_pretrained(folder))
            vits.load_state_dict(load_file(str(folder / "model.safetensors")))
        else:
            self._read = _Letters(VitsTokenizer.from_pretrained(folder))
            vits = VitsModel.from_pretrained(folder).eval()
        self.rate: int = vits.config.sampling_rate
        self._samples_per_frame = math.prod(vits.config.upsample_rates)
        self._decoder, self._latent = vits.decoder, _Latent()
        vits.add_module("decoder", self._latent)
        vits.to(self._device)  # type: ignore[arg-type]
        self._vits = vits
        self._decoder.to(self._device)
        self._speaking_rate = vits.speaking_rate

    def warm(self) -> None:
        for _ in self.speak("Good morning.", voice="default", language="", speed=1.0):
            pass

    def speak(self, text: str, *, voice: str, language: str, speed: float) -> Iterator[Sound]:
        language_of(self._catalogued, language)
        default_voice_only(self._catalogued, voice)
        for sentence in sentences(text):
            ids = self._read.ids(sentence)
            if ids:
                yield from self._spoken(ids, speed)

    def _spoken(self, ids: list[int], speed: float) -> Iterator[Sound]:
        with torch.inference_mode():
            self._vits.speaking_rate = self._speaking_rate * speed
            self._vits(torch.tensor([ids], device=self._device))
            latent = self._latent.kept
        for part, keep in slices(latent.shape[2], self._samples_per_frame, context=_CONTEXT_FRAMES):
            with torch.inference_mode():
                sound = self._decoder(latent[:, :, part])
            yield sound.ravel().cpu().numpy()[keep]


class _Letters:
    def __init__(self, tokenizer: VitsTokenizer) -> None:
        self._tokenizer = tokenizer

    def ids(self, text: str) -> list[int]:
        """Empty when nothing in the text can be said."""
        ids: list[int] = self._tokenizer(text)["input_ids"]
        return ids if len(ids) > 1 else []


class _Phonemes:
    def __init__(self, ids: dict[str, list[int]]) -> None:
        self._ids = ids
        self._program = shutil.which("espeak-ng")
        if self._program is None:
            raise EngineError(
                "this voice needs the program espeak-ng: run `apt-get install espeak-ng`",
                service="tts",
                permanent=True,
            )

    def ids(self, text: str) -> list[int]:
        """Empty when nothing in the text can be said."""
        phonemes = "".join(
            self._of_clause(clause) + mark + " "
            for clause, mark in re.findall(r"([^,.;:!?]+)([,.;:!?]?)", text)
        )
        known = [self._ids[phoneme] for phoneme in phonemes.strip() if phoneme in self._ids]
        return [1, 0, *(i for ids in known for i in (*ids, 0)), 2] if re.search(r"\w", phonemes) else []

    def _of_clause(self, clause: str) -> str:
        """Its phonemes; the program drops punctuation, so it is given none."""
        command = [str(self._program), "-q", "--ipa", "-v", "en-us", "--stdin"]
        done = subprocess.run(command, input=clause, capture_output=True, text=True, timeout=_ESPEAK_SECONDS)
        return " ".join(done.stdout.split())
