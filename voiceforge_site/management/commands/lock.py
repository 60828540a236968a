"""`manage.py lock`: write the lock files anew from what pyproject.toml asks for."""

from __future__ import annotations

import json
import subprocess
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

# Packages without a wheel for every Python and system that we run on: the gateway alone needs them.
MARKERS = {"baresip-python": "python_version < '3.14' and sys_platform != 'win32'"}
HEADERS = {
    "requirements.lock": "What VoiceForge runs on: `make lock` writes this file.",
    "requirements-test.lock": "What the tests need beside requirements.lock: `make lock` writes this file.",
    "requirements-ray.lock": "What Ray needs beside the other two: `make lock` writes this file.",
}


class Command(BaseCommand):
    help = "Write the lock files with the newest versions pyproject.toml allows."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("-c", "--constraint", default="", help="A file of versions to keep.")

    def handle(self, *, constraint: str, **options: Any) -> None:
        run = resolve("piper", constraint=constraint)
        test = resolve("piper,transformers,test", constraint=constraint)
        ray = resolve("piper,transformers,test,ray", constraint=constraint)
        self.write("requirements.lock", run)
        self.write("requirements-test.lock", {name: test[name] for name in test.keys() - run.keys()})
        self.write("requirements-ray.lock", {name: ray[name] for name in ray.keys() - test.keys()})
        if moved := sorted(name for name in test if run.get(name, test[name]) != test[name] != ray[name]):
            self.stderr.write(f"Others ask for another {', '.join(moved)}: bound it in pyproject.toml.")

    def write(self, name: str, pins: dict[str, str]) -> None:
        lines = [f"# {HEADERS[name]}", *(_pin(package, pins[package]) for package in sorted(pins))]
        (Path(settings.BASE_DIR) / name).write_text("\n".join(lines) + "\n")
        self.stdout.write(f"{name}: {len(pins)} packages")


def _pin(package: str, version: str) -> str:
    marker = MARKERS.get(package)
    return f"{package}=={version} ; {marker}" if marker else f"{package}=={version}"


def resolve(extras: str, *, constraint: str) -> dict[str, str]:
    """Name and version of everything that pip would install for these extras of ours, without us."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed"]
    if constraint:
        command += ["--constraint", constraint]
    answer = subprocess.run(
        [*command, "--report", "-", f"{settings.BASE_DIR}[{extras}]"], stdout=subprocess.PIPE, check=True
    )
    packages = [entry["metadata"] for entry in json.loads(answer.stdout)["install"]]
    return {
        package["name"].lower().replace("_", "-"): package["version"].partition("+")[0]
        for package in packages
        if package["name"] != "voiceforge"
    }
