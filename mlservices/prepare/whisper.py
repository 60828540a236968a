"""Whisper comes as a CTranslate2 model already."""

from __future__ import annotations

import shutil
from pathlib import Path

from ..catalog import Model


def prepare(files: list[Path], folder: Path, model: Model) -> None:
    for path in files:
        shutil.copy(path, folder / path.name)
