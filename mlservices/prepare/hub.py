"""A checkpoint from the Hugging Face hub, at a pinned revision."""

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
