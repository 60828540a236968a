"""StyleTTS 2: weights out of the training checkpoint, a recording as its voice, and PL-BERT's sizes."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path

import torch
import yaml
from safetensors.torch import save_file

from ..catalog import Model
from ..errors import PrepareError

_CHECKPOINT, _CONFIG = "Models/LibriTTS/epochs_2nd_00020.pth", "Models/LibriTTS/config.yml"
_RECORDINGS, _SPEAKER = "reference_audio.zip", "696_92939"
_NEEDED = (
    "bert",
    "bert_encoder",
    "predictor",
    "decoder",
    "text_encoder",
    "diffusion",
    "style_encoder",
    "predictor_encoder",
)
PLBERT = {  # the sizes that its authors published; the weights are part of the checkpoint
    "vocab_size": 178,
    "hidden_size": 768,
    "num_attention_heads": 12,
    "intermediate_size": 2048,
    "max_position_embeddings": 512,
    "num_hidden_layers": 12,
    "dropout": 0.1,
}


def prepare(files: list[Path], folder: Path, model: Model) -> None:
    (source,) = files
    arrange(source, folder, plbert=PLBERT)


def arrange(source: Path, folder: Path, *, plbert: Mapping[str, float]) -> None:
    try:
        trained = torch.load(source / _CHECKPOINT, map_location="cpu", weights_only=True, mmap=True)["net"]
    except Exception as error:  # whatever the unpickler meets
        raise PrepareError(f"{_CHECKPOINT} holds more than weights, and is not opened: {error}") from error
    save_file(weights(trained), str(folder / "model.safetensors"))
    params = yaml.safe_load((source / _CONFIG).read_text())["model_params"]
    (folder / "config.json").write_text(json.dumps({"model_params": params, "plbert": dict(plbert)}))
    with zipfile.ZipFile(source / _RECORDINGS) as archive:
        recordings = sorted(
            name for name in archive.namelist() if name.endswith(".wav") and "__MACOSX" not in name
        )
        chosen = next((name for name in recordings if _SPEAKER in name), recordings[0])
        (folder / "voice.wav").write_bytes(archive.read(chosen))


def weights(trained: Mapping[str, Mapping[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
    """By "module.parameter"; what training in parallel put before the names is taken off."""
    return {
        f"{module}.{key.removeprefix('module.')}": value.clone().contiguous()
        for module in _NEEDED
        for key, value in trained[module].items()
        if not key.endswith("position_ids")
    }
