"""The examples of README work as they stand there."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from mlservices import audio

README = Path(__file__).resolve().parents[3] / "README.md"


def test_the_examples_of_readme_work(site, new_key, tmp_path):
    if not shutil.which("curl"):
        pytest.skip("needs curl")
    section = README.read_text().partition("\n## The ML API\n")[2].partition("\n## ")[0]
    commands = re.findall(r"(?m)^    (curl .*)$", section)
    assert len(commands) == 7
    key = new_key()
    for command in commands:
        done = subprocess.run(
            command.replace("http://127.0.0.1:8000", site).replace("curl ", "curl --fail-with-body ", 1),
            shell=True,
            cwd=tmp_path,
            env={"KEY": key, "PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, (command, done.stdout, done.stderr)
    for name in ("hello.mp3", "hello.wav"):
        assert audio.read_wav((tmp_path / name).read_bytes())[0]
