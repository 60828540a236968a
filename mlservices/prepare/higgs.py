"""Higgs Audio V2: the model and its codec, which is another repository of the hub."""

from __future__ import annotations

import json
from pathlib import Path

from ..catalog import Model
from . import hub

_TYPE = "higgs_audio_v2"
_AS_TRANSFORMERS_HAS_IT = "eustlb/higgs-audio-v2-generation-3B-base"  # the weights as its own pages name them
_CODEC = "eustlb/higgs-audio-v2-tokenizer"


def prepare(files: list[Path], folder: Path, model: Model) -> None:
    """The authors' repository may hold the form of their own library, which transformers does not read."""
    hub.fetch(model.source.hub, folder, revision=model.source.revision, wanted=["config.json"])
    written_for_us = json.loads((folder / "config.json").read_text()).get("model_type") == _TYPE
    hub.fetch(model.source.hub if written_for_us else _AS_TRANSFORMERS_HAS_IT, folder)
    hub.fetch(_CODEC, folder / "codec")
