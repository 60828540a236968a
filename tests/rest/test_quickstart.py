"""README's first steps with the REST API, as they stand there, against a server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from tests.browser.conftest import Server
from voiceforge_site.access import key_actions
from voiceforge_site.models import User

WHERE = "http://127.0.0.1:8000"


@pytest.fixture
def url(transactional_db: None) -> Iterator[str]:
    if connection.vendor != "sqlite":
        pytest.skip("The server of tests runs on SQLite.")
    server = Server()
    server.start()
    yield server.url
    server.stop()


def block(beginning: str) -> str:
    """The indented lines of README from the one that begins so."""
    section = (settings.BASE_DIR / "README.md").read_text().partition("\n## The REST API\n")[2]
    lines = section.splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith(f"    {beginning}"))
    ends = next(number for number in range(first, len(lines)) if lines[number] and lines[number][0] != " ")
    return textwrap.dedent("\n".join(lines[first:ends]))


def test_an_agent_is_made_and_asked_by_curl_and_changed_by_python(
    url: str, alice: User, tmp_path: Path
) -> None:
    _row, key = key_actions.create("quickstart", alice)
    script = "set -e\n" + block("API=").replace(WHERE, url)
    said = subprocess.run(
        ["bash", "-c", script], env=os.environ | {"KEY": key}, capture_output=True, text=True, check=False
    )
    assert said.returncode == 0, said.stdout + said.stderr
    made, told, calls = _documents(said.stdout)
    assert (made["id"], told["texts"], calls["results"]) == ("night-desk", ["Park behind the house."], [])

    program = tmp_path / "quickstart.py"
    program.write_text(block("# python quickstart.py"))
    command = [sys.executable, program, url, key]
    changed = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (changed.returncode, changed.stdout) == (0, "Good night.\n"), changed.stderr


def _documents(text: str) -> list[dict]:
    """Several in a row."""
    found, rest = [], text.strip()
    while rest:
        document, end = json.JSONDecoder().raw_decode(rest)
        found.append(document)
        rest = rest[end:].strip()
    return found
