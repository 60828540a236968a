"""What is written beside prepared files: what they were made of, and what must be there to be whole."""

from __future__ import annotations

import json
import platform
from importlib import metadata
from pathlib import Path
from typing import Any

from ..catalog import Model
from ..catalog.entry import WEIGHTS_AND_SETTINGS

RECIPE_VERSION = 2
"""Raised when what recipes write changes; folders of another version are made anew."""

AS_IT_IS = "mlservices.prepare.hub.prepare"
"""The recipe that keeps a hub's files as they are, which no library of this machine has shaped."""

_NAME = "prepared.json"
_LIBRARIES_THAT_SHAPE_FILES = ("onnxruntime", "ctranslate2")


def write(folder: Path, model: Model, sources: dict[str, Any]) -> None:
    """`sources` tells of each repository of a hub its commit, and the size and SHA-256 of each file."""
    sizes = {
        path.relative_to(folder).as_posix(): path.stat().st_size
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    written = {"made_by": _maker(model), "files": sizes} | ({"sources": sources} if sources else {})
    (folder / _NAME).write_text(json.dumps(written, indent=2))


def read_whole(model: Model, models_dir: Path) -> dict[str, Any] | None:
    """The stamp of a model whose files are all there and made as they would be now; None of another."""
    folder = models_dir / model.id
    try:
        written: dict[str, Any] = json.loads((folder / _NAME).read_text())
    except (OSError, ValueError):
        return None
    whole = written["made_by"] == _maker(model) and all(
        (folder / name).is_file() and (folder / name).stat().st_size == size
        for name, size in written["files"].items()
    )
    return written if whole else None


def is_ready(model: Model, models_dir: Path) -> bool:
    return read_whole(model, models_dir) is not None


def _maker(model: Model) -> dict[str, str]:
    """What prepared files depend on: recipe, source, machine, and libraries with formats of their own."""
    source = model.source
    made_by = {
        "recipe": f"{model.recipe} {RECIPE_VERSION}",
        "source": f"{source.package or source.hub} {source.version or source.revision}",
    }
    if source.patterns != WEIGHTS_AND_SETTINGS:
        made_by["patterns"] = " ".join(source.patterns)
    if source.also:
        made_by["also"] = " ".join(beside.hub for beside in source.also)
    if model.recipe == AS_IT_IS:
        return made_by
    versions = {library: _version(library) for library in _LIBRARIES_THAT_SHAPE_FILES}
    return {**made_by, "machine": platform.machine(), **versions}


def _version(library: str) -> str:
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return "none"
