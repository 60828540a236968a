"""Where an engine's libraries come from: our environment, or one of its own where they quarrel with ours.

An environment of its own sees our packages beneath its own, so that what both agree on (torch, numpy) is
there once. Its packages are pinned in `requirements-NAME.lock`, all of them, hence installed without looking
for more: where a package pins another torch or numpy than ours, it was found to work with ours.
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
import sysconfig
import tomllib
from collections.abc import Callable
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from .catalog import Model
from .errors import PrepareError

_ROOT = Path(__file__).resolve().parent.parent
_STAMP = "installed.json"
_INSTALL_SECONDS = 1800

Tell = Callable[[str], None]


def python_of(environment: str, var_dir: Path) -> str:
    """The interpreter that a worker is started with; "" is our own environment."""
    return str(_folder(environment, var_dir) / "bin" / "python") if environment else sys.executable


def is_installed(model: Model, var_dir: Path) -> bool:
    """Whether the libraries of its engine are there, an environment of its own as its lock has it now."""
    if not all(map(_is_here, _extra(model.extra))):
        return False
    if not model.environment:
        return True
    try:
        stamp = json.loads((_folder(model.environment, var_dir) / _STAMP).read_text())
    except (OSError, ValueError):
        return False
    return bool(stamp == _stamp(model.environment))


def install(model: Model, var_dir: Path, tell: Tell) -> None:
    """Whatever is missing; PrepareError with pip's reason in one line."""
    if missing := [name for name in _extra(model.extra) if not _is_here(name)]:
        tell(f"installing {', '.join(missing)} ...")
        _pip(sys.executable, "--constraint", str(_ROOT / "requirements.lock"), *missing)
    if model.environment and not is_installed(model, var_dir):
        tell(f"making the environment {model.environment!r} for {model.name} ...")
        _make(model.environment, _folder(model.environment, var_dir))
        python = python_of(model.environment, var_dir)
        _pip(python, "--no-deps", "--requirement", str(_lock(model.environment)))
        folder = _folder(model.environment, var_dir)
        _without_cuda(folder)
        (folder / _STAMP).write_text(json.dumps(_stamp(model.environment)))


def _folder(environment: str, var_dir: Path) -> Path:
    return var_dir / "environments" / environment


def _lock(environment: str) -> Path:
    return _ROOT / f"requirements-{environment}.lock"


def _stamp(environment: str) -> dict[str, str]:
    return {
        "lock": hashlib.sha256(_lock(environment).read_bytes()).hexdigest(),
        "python": sys.version,
        "beneath": sysconfig.get_path("purelib"),
    }


def _extra(group: str) -> list[str]:
    """What pyproject.toml pins under an optional group of packages."""
    if not group:
        return []
    project = tomllib.loads((_ROOT / "pyproject.toml").read_text())["project"]
    return list(project["optional-dependencies"][group])


def _is_here(requirement: str) -> bool:
    name = re.match(r"[A-Za-z0-9._-]+", requirement)
    try:
        return bool(name and metadata.version(name[0]))
    except metadata.PackageNotFoundError:
        return False


def _make(environment: str, folder: Path) -> None:
    """An empty environment with ours beneath it."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    (folder / _STAMP).unlink(missing_ok=True)
    command = [sys.executable, "-m", "venv", "--clear", "--without-pip", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise PrepareError(
            f"The environment {folder} cannot be made: {_last_line(done.stdout + done.stderr)}"
        )
    beneath = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (_packages(folder) / "beneath.pth").write_text("".join(f"{path}\n" for path in sorted(beneath)))


def _packages(folder: Path) -> Path:
    return Path(sysconfig.get_path("purelib", "venv", {"base": str(folder), "platbase": str(folder)}))


def _pip(python: str, *what: str) -> None:
    command = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet"]
    try:
        done = subprocess.run(
            [*command, "--disable-pip-version-check", *what],
            capture_output=True,
            text=True,
            timeout=_INSTALL_SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        raise PrepareError(f"pip was not done after {_INSTALL_SECONDS} s: check the network.") from error
    if done.returncode:
        raise PrepareError(f"pip could not install the libraries: {_last_line(done.stderr)}")


def _without_cuda(folder: Path) -> None:
    """torchaudio comes compiled for a torch with CUDA; beside one without, its Python alone does its work."""
    torch = find_spec("torch")
    if torch is None or not torch.origin or (Path(torch.origin).parent / "lib" / "libtorch_cuda.so").exists():
        return
    for compiled in (_packages(folder) / "torchaudio" / "lib").glob("*.so"):
        compiled.unlink()


def _last_line(said: str) -> str:
    lines = [line for line in said.strip().splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR")]
    return (errors or lines or ["no reason given"])[-1][:300]
