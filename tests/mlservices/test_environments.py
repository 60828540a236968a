"""Environments of their own for engines, made of a wheel that the test builds: no network."""

import os
import subprocess
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from mlservices import engines, environments
from mlservices.catalog import BY_ID
from mlservices.errors import EngineError, PrepareError
from mlservices.service.process import WorkerGone, WorkerProcess

MODEL = replace(BY_ID["energy"], id="quarrelsome", environment="quarrel")


def wheel(folder: Path, name: str, code: str) -> None:
    """A package of one module, as pip takes it."""
    with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as archive:
        archive.writestr(f"{name}.py", code)
        info = f"{name}-1.0.dist-info"
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")


@pytest.fixture
def lock(tmp_path, monkeypatch):
    """A lock in a repository of its own that asks for another numpy than ours, and a library that is new."""
    (tmp_path / "wheels").mkdir()
    wheel(tmp_path / "wheels", "numpy", "theirs = True\n")
    wheel(tmp_path / "wheels", "quarrel_library", "value = 42\n")
    lock = tmp_path / "requirements-quarrel.lock"
    lock.write_text("# theirs\nnumpy==1.0\nquarrel-library==1.0\n")
    monkeypatch.setattr(environments, "_ROOT", tmp_path)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    return lock


def run(python: str, code: str) -> str:
    return subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def test_an_environment_has_its_own_packages_and_beneath_them_ours(lock, tmp_path):
    told = []
    assert not environments.is_installed(MODEL, tmp_path)
    environments.install(MODEL, tmp_path, told.append)
    assert environments.is_installed(MODEL, tmp_path)
    assert told == ["making the environment 'quarrel' for Energy VAD ..."]
    python = environments.python_of("quarrel", tmp_path)
    code = (
        "import numpy, quarrel_library, orjson; print(numpy.theirs, quarrel_library.value, orjson.__name__)"
    )
    assert run(python, code) == "True 42 orjson"
    environments.install(MODEL, tmp_path, told.append)
    assert len(told) == 1  # done already


def test_an_environment_is_made_anew_when_its_lock_changes(lock, tmp_path):
    environments.install(MODEL, tmp_path, lambda line: None)
    lock.write_text("quarrel-library==1.0\n")
    assert not environments.is_installed(MODEL, tmp_path)
    environments.install(MODEL, tmp_path, lambda line: None)
    python = environments.python_of("quarrel", tmp_path)
    assert run(python, "import numpy; print(hasattr(numpy, 'theirs'))") == "False"


def test_what_cannot_be_had_is_one_line_and_leaves_no_environment(lock, tmp_path):
    lock.write_text("no-such-library==1.0\n")
    with pytest.raises(PrepareError, match=r"pip could not .*no-such-library") as caught:
        environments.install(MODEL, tmp_path, lambda line: None)
    assert "\n" not in str(caught.value)
    assert not environments.is_installed(MODEL, tmp_path)


def test_without_an_environment_of_its_own_a_model_runs_in_ours(tmp_path):
    plain = replace(MODEL, environment="")
    assert environments.is_installed(plain, tmp_path)
    assert run(environments.python_of("", tmp_path), "import mlservices; print('ours')") == "ours"


async def test_a_worker_whose_libraries_are_missing_names_the_command(tmp_path, settings):
    settings.VAR_DIR = tmp_path
    for id in ("chatterbox", "higgs_audio_v2", "styletts2", "indic-parler-tts"):
        with pytest.raises(WorkerGone, match=f"run `manage.py models install {id}`"):
            await WorkerProcess.start(BY_ID[id], tmp_path)


def test_an_engine_whose_library_is_missing_names_the_command(tmp_path):
    (tmp_path / "piper-joe").mkdir()
    absent = replace(BY_ID["piper-joe"], engine="mlservices_absent.engine.Piper")
    with pytest.raises(EngineError, match=r"run `manage\.py models install piper-joe`"):
        engines.load(absent, tmp_path)
