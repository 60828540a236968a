"""Settings as a whole, each in a process of its own as a start would read them."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from itertools import cycle
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = ("voiceforge_site", "telephony", "agents", "mlservices")
READ_BY_LIBRARIES = {"HF_ENDPOINT", "TORCH_HOME"}
SHOW = (
    "import json\n"
    "from django.conf import settings\n"
    "print(json.dumps({name: getattr(settings, name) for name in sys.argv[1:]}, default=str))"
)


def python(*arguments: str, tmp_path: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run Python with these variables alone."""
    environment = {
        "PATH": os.environ["PATH"],
        "ENV_FILE": "",
        "VAR_DIR": str(tmp_path / "var"),
        "DJANGO_SETTINGS_MODULE": "voiceforge_site.settings",
    }
    return subprocess.run(
        [sys.executable, *arguments],
        env=environment | variables,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def settings(*names: str, tmp_path: Path, **variables: str) -> dict[str, object]:
    shown = python("-c", f"import sys\n{SHOW}", *names, tmp_path=tmp_path, **variables)
    assert shown.returncode == 0, shown.stderr
    return dict(json.loads(shown.stdout))


STARTS = [("manage.py", "check"), ("manage.py", "web"), ("-c", "import voiceforge_site.asgi")]
WRONG = {
    "PORT": "80x",
    "PUBLIC_URL": "example.org",
    "WEB_SERVER": "gunicorn",
    "WEB_CONCURRENCY": "0",
    "DEBUG": "maybe",
    "DATABASE_URL": "nonsense://x",
    "REDIS_URL": "http://x",
    "HF_ML_API_URL": "space",
    "LOG_LEVEL": "loud",
    "TWILIO_API_URL": "x",
    "VAR_DIR": "/dev/null/x",
}


@pytest.mark.parametrize(("name", "start"), list(zip(WRONG, cycle(STARTS), strict=False)), ids=str)
def test_a_wrong_value_stops_any_start_with_one_line_that_names_it(
    name: str, start: tuple[str, ...], tmp_path: Path
) -> None:
    """The starts take turns: all read the settings in one place."""
    stopped = python(*start, tmp_path=tmp_path, **{name: WRONG[name]})
    assert stopped.returncode == 1
    (line,) = stopped.stderr.splitlines()
    assert name in line


def test_a_space_that_is_wanted_but_not_named_stops_the_start(tmp_path: Path) -> None:
    stopped = python("manage.py", "check", tmp_path=tmp_path, USE_HF_SPACES_ML="true")
    assert stopped.stderr == "USE_HF_SPACES_ML=true needs HF_ML_API_URL: the address of your Space.\n"


@pytest.mark.parametrize(
    ("variables", "line"),
    [
        ({"HF_ML_KEEP_WARM": "15"}, "HF_ML_KEEP_WARM=15 needs HF_ML_API_URL: the Space to ask."),
        ({"ML_FALLBACK": "space,local"}, "ML_FALLBACK names space: HF_ML_API_URL must give its address."),
        (
            {"ML_FALLBACK": "local,openai"},
            "ML_FALLBACK names openai: AI_INTEGRATIONS_OPENAI_API_KEY or NVIDIA_API_KEY must be given.",
        ),
        (
            {"ML_FALLBACK": "local,me"},
            "ML_FALLBACK: 'me' is not known; use some of space, local, openai.",
        ),
    ],
)
def test_an_order_of_engines_that_cannot_be_stops_the_start(
    variables: dict[str, str], line: str, tmp_path: Path
) -> None:
    assert python("manage.py", "check", tmp_path=tmp_path, **variables).stderr == f"{line}\n"


def test_whoever_names_workers_beside_a_space_wants_them_to_stand_in(tmp_path: Path) -> None:
    space = {"HF_ML_API_URL": "https://someone-voice.hf.space"}
    assert settings("ML_FALLBACK", tmp_path=tmp_path, **space) == {"ML_FALLBACK": []}
    with_workers = settings("ML_FALLBACK", tmp_path=tmp_path, ML_STT_WORKERS="1", **space)
    assert with_workers == {"ML_FALLBACK": ["space", "local", "openai"]}
    named = settings(
        "ML_FALLBACK", tmp_path=tmp_path, ML_FALLBACK="local, space", ML_STT_WORKERS="1", **space
    )
    assert named == {"ML_FALLBACK": ["local", "space"]}


def test_nothing_given_is_enough_to_start_and_is_safe(tmp_path: Path) -> None:
    names = ("DEBUG", "HOST", "PUBLIC_URL", "PRODUCTION", "ALLOWED_HOSTS")
    assert settings(*names, tmp_path=tmp_path) == {
        "DEBUG": False,
        "HOST": "127.0.0.1",
        "PUBLIC_URL": "http://127.0.0.1:8000",
        "PRODUCTION": False,
        "ALLOWED_HOSTS": ["127.0.0.1", "127.0.0.1", "localhost", "[::1]"],
    }
    assert python("manage.py", "check", tmp_path=tmp_path).returncode == 0


def test_secrets_made_at_the_first_start_are_the_same_at_the_next(tmp_path: Path) -> None:
    names = ("SECRET_KEY", "CREDENTIALS_KEYS")
    assert settings(*names, tmp_path=tmp_path) == settings(*names, tmp_path=tmp_path)


@pytest.mark.parametrize(
    "variables", [{"PUBLIC_URL": "https://voice.example.org"}, {"DATABASE_URL": "postgres://u:p@h/n"}]
)
def test_production_makes_no_secrets_and_refuses_to_start_without(
    variables: dict[str, str], tmp_path: Path
) -> None:
    stopped = python("manage.py", "web", tmp_path=tmp_path, **variables)
    assert stopped.returncode == 1
    assert "voiceforge.E002" in stopped.stderr
    assert "voiceforge.E003" in stopped.stderr
    assert "Traceback" not in stopped.stderr
    assert not (tmp_path / "var" / "session-secret").exists()


def test_https_makes_cookies_secure_and_is_believed_of_a_proxy_only_when_asked(tmp_path: Path) -> None:
    names = ("SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SECURE_PROXY_SSL_HEADER", "CSRF_TRUSTED_ORIGINS")
    https = {"PUBLIC_URL": "https://voice.example.org"}
    assert settings(*names, tmp_path=tmp_path, **https) == {
        "SESSION_COOKIE_SECURE": True,
        "CSRF_COOKIE_SECURE": True,
        "SECURE_PROXY_SSL_HEADER": None,
        "CSRF_TRUSTED_ORIGINS": ["https://voice.example.org"],
    }
    behind = settings(*names, tmp_path=tmp_path, BEHIND_PROXY="true", **https)
    assert behind["SECURE_PROXY_SSL_HEADER"] == ["HTTP_X_FORWARDED_PROTO", "https"]
    plain = settings(*names, tmp_path=tmp_path)
    assert not plain["SESSION_COOKIE_SECURE"]


def test_redis_carries_live_events_jobs_and_the_caches_once_it_is_named(tmp_path: Path) -> None:
    names = ("CHANNEL_LAYERS", "Q_CLUSTER", "CACHES")
    with_redis = json.dumps(settings(*names, tmp_path=tmp_path, REDIS_URL="redis://h/0"))
    assert with_redis.count("redis://h/0") == 6  # there are four caches
    assert "redis://" not in json.dumps(settings(*names, tmp_path=tmp_path))


def test_the_env_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "env"
    file.write_text("PORT=8123\n")
    assert settings("PORT", tmp_path=tmp_path, ENV_FILE=str(file)) == {"PORT": 8123}


def variables_read() -> dict[str, str | None]:
    """Each variable that product code reads, and its default where it is spelled out in the call."""
    found: dict[str, str | None] = {"ENV_FILE": None}
    for app in PRODUCT:
        for path in (ROOT / app).rglob("*.py"):
            for call in ast.walk(ast.parse(path.read_text())):
                match call:
                    case ast.Call(
                        func=ast.Attribute(value=ast.Name(id="env"), attr=helper),
                        args=[ast.Constant(value=str(name)), *rest],
                    ):
                        default = rest[0] if rest else ast.Constant("false" if helper == "flag" else "")
                        found[name] = str(default.value) if isinstance(default, ast.Constant) else None
    return found


def variables_documented() -> dict[str, str]:
    lines = (ROOT / ".env.example").read_text().splitlines()
    pairs = [line.removeprefix("# ").partition("=") for line in lines]
    return {name: default for name, equals, default in pairs if equals and name.replace("_", "").isalnum()}


def test_every_variable_that_is_read_is_documented_and_the_reverse() -> None:
    assert set(variables_documented()) == set(variables_read()) | READ_BY_LIBRARIES


def test_the_documented_defaults_are_the_true_ones() -> None:
    documented = variables_documented()
    for name, default in variables_read().items():
        if default is not None:
            assert documented[name] == default, name


def test_no_code_reads_the_environment_past_the_helpers() -> None:
    allowed = {"env.py", "bootstrap.py", "up.py", "standalone.py"}
    for app in PRODUCT:
        for path in (ROOT / app).rglob("*.py"):
            if path.name not in allowed:
                assert not re.search(r"os\.environ(\[|\.get)|os\.getenv", path.read_text()), path
