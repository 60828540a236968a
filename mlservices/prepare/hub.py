"""A checkpoint from the Hugging Face hub: what its revision holds on the day, checked by the hub alone.

Where the catalogue names a branch, another day may bring other files; what is prepared stays as it is.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from huggingface_hub import snapshot_download

from ..catalog import Model
from ..errors import PrepareError

_WANTED = ("*.json", "*.safetensors", "*.txt", "*.model", "*.jinja")


def prepare(files: list[Path], folder: Path, model: Model) -> None:
    """The files that the catalogue names, or all of the usual kinds."""
    fetch(model.source.hub, folder, revision=model.source.revision, wanted=model.source.patterns or _WANTED)


def fetch(repository: str, folder: Path, *, revision: str = "main", wanted: Sequence[str] = _WANTED) -> None:
    try:
        snapshot_download(repository, revision=revision, local_dir=folder, allow_patterns=list(wanted))
    except Exception as error:  # the hub's client raises what its HTTP library of the day raises
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise PrepareError(
            f"{repository} could not be fetched from the hub ({reason[:200]}): "
            "check the network and HF_TOKEN."
        ) from error
    shutil.rmtree(folder / ".cache", ignore_errors=True)  # the client's notes on the download
