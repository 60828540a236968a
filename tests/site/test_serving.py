"""Where a running server is found by commands that were not told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from voiceforge_site import serving

from .test_settings import settings

ADDRESS = {"HOST": "127.0.0.1", "PORT": "8140", "ML_PORT": "8141"}


def test_commands_ask_the_server_that_runs_unless_they_are_told_another(tmp_path: Path) -> None:
    var = tmp_path / "var"
    var.mkdir()
    with serving.noting(var, **ADDRESS):
        told = settings("PORT", "ML_PORT", "PUBLIC_URL", tmp_path=tmp_path)
        assert told == {"PORT": 8140, "ML_PORT": 8141, "PUBLIC_URL": "http://127.0.0.1:8140"}
        assert settings("PORT", "ML_PORT", tmp_path=tmp_path, PORT="9000") == {"PORT": 9000, "ML_PORT": 8141}
    assert settings("PORT", "ML_PORT", tmp_path=tmp_path) == {"PORT": 8000, "ML_PORT": 8070}


def test_it_goes_before_a_file_of_settings_that_was_changed_since(tmp_path: Path) -> None:
    (tmp_path / "env").write_text("PORT=9000\n")
    (tmp_path / "var").mkdir()
    with serving.noting(tmp_path / "var", **ADDRESS):
        assert settings("PORT", tmp_path=tmp_path, ENV_FILE=str(tmp_path / "env")) == {"PORT": 8140}


def test_nothing_is_left_of_it_in_the_folder(tmp_path: Path) -> None:
    with serving.noting(tmp_path, **ADDRESS):
        assert serving.noted(tmp_path) == ADDRESS
    assert serving.noted(tmp_path) == {} and not list(tmp_path.iterdir())


@pytest.mark.parametrize("changes", [{"pid": 2**22 + 1}, {"started": 1.0}])
def test_one_that_was_killed_is_not_believed(tmp_path: Path, changes: dict[str, float]) -> None:
    with serving.noting(tmp_path, **ADDRESS):
        (note,) = tmp_path.iterdir()
        note.write_text(json.dumps(json.loads(note.read_text()) | changes))
        assert serving.noted(tmp_path) == {}


@pytest.mark.parametrize("text", ["", "{}", "[]", "no json"])
def test_a_note_that_is_none_tells_nothing(tmp_path: Path, text: str) -> None:
    with serving.noting(tmp_path, **ADDRESS):
        (note,) = tmp_path.iterdir()
        note.write_text(text)
        assert serving.noted(tmp_path) == {}
