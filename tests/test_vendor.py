"""What we serve but did not write is listed, unchanged and licensed."""

import hashlib
import json
import tomllib
from pathlib import Path

import pytest
from django.conf import settings

SITE = settings.BASE_DIR / "static" / "vendor"
TESTS = settings.BASE_DIR / "tests" / "vendor"
PACKAGES = settings.BASE_DIR / "voiceforge_site" / "vendor"


def listed(folder: Path) -> list[dict[str, str]]:
    return tomllib.loads((folder / "VENDOR.toml").read_text())["file"]


@pytest.mark.parametrize("folder", [SITE, TESTS], ids=["site", "tests"])
def test_every_vendored_file_is_listed(folder):
    files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    entries = listed(folder)
    assert files == {e["path"] for e in entries} | {e["licence_text"] for e in entries} | {"VENDOR.toml"}


@pytest.mark.parametrize("folder", [SITE, TESTS], ids=["site", "tests"])
def test_every_vendored_file_is_as_it_was_taken(folder):
    for entry in listed(folder):
        assert hashlib.sha256((folder / entry["path"]).read_bytes()).hexdigest() == entry["sha256"], entry[
            "path"
        ]


@pytest.mark.parametrize("folder", [SITE, TESTS], ids=["site", "tests"])
def test_every_vendored_version_is_the_locked_one(folder):
    locked = json.loads((PACKAGES / "package-lock.json").read_text())["packages"]
    for entry in listed(folder):
        assert locked[f"node_modules/{entry['package']}"]["version"] == entry["version"]


def test_the_lock_file_names_no_registry():
    assert "://" not in "".join(
        str(package.get("resolved", ""))
        for package in json.loads((PACKAGES / "package-lock.json").read_text())["packages"].values()
    )


@pytest.mark.parametrize("folder", [SITE, TESTS], ids=["site", "tests"])
def test_no_script_names_a_source_map_that_we_do_not_serve(folder):
    assert not [path for path in folder.rglob("*.js") if "sourceMappingURL=" in path.read_text()]
