"""Parler-TTS: the model, and the tokenizer that reads the description of a voice, another model's."""

from __future__ import annotations

import json
from pathlib import Path

from ..catalog import Model
from . import hub

_TOKENIZER = ("tokenizer*.json", "special_tokens_map.json", "*.model")


def prepare(files: list[Path], folder: Path, model: Model) -> None:
    hub.prepare(files, folder, model)
    reader = json.loads((folder / "config.json").read_text())["text_encoder"]["_name_or_path"]
    hub.fetch(reader, folder / "description", wanted=_TOKENIZER)
