"""Parler-TTS: the model, and the tokenizer that reads the description of a voice, another model's."""

from __future__ import annotations

import json
import os
from pathlib import Path

from ..catalog import Model
from ..errors import PrepareError
from . import hub


def prepare(files: list[Path], folder: Path, model: Model) -> None:
    """PrepareError where the model was trained with another reader than the catalogue names."""
    hub.prepare(files, folder, model)
    reader = json.loads((folder / "config.json").read_text())["text_encoder"]["_name_or_path"]
    (named,) = model.source.also
    if reader != named.hub:
        raise PrepareError(f"{model.source.hub} reads descriptions by {reader}: name it in the catalogue.")
    os.rename(folder / named.hub.rpartition("/")[2], folder / "description")
