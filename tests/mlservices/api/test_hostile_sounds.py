"""Sound that lies, sent to every address that takes some: refused by its field, and nothing of it stays."""

from __future__ import annotations

import base64
import time
from pathlib import Path

import pytest

from tests.mlservices.hostile_sounds import hostile_sounds

PATHS = ("/api/stt", "/api/vad")
LARGE = 3 * 2**20  # bytes: more than is kept in memory
NAMES = {
    "a path": "../planted.wav",
    "a path of Windows": "..\\planted.wav",
    "a place": "/etc/passwd",
    "a header": 'x"\r\nX-Evil: 1',
    "a sign that ends it": "a.wav\0.exe",
    "long": "a" * 5000,
    "none": "",
}


@pytest.fixture
def disk(tmp_path: Path, settings) -> Path:
    """Where uploads lie while they are read."""
    folder = tmp_path / "uploads"
    folder.mkdir()
    settings.FILE_UPLOAD_TEMP_DIR = str(folder)
    return folder


def is_empty(disk: Path) -> bool:
    """Soon: what was sent goes when the answer has gone."""
    until = time.monotonic() + 3
    while list(disk.iterdir()) and time.monotonic() < until:
        time.sleep(0.02)
    return not list(disk.iterdir())


@pytest.mark.parametrize("path", PATHS)
def test_a_file_that_lies_is_refused_by_its_field(api, path, disk):
    for name, data in hostile_sounds().items():
        sent = {
            "audio": {"files": {"audio": ("a.wav", data, "audio/wav")}},
            "audio_base64": {"json": {"audio_base64": base64.b64encode(data).decode()}},
        }
        for field, request in sent.items():
            refused = api.post(path, **request)
            assert refused.headers["content-type"] == "application/problem+json", name
            told = (refused.status_code, set(refused.json()["fields"]))
            assert told == (400, {field}), (name, refused.text)
    assert is_empty(disk)


@pytest.mark.parametrize("path", PATHS)
def test_another_kind_of_file_by_the_name_of_a_sound_is_refused(api, path):
    for data in (b"PK\x03\x04" + bytes(500), b"\x7fELF" + bytes(500), b"MZ" + bytes(500), b"<html>" * 100):
        refused = api.post(path, files={"audio": ("a.wav", data, "audio/wav")})
        assert (refused.status_code, set(refused.json()["fields"])) == (400, {"audio"})


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_the_name_of_a_file_leads_nowhere(api, name, disk):
    refused = api.post("/api/stt", files={"audio": (name, b"<html>" + bytes(LARGE), "audio/wav")})
    assert refused.status_code in (400, 413) and set(refused.json()["fields"]) <= {"audio", "body"}
    assert "X-Evil" not in refused.headers
    assert is_empty(disk) and not list(disk.parent.glob("planted*"))


def test_a_large_file_that_is_refused_leaves_nothing_on_the_disk(api, disk):
    lying = hostile_sounds()["a chunk larger than the file"] + bytes(LARGE)
    assert api.post("/api/stt", files={"audio": ("a.wav", lying)}).status_code == 400
    assert is_empty(disk)
