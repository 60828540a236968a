"""What README promises is there."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement

from mlservices import catalog

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()


def test_every_dependency_has_its_reason() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    asked = [*project["dependencies"], *extras["piper"], *extras["transformers"], *extras["ray"]]
    for requirement in map(Requirement, asked):
        assert re.search(rf"(?m)^\| .*\b{re.escape(requirement.name)}\b", README), requirement.name


def test_every_package_of_weights_has_its_licence() -> None:
    for model in catalog.MODELS:
        if model.source.package:
            assert model.source.package in README, model.source.package


def test_every_target_it_names_can_be_made() -> None:
    targets = set(re.findall(r"(?m)^([a-z-]+):", (ROOT / "Makefile").read_text()))
    assert set(re.findall(r"\bmake ([a-z-]+)\b(?=[` ]|$)", README)) - {"alone"} <= targets


def test_every_variable_it_names_is_documented() -> None:
    documented = (ROOT / ".env.example").read_text()
    for name in re.findall(r"`([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)[`=]", README):
        if name not in ("HTTPS_PROXY", "PIP_INDEX_URL"):
            assert f"# {name}=" in documented, name


def test_every_test_it_names_is_there() -> None:
    tests = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    named = re.findall(r"`(test_\w+)(?:\.\.\.)?`", README)
    assert len(named) > 10
    for name in named:
        assert f"def {name}" in tests, name
