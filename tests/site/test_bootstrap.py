"""What a newcomer's machine lacks, each said in one line. The real script, in a copy of what it reads."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from voiceforge_site import bootstrap

from .ports import free_port

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A fresh checkout, as far as the first steps look at it."""
    (tmp_path / "voiceforge_site").mkdir()
    for name in ("Makefile", "voiceforge_site/__init__.py", "voiceforge_site/bootstrap.py"):
        shutil.copy(ROOT / name, tmp_path / name)
    for lock in bootstrap.LOCKS:
        (tmp_path / lock).write_text("# nothing\n")
    return tmp_path


def make(clone: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PORT": str(free_port())} | variables
    environment.pop("MAKEFLAGS", None)
    return subprocess.run(
        ["make", *arguments], cwd=clone, env=environment, capture_output=True, text=True, check=False
    )


def said(stopped: subprocess.CompletedProcess[str]) -> list[str]:
    """Without make's own last word."""
    assert stopped.returncode != 0
    return [line for line in stopped.stderr.splitlines() if not line.startswith("make")]


def test_make_alone_says_what_there_is_to_make(clone: Path) -> None:
    assert "make run " in make(clone).stdout


def test_a_missing_python(clone: Path) -> None:
    assert said(make(clone, "run", "PYTHON=no-such-python")) == [
        "Python is missing. Run: apt-get install python3 python3-venv"
    ]


def test_a_python_too_old(clone: Path) -> None:
    old = clone / "python3"
    old.write_text('#!/bin/sh\n[ "$1" = -V ] && echo "Python 3.9.2" && exit 0\nexit 1\n')
    old.chmod(0o755)
    (line,) = said(make(clone, "run", f"PYTHON={old}"))
    assert line.startswith("Python 3.9.2 is too old: VoiceForge needs Python 3.11 or newer.")


def test_a_taken_port(clone: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        (line,) = said(make(clone, "run", PORT=str(port)))
    assert re.fullmatch(rf"Port {port} is taken. Run: PORT=\d+ make run", line)


def test_what_is_proposed_in_place_of_taken_ports_is_free_and_wanted_by_nobody_else() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = bootstrap.taken_ports({"PORT": ("127.0.0.1", port), "ML_PORT": ("127.0.0.1", port)})
        match = re.fullmatch(
            rf"Port {port} and {port} are taken. Run: PORT=(\d+) ML_PORT=(\d+) make run", said
        )
    assert match and len({port, int(match[1]), int(match[2])}) == 3
    assert bootstrap.taken_ports({"PORT": ("127.0.0.1", int(match[1]))}) == ""


def test_an_address_that_may_not_be_listened_on_is_not_called_taken() -> None:
    with pytest.raises(OSError):
        bootstrap.taken_ports({"PORT": ("192.0.2.1", 8000)})


@pytest.mark.parametrize("port", ["70000", "\N{SUPERSCRIPT TWO}", "abc"])
def test_a_port_that_is_none_is_left_to_the_settings(monkeypatch: pytest.MonkeyPatch, port: str) -> None:
    monkeypatch.setenv("PORT", port)
    bootstrap.refuse_taken_ports()


def test_a_python_without_venv(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "VENV", clone / ".venv")
    monkeypatch.setattr(bootstrap, "MARKER", clone / ".venv" / "installed.json")
    monkeypatch.setattr(bootstrap.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(
        SystemExit, match=r"^Python's venv module is missing. Run: apt-get install python3\.\d+-venv$"
    ):
        bootstrap.main("lint")


def test_too_little_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap.shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10, 9, 1))
    with pytest.raises(
        SystemExit, match=r"^Too little disk: about \d+\.\d GB are needed .* 0\.0 GB are free"
    ):
        bootstrap.refuse_little_disk(["requirements.lock"])


def test_no_network(clone: Path) -> None:
    (clone / "requirements.lock").write_text("no-such-package==1.0\n")
    nowhere = f"http://127.0.0.1:{free_port()}/simple"
    stopped = make(
        clone,
        "run",
        PIP_INDEX_URL=nowhere,
        PIP_EXTRA_INDEX_URL="",
        PIP_CONFIG_FILE=os.devnull,
        PIP_FIND_LINKS="",
    )
    assert said(stopped) == [
        "No network: pip cannot reach the package index. Connect (or set HTTPS_PROXY), then run again."
    ]


def test_a_package_that_pip_refuses_is_named(clone: Path) -> None:
    (clone / "requirements.lock").write_text("no-such-package @ file:///no/such/file-1.0-py3-none-any.whl\n")
    (line,) = said(make(clone, "run", PIP_NO_INDEX="1"))
    assert line.startswith("pip could not install requirements.lock: ")
    assert "file-1.0-py3-none-any.whl" in line


def test_unchanged_locks_install_nothing(clone: Path) -> None:
    first = subprocess.run(
        [sys.executable, "-m", "voiceforge_site.bootstrap", "run"],
        cwd=clone,
        env=os.environ | {"PORT": str(free_port()), "PIP_NO_INDEX": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "requirements.lock" in first.stdout
    marker = json.loads((clone / ".venv" / "installed.json").read_text())
    assert marker.keys() == {"python", *bootstrap.FOR_RUN}
    again = subprocess.run(
        [sys.executable, "-m", "voiceforge_site.bootstrap", "run"],
        cwd=clone,
        env=os.environ | {"PORT": str(free_port())},
        capture_output=True,
        text=True,
        check=True,
    )
    assert again.stdout == ""


def test_missing_system_packages_without_the_right_to_install_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(bootstrap.SYSTEM_PACKAGES, "test", {"no-such-program": "some-package"})
    monkeypatch.setattr(bootstrap.os, "geteuid", lambda: 1000)
    monkeypatch.setattr(
        bootstrap.shutil, "which", lambda name: "/usr/bin/apt-get" if name == "apt-get" else None
    )
    with pytest.raises(
        SystemExit, match=r"^Missing system packages\. Run: sudo apt-get install some-package$"
    ):
        bootstrap.install_system_packages("test")
