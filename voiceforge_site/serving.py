"""Where `manage.py up` serves, noted beside its data while it runs: commands that are started without its
PORT and ML_PORT ask the server that is there, and not the ports of a default."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

_NAMES = ("HOST", "PORT", "ML_PORT")


@contextmanager
def noting(folder: Path, **address: str) -> Iterator[None]:
    """Each of _NAMES, until this process is done serving."""
    path, pid = _note(folder), os.getpid()
    beside = path.with_suffix(f".{pid}")
    beside.write_text(json.dumps({"pid": pid, "started": psutil.Process().create_time(), **address}))
    beside.replace(path)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def noted(folder: Path) -> dict[str, str]:
    """HOST, PORT and ML_PORT of the server that runs on this folder; empty if none does."""
    try:
        told = json.loads(_note(folder).read_text())
        running = psutil.Process(told["pid"]).create_time() == told["started"]
        return {name: str(told[name]) for name in _NAMES} if running else {}
    except (OSError, ValueError, KeyError, TypeError, psutil.Error):
        return {}


def _note(folder: Path) -> Path:
    return folder / "serving.json"
