"""Whether the models folder can be written and has room, asked before anything is fetched or made."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from ..errors import PrepareError

_MB = 2**20


def check_writable(models_dir: Path) -> None:
    try:
        models_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=models_dir):
            pass
    except OSError as error:
        raise PrepareError(
            f"The models folder {models_dir} cannot be written ({error.strerror}): "
            "make it writable or set HF_HOME to another one."
        ) from error


def check_room(models_dir: Path, needed_bytes: int, who: str) -> None:
    """`who` needs so many bytes more, in the plural."""
    free = shutil.disk_usage(models_dir).free
    if free < needed_bytes:
        raise PrepareError(
            f"{models_dir} has {free // _MB} MB free, {who} need {-(-needed_bytes // _MB)} MB: "
            "free some space or set HF_HOME to another disk."
        )
