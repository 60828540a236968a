"""Higgs Audio V2: the model and its codec, which is another repository of the hub."""

from __future__ import annotations

import json
import os
from pathlib import Path

from ..catalog import Model
from ..errors import PrepareError
from . import hub

CODEC = "eustlb/higgs-audio-v2-tokenizer"  # as transformers' own pages name it
_TYPE = "higgs_audio_v2"


def prepare(files: list[Path], folder: Path, model: Model) -> None:
    """PrepareError where the repository holds the form of the authors' own library."""
    hub.prepare(files, folder, model)
    written_for = json.loads((folder / "config.json").read_text()).get("model_type")
    if written_for != _TYPE:
        raise PrepareError(
            f"{model.source.hub} holds a model of the type {written_for!r}, and not transformers' {_TYPE}: "
            "name another repository in the catalogue."
        )
    os.rename(folder / CODEC.rpartition("/")[2], folder / "codec")
