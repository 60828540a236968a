"""A checkpoint from the Hugging Face hub: what its revision holds on the day, checked by the hub alone.

Where the catalogue names a branch, another day may bring other files; what is prepared stays as it is.
"""

from __future__ import annotations

from pathlib import Path

from huggingface_hub import snapshot_download

from ..catalog import Model
from ..errors import PrepareError

_WANTED = ["*.json", "*.safetensors", "*.txt"]


def prepare(files: list[Path], folder: Path, model: Model) -> None:
    source = model.source
    try:
        snapshot_download(source.hub, revision=source.revision, local_dir=folder, allow_patterns=_WANTED)
    except Exception as error:  # the hub's client raises what its HTTP library of the day raises
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise PrepareError(
            f"{source.hub} could not be fetched from the hub ({reason[:200]}): "
            "check the network and HF_TOKEN."
        ) from error
