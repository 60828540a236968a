"""Model files made ready once, whole or not at all, and each failure in one line."""

import hashlib
import re
import shutil
import subprocess
from dataclasses import replace

import pytest
from django.conf import settings

from mlservices import catalog
from mlservices.catalog import BY_ID, MODELS, Kind, Source
from mlservices.errors import PrepareError
from mlservices.prepare import is_ready, prepare, stamp, state, wheel
from mlservices.service.layout import configured_models

SILERO = BY_ID["silero-vad"]


@pytest.fixture
def told():
    return []


def test_it_is_told_what_happens_and_done_again_it_does_nothing(tmp_path, told):
    prepare(["silero-vad", "energy"], tmp_path, told.append)
    assert told == ["[1/1] preparing Silero VAD 6.2 ..."]
    assert is_ready(SILERO, tmp_path)
    made = (tmp_path / "silero-vad" / "silero_vad.onnx").stat()
    prepare(["silero-vad", "energy"], tmp_path, told.append)
    assert len(told) == 1
    assert (tmp_path / "silero-vad" / "silero_vad.onnx").stat() == made
    assert [path.name for path in tmp_path.iterdir()] == ["silero-vad"]  # nothing half-made lies about


@pytest.mark.parametrize("harm", ["cut short", "gone", "other recipe", "no stamp", "broken stamp"])
def test_a_folder_that_is_not_whole_is_made_anew(tmp_path, told, harm, monkeypatch):
    prepare(["silero-vad"], tmp_path, told.append)
    file, written = tmp_path / "silero-vad" / "silero_vad.onnx", tmp_path / "silero-vad" / "prepared.json"
    if harm == "cut short":
        file.write_bytes(b"x")
    elif harm == "gone":
        file.unlink()
    elif harm == "other recipe":
        monkeypatch.setattr(stamp, "RECIPE_VERSION", 0)
    elif harm == "no stamp":
        written.unlink()
    else:
        written.write_text("{")
    assert not is_ready(SILERO, tmp_path)
    prepare(["silero-vad"], tmp_path, told.append)
    assert is_ready(SILERO, tmp_path)
    assert file.stat().st_size > 2_000_000


def test_a_recipe_that_breaks_leaves_nothing_behind_but_its_reason(tmp_path, told, monkeypatch):
    def broken(files, folder, model):
        (folder / "half").write_text("half")
        raise OSError("disk gone")

    monkeypatch.setattr("mlservices.prepare.silero.prepare", broken)
    with pytest.raises(OSError, match="disk gone"):
        prepare(["silero-vad"], tmp_path, told.append)
    assert not list(tmp_path.rglob("half"))
    assert state(SILERO, tmp_path).state == "failed"
    assert state(SILERO, tmp_path).reason == "disk gone"
    monkeypatch.undo()
    prepare(["silero-vad"], tmp_path, told.append)
    assert state(SILERO, tmp_path).state == "ready"
    assert [path.name for path in tmp_path.iterdir()] == ["silero-vad"]


def test_what_a_recipe_puts_into_folders_of_its_own_must_be_whole_too(tmp_path, told, monkeypatch):
    def nested(files, folder, model):
        (folder / "codec").mkdir()
        (folder / "codec" / "weights").write_text("weights")

    monkeypatch.setattr("mlservices.prepare.silero.prepare", nested)
    prepare(["silero-vad"], tmp_path, told.append)
    assert is_ready(SILERO, tmp_path)
    (tmp_path / "silero-vad" / "codec" / "weights").unlink()
    assert not is_ready(SILERO, tmp_path)


def with_source(monkeypatch, **changes):
    """The catalogue with another source for Silero."""
    changed = replace(SILERO, source=replace(SILERO.source, **changes))
    monkeypatch.setitem(catalog.BY_ID, "silero-vad", changed)


def test_a_file_that_is_not_the_reviewed_one_is_refused(tmp_path, told, monkeypatch):
    with_source(monkeypatch, files=(("data/silero_vad.onnx", "0" * 64),))
    with pytest.raises(PrepareError, match="not the file that was reviewed: reinstall silero-vad=="):
        prepare(["silero-vad"], tmp_path, told.append)
    assert not is_ready(SILERO, tmp_path)


def test_a_package_that_is_not_installed_is_named_with_the_command(tmp_path, told, monkeypatch):
    with_source(monkeypatch, module="no_such_package_here")
    with pytest.raises(PrepareError, match=r"run `pip install --no-deps silero-vad==6\.2\.3`"):
        prepare(["silero-vad"], tmp_path, told.append)


def test_a_library_that_is_missing_is_named_with_the_command(tmp_path, told, monkeypatch):
    monkeypatch.setitem(catalog.BY_ID, "silero-vad", replace(SILERO, recipe="no_such_library.prepare"))
    with pytest.raises(
        PrepareError, match=r"needs the library no_such_library: run `manage\.py models install"
    ):
        prepare(["silero-vad"], tmp_path, told.append)


def test_too_little_room_is_said_before_anything_is_made(tmp_path, told, monkeypatch):
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=2**20))
    with pytest.raises(PrepareError, match="has 1 MB free, the models need 10 MB"):
        prepare(["silero-vad"], tmp_path, told.append)
    assert told == []


def test_a_folder_that_cannot_be_written_is_named(tmp_path, told):
    (tmp_path / "file").write_text("")
    with pytest.raises(PrepareError, match=r"cannot be written .*: make it writable or set HF_HOME"):
        prepare(["silero-vad"], tmp_path / "file" / "models", told.append)


def test_a_download_that_never_ends_is_given_up_in_one_line(tmp_path, monkeypatch):
    def hang(command, **options):
        raise subprocess.TimeoutExpired(command, options["timeout"])

    monkeypatch.setattr(subprocess, "run", hang)
    source = Source(package="pipecat-ai", version="1.14.0", files=(), wheel_sha256="0" * 64)
    with pytest.raises(PrepareError, match=r"not there after 300 s.*check the network") as caught:
        wheel.fetch(source, tmp_path)
    assert "\n" not in str(caught.value)


def test_without_a_network_a_wheel_cannot_be_fetched_and_one_line_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    source = Source(package="pipecat-ai", version="1.14.0", files=(), wheel_sha256="0" * 64)
    with pytest.raises(PrepareError) as caught:
        wheel.fetch(source, tmp_path)
    expected = r"pipecat-ai 1\.14\.0 could not be downloaded \(.+\): check the network and run .*"
    assert re.fullmatch(expected, str(caught.value))


@pytest.mark.models
def test_what_is_prepared_is_whole(models_dir):
    assert all(is_ready(BY_ID[id], models_dir) for id in configured_models() if BY_ID[id].recipe)


def test_the_catalogue_says_of_every_model_where_it_comes_from_and_what_it_allows():
    assert len(BY_ID) == len(MODELS)
    for model in MODELS:
        assert model.licence
        assert model.languages
        assert model.pool in {"stt", "tts", "hf_tts", "vllm", "embed", "vad"}
        assert model.rate or model.kind not in (Kind.STT, Kind.TTS, Kind.TURN)
        source = model.source
        if source.hub:
            assert source.revision
        elif model.recipe:
            assert source.version
            assert source.module or len(source.wheel_sha256) == 64
            assert all(len(sha256) == len(hashlib.sha256().hexdigest()) for _, sha256 in source.files)


def test_the_defaults_need_neither_torch_nor_transformers():
    defaults = (settings.STT_ENGINE, settings.TTS_ENGINE, settings.LLM_ENGINE)
    assert not any("torch" in BY_ID[id].extra or "transformers" in BY_ID[id].extra for id in defaults)
