"""The lock files against pyproject.toml, against what the code imports, and against each other."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, distribution, packages_distributions
from importlib.util import find_spec
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from mlservices import catalog

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PRODUCT = ("voiceforge_site", "telephony", "agents", "mlservices")
NEVER_IMPORTED = {  # by our code; and who wants them
    "brotli": "whitenoise compresses with it",
    "channels-redis": "settings name it, with REDIS_URL",
    "django-htmx": "settings and templates name it",
    "granian": "WEB_SERVER names it",
    "httptools": "uvicorn reads requests with it",
    "psycopg": "Django uses it, with DATABASE_URL",
    "whitenoise": "settings name it",
}


def lock(name: str) -> dict[str, str]:
    lines = (ROOT / name).read_text().splitlines()
    pins = [line.split()[0].split("==") for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(package): version for package, version in pins}


RUN = lock("requirements.lock")
TEST = lock("requirements-test.lock")
RAY = lock("requirements-ray.lock")
MODELS = lock("requirements-models.lock")


def everything_needed(requirements: list[str]) -> set[str]:
    """The packages that these requirements bring, by what is installed."""
    needed: set[str] = set()
    waiting = [Requirement(text) for text in requirements]
    seen: set[str] = set()
    while waiting:
        requirement = waiting.pop()
        if str(requirement) in seen:
            continue
        seen.add(str(requirement))
        needed.add(canonicalize_name(requirement.name))
        for text in distribution(requirement.name).requires or ():
            below = Requirement(text)
            extras = requirement.extras or {""}
            if not below.marker or any(below.marker.evaluate({"extra": extra}) for extra in extras):
                waiting.append(below)
    return needed


def test_everything_that_runs_is_pinned_and_nothing_else() -> None:
    assert everything_needed([*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["piper"]]) == set(
        RUN
    )


def test_everything_that_tests_is_pinned_and_nothing_twice() -> None:
    extras = PROJECT["optional-dependencies"]
    needed = everything_needed([*extras["transformers"], *extras["test"]])
    assert needed - set(RUN) == set(TEST)


@pytest.mark.skipif(find_spec("ray") is None, reason="needs the extra `ray`: run `make test-ray`")
def test_everything_that_ray_needs_is_pinned_and_nothing_twice() -> None:
    needed = everything_needed(PROJECT["optional-dependencies"]["ray"])
    assert needed - set(RUN) - set(TEST) == set(RAY)


def test_the_pins_are_what_pyproject_allows() -> None:
    asked = [
        *PROJECT["dependencies"],
        *(r for extra in PROJECT["optional-dependencies"].values() for r in extra),
    ]
    for requirement in map(Requirement, asked):
        assert requirement.specifier.contains((RUN | TEST | RAY)[canonicalize_name(requirement.name)]), (
            requirement
        )


def test_running_needs_no_torch() -> None:
    assert not {"torch", "transformers"} & set(RUN)


def test_no_lock_names_an_index() -> None:
    for name in ROOT.glob("requirements*.lock"):
        assert not re.search(r"(?m)^-|://", name.read_text()), name


def test_every_package_of_weights_has_its_hash() -> None:
    lines = (ROOT / "requirements-models.lock").read_text().splitlines()
    for line in lines:
        assert line.startswith("#") or re.search(r" --hash=sha256:[0-9a-f]{64}$", line), line


def test_the_packages_of_weights_are_those_of_the_catalogue() -> None:
    installed = {
        canonicalize_name(model.source.package): model.source.version
        for model in catalog.MODELS
        if model.source.package and not model.source.wheel_sha256
    }
    assert installed == MODELS


PACKAGES = packages_distributions()


def package_of(module: str) -> str:
    return canonicalize_name(PACKAGES.get(module, [module])[0])


def imports_of(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {name.name.partition(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            found.add(node.module.partition(".")[0])
    return found - set(sys.stdlib_module_names) - set(PRODUCT)


def names(requirements: list[str]) -> set[str]:
    return {canonicalize_name(Requirement(text).name) for text in requirements}


IMPORTED_AS = {"chatterbox-tts": "chatterbox"}  # where that is not known, since it is not installed here


def of_their_own() -> list[str]:
    """What the environments of engines pin."""
    locks = {f"requirements-{model.environment}.lock" for model in catalog.MODELS if model.environment}
    lines = [line for name in locks for line in (ROOT / name).read_text().splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


def test_every_environment_of_an_engine_is_pinned() -> None:
    for line in of_their_own():
        assert re.fullmatch(r"[a-z0-9-]+==[\w.]+", line), line


def test_what_the_code_imports_is_asked_for_by_name_and_the_reverse() -> None:
    extras = PROJECT["optional-dependencies"]
    files = [path for app in PRODUCT for path in (ROOT / app).rglob("*.py") if "vendor" not in path.parts]
    imported = {package_of(module) for path in files for module in imports_of(path)} - set(MODELS)
    asked = names(PROJECT["dependencies"])
    own = {IMPORTED_AS.get(name, name) for name in names(of_their_own())}
    optional = (names([*extras["piper"], *extras["transformers"], *extras["ray"]]) | own) - asked
    assert imported - optional == asked - NEVER_IMPORTED.keys()


def test_what_is_installed_is_what_the_locks_say() -> None:
    for package, version in (RUN | TEST).items():
        try:
            assert distribution(package).version.partition("+")[0] == version, package
        except PackageNotFoundError:
            pytest.fail(f"{package} is not installed")
