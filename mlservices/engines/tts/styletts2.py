"""StyleTTS 2 (LibriTTS) by the modules of the styletts2 package.

The package's own front door downloads what it needs and splits texts with langchain; only its models,
phonemes and sampler are used. All of a clause is made at once: the model's decoder normalises over its whole
length, so sound comes clause by clause.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile
import soxr
import torch
import torchaudio
from munch import munchify
from safetensors.torch import load_file
from styletts2 import models
from styletts2.Modules.diffusion.sampler import ADPM2Sampler, DiffusionSampler, KarrasSchedule
from styletts2.phoneme import PhonemeConverterFactory
from styletts2.text_utils import dicts as symbols
from styletts2.Utils.PLBERT.util import CustomAlbert
from transformers import AlbertConfig

from ...catalog import Model
from ...text import sentences
from .. import Sound, torch_device
from .refusals import default_voice_only, language_of

_ALPHA, _BETA = 0.3, 0.7  # how much of timbre and prosody is made up for the text: the package's own
_KEPT_STYLE = 0.7  # of the clause before
_STEPS = 5
_PULSE = 50  # samples at the end of each clause, which the model spoils
_LONGEST = 510  # phonemes
_SHORTEST_CLAUSE = 40  # characters
_CLAUSE = re.compile(rf".{{{_SHORTEST_CLAUSE},}}?[,;:](?=\s)|.+$", re.S)
_SPOKEN = ("bert", "bert_encoder", "predictor", "decoder", "text_encoder", "diffusion")
_STYLE = ("style_encoder", "predictor_encoder")


class StyleTts2:
    rate = 24000

    def __init__(self, folder: Path, model: Model) -> None:
        self._catalogued = model
        self._device, _ = torch_device.choose()
        config = json.loads((folder / "config.json").read_text())
        bert = CustomAlbert(AlbertConfig(**config["plbert"]))
        params = munchify(config["model_params"])
        nothing = torch.nn.Identity()  # aligner and pitch extractor, which only training needs
        nets = models.build_model(params, nothing, nothing, bert)
        weights = load_file(str(folder / "model.safetensors"))
        self._nets = {}
        for name in (*_SPOKEN, *_STYLE):
            own = {
                key[len(name) + 1 :]: value for key, value in weights.items() if key.startswith(f"{name}.")
            }
            nets[name].load_state_dict(own)
            self._nets[name] = nets[name].eval().to(self._device)
        self._shifted = params.decoder.type == "hifigan"
        self._style_width = params.style_dim
        self._sampler = DiffusionSampler(
            nets.diffusion.diffusion,
            sampler=ADPM2Sampler(),
            sigma_schedule=KarrasSchedule(sigma_min=0.0001, sigma_max=3.0, rho=9.0),
            clamp=False,
        )
        self._phonemes = PhonemeConverterFactory.load_phoneme_converter("gruut")
        self._voice = self._style_of(folder / "voice.wav")

    def warm(self) -> None:
        next(self.speak("Good morning.", voice="default", language="", speed=1.0), None)

    def speak(self, text: str, *, voice: str, language: str, speed: float) -> Iterator[Sound]:
        language_of(self._catalogued, language)
        default_voice_only(self._catalogued, voice)
        style: torch.Tensor | None = None
        for sentence in sentences(text):
            for clause in _CLAUSE.findall(sentence):
                tokens = self._tokens(clause)
                if len(tokens) > 1:
                    sound, style = self._spoken(tokens, style, speed)
                    yield np.clip(sound, -1.0, 1.0)

    def _tokens(self, text: str) -> list[int]:
        """The pad alone when nothing in the text can be said."""
        if not re.search(r"\w", text):
            return [0]
        phonemes = self._phonemes.phonemize(text.replace('"', ""))
        return [0, *(symbols[phoneme] for phoneme in phonemes if phoneme in symbols)][:_LONGEST]

    @torch.inference_mode()
    def _style_of(self, path: Path) -> torch.Tensor:
        """Timbre and prosody of a recording, side by side; shape (1, 2 * style width)."""
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
        samples = soxr.resample(samples[:, 0], rate, self.rate)
        # Like the package, which leaves the mel scale at that of 16 kHz.
        spectrum = torchaudio.transforms.MelSpectrogram(
            n_mels=80, n_fft=2048, win_length=1200, hop_length=300
        )
        mel = (torch.log(1e-5 + spectrum(torch.from_numpy(samples))) + 4) / 4
        mel = mel[None, None].to(self._device)
        return torch.cat([self._nets[name](mel) for name in _STYLE], dim=1)

    @torch.inference_mode()
    def _spoken(
        self, ids: list[int], before: torch.Tensor | None, speed: float
    ) -> tuple[Sound, torch.Tensor]:
        """(sound, the style it was spoken in)."""
        nets, device = self._nets, self._device
        tokens = torch.tensor([ids], device=device)
        lengths = torch.tensor([len(ids)], device=device)
        mask = torch.zeros(1, len(ids), dtype=torch.bool, device=device)
        heard = nets["bert"](tokens, attention_mask=(~mask).int())
        style = self._style(heard, before)
        timbre, prosody = style[:, : self._style_width], style[:, self._style_width :]
        prosodic = nets["predictor"].text_encoder(
            nets["bert_encoder"](heard).transpose(-1, -2), prosody, lengths, mask
        )
        states, _ = nets["predictor"].lstm(prosodic)
        durations = torch.sigmoid(nets["predictor"].duration_proj(states)).sum(dim=-1)[0] / speed
        repeats = torch.round(durations).clamp(min=1).long()
        prosody_frames = self._spread(prosodic.transpose(-1, -2), repeats)
        pitch, energy = nets["predictor"].F0Ntrain(prosody_frames, prosody)
        frames = self._spread(nets["text_encoder"](tokens, lengths, mask), repeats)
        sound = nets["decoder"](frames, pitch, energy, timbre).ravel()[:-_PULSE]
        return sound.float().cpu().numpy(), style

    def _style(self, heard: torch.Tensor, before: torch.Tensor | None) -> torch.Tensor:
        """The voice's own, and what the diffusion makes up for these words."""
        width = self._style_width
        noise = torch.randn(1, 1, 2 * width, device=self._device)
        made_up = self._sampler(
            noise=noise, embedding=heard, embedding_scale=1, features=self._voice, num_steps=_STEPS
        ).squeeze(1)
        if before is not None:
            made_up = _KEPT_STYLE * before + (1 - _KEPT_STYLE) * made_up
        share = torch.tensor([_ALPHA] * width + [_BETA] * width, device=self._device)
        return share * made_up + (1 - share) * self._voice

    def _spread(self, states: torch.Tensor, repeats: torch.Tensor) -> torch.Tensor:
        """Each phoneme's state over as many frames as it lasts; the HiFi-GAN decoder wants them one later."""
        spread = states.repeat_interleave(repeats, dim=2)
        return torch.cat([spread[:, :, :1], spread[:, :, :-1]], dim=2) if self._shifted else spread
