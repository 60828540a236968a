"""Whisper from the hub, made a CTranslate2 model: float16, of which int8 is made where it is loaded."""

from __future__ import annotations

import json
from pathlib import Path

from ctranslate2.converters import TransformersConverter
from transformers import AutoTokenizer

from ..catalog import Model


def prepare(files: list[Path], folder: Path, model: Model) -> None:
    (source,) = files
    convert(source, folder)


def convert(source: Path, folder: Path) -> None:
    """A folder of transformers' into one of CTranslate2's, with the tokenizer beside it."""
    TransformersConverter(str(source)).convert(str(folder), quantization="float16", force=True)
    AutoTokenizer.from_pretrained(source).backend_tokenizer.save(str(folder / "tokenizer.json"))
    if not json.loads((folder / "config.json").read_text()).get("suppress_ids"):
        raise ValueError("the converted Whisper would say what it must not: it has no suppress_ids")
