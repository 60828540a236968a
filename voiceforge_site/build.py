"""Which build of the static files this is, so that browsers may keep each for ever."""

from __future__ import annotations

import hashlib
from importlib.metadata import version
from pathlib import Path


def build_id(folder: Path) -> str:
    """A short hash over all files under `folder` and the package that brings htmx."""
    digest = hashlib.sha256(version("django-htmx").encode())
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(path.relative_to(folder).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
