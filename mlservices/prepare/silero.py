"""Silero VAD needs nothing but to be copied."""

from __future__ import annotations

import shutil
from pathlib import Path

from ..catalog import Model


def prepare(files: list[Path], folder: Path, model: Model) -> None:
    shutil.copy(files[0], folder / "silero_vad.onnx")
