from __future__ import annotations

import os
import stat
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from voiceforge_site import env


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch):
    return lambda value: monkeypatch.setenv("X", value)


def test_text_is_stripped_and_empty_text_means_the_default(given) -> None:
    given("  words ")
    assert env.text("X", "default") == "words"
    given("  ")
    assert env.text("X", "default") == "default"


@pytest.mark.parametrize(("value", "meant"), [("1", True), ("Yes", True), ("off", False), ("", True)])
def test_a_flag_is_read_in_the_usual_spellings(given, value: str, meant: bool) -> None:
    given(value)
    assert env.flag("X", default=True) is meant


def test_a_flag_that_is_neither_is_refused(given) -> None:
    given("maybe")
    with pytest.raises(ImproperlyConfigured, match=r"^X='maybe': use true or false\.$"):
        env.flag("X")


def test_an_integer_keeps_to_its_bounds(given) -> None:
    given("65535")
    assert env.integer("X", 1, low=1, high=65535) == 65535


@pytest.mark.parametrize("value", ["0", "65536", "-1", "1.5", "8000x", "²", "--5"])
def test_an_integer_out_of_bounds_or_none_at_all_is_refused(given, value: str) -> None:
    given(value)
    with pytest.raises(ImproperlyConfigured, match=r"^X=.*use a whole number from 1 to 65535\.$"):
        env.integer("X", 1, low=1, high=65535)


def test_an_amount_is_exact_and_may_be_missing(given) -> None:
    assert env.amount("X") is None
    given("0.0085")
    assert env.amount("X") == Decimal("0.0085")


@pytest.mark.parametrize("value", ["-1", "1,5", "NaN", "Infinity", "1e9", "free"])
def test_what_is_no_amount_is_refused(given, value: str) -> None:
    given(value)
    with pytest.raises(ImproperlyConfigured, match="use an amount like"):
        env.amount("X")


def test_a_choice_outside_the_list_is_refused_with_the_list(given) -> None:
    given("gunicorn")
    with pytest.raises(ImproperlyConfigured, match=r"^X='gunicorn': use one of daphne, uvicorn\.$"):
        env.choice("X", "daphne", of=("daphne", "uvicorn"))


@pytest.mark.parametrize(
    "value", ["https://example.org", "http://127.0.0.1:8000/base", "http://[::1]:80", "http://a.b:1"]
)
def test_an_address_loses_only_its_trailing_slash(given, value: str) -> None:
    given(value + "/")
    assert env.url("X") == value


@pytest.mark.parametrize(
    "value",
    [
        "example.org",
        "ftp://example.org",
        "https://",
        "http://host:port",
        "http://[::1",
        "http://h:0",
        "http://xn--a",
        "http://\u2603..com",
        f"http://{'a' * 64}.com",
    ],
)
def test_what_is_no_address_is_refused(given, value: str) -> None:
    given(value)
    with pytest.raises(ImproperlyConfigured, match=r"^X=.*use an address like http://host\.$"):
        env.url("X")


def test_a_refused_address_is_quoted_without_its_password(given) -> None:
    given("amqp://user:geheim@host")
    with pytest.raises(ImproperlyConfigured) as refused:
        env.url("X", schemes=("redis",))
    assert "geheim" not in str(refused.value)
    assert "host" in str(refused.value)


def test_a_list_has_no_empty_parts(given) -> None:
    given("a, b,,")
    assert env.items("X") == ["a", "b"]


def test_a_database_is_read_from_its_address(given) -> None:
    given("postgres://user:secret@host:5433/calls")
    read = env.database("X", "sqlite:///x")
    assert (read["ENGINE"], read["NAME"], read["PORT"]) == ("django.db.backends.postgresql", "calls", 5433)


@pytest.mark.parametrize(
    "value", ["oracel://user:geheim@host/name", "host/name", "postgres://user:geheim@h:x/n"]
)
def test_what_is_no_database_is_refused_without_its_password(given, value: str) -> None:
    given(value)
    with pytest.raises(ImproperlyConfigured, match=r"^X=.*use an address like postgres://") as refused:
        env.database("X", "sqlite:///x")
    assert "geheim" not in str(refused.value)


def test_a_given_secret_is_not_kept(given, tmp_path: Path) -> None:
    given("given")
    assert env.kept_secret("X", tmp_path / "x", lambda: "made") == "given"
    assert not (tmp_path / "x").exists()


def test_a_secret_is_made_once_and_kept_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "var" / "x"
    assert env.kept_secret("X_UNSET", path, lambda: "first") == "first"
    assert env.kept_secret("X_UNSET", path, lambda: "second") == "first"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_of_two_processes_that_make_a_secret_at_once_both_read_the_first(tmp_path: Path) -> None:
    path = tmp_path / "x"

    def make_while_another_is_first() -> str:
        path.write_text("theirs")
        return "ours"

    assert env.kept_secret("X_UNSET", path, make_while_another_is_first) == "theirs"


def test_a_secret_that_cannot_be_kept_names_the_variables_that_help(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ImproperlyConfigured, match=r"X_UNSET is not set and cannot be kept.*VAR_DIR"):
        env.kept_secret("X_UNSET", tmp_path / "file" / "x", lambda: "made")


def test_a_file_of_variables_gives_way_to_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / ".env"
    file.write_text("X_ONE=file # comment\nX_TWO='file'\n")
    monkeypatch.delenv("ENV_FILE", raising=False)
    monkeypatch.setenv("X_TWO", "environment")
    monkeypatch.setenv("X_ONE", "")
    monkeypatch.delenv("X_ONE")
    env.read_file(file)
    assert (os.environ["X_ONE"], os.environ["X_TWO"]) == ("file", "environment")


def test_an_empty_name_of_the_file_means_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / ".env"
    file.write_text("X_THREE=file\n")
    monkeypatch.setenv("ENV_FILE", "")
    env.read_file(file)
    assert "X_THREE" not in os.environ


@pytest.mark.parametrize(
    ("value", "meant"),
    [("https://a.example/", "https://a.example"), ("https://a.example:443", "https://a.example")],
)
def test_an_origin_is_as_browsers_name_it(given, value: str, meant: str) -> None:
    given(value)
    assert env.origin("X", "") == meant


@pytest.mark.parametrize(
    "value", ["https://a.example/base", "https://a.example?x=1", "https://me:pw@a.example"]
)
def test_an_origin_has_no_path(given, value: str) -> None:
    given(value)
    with pytest.raises(ImproperlyConfigured, match=r"^X=.*without a path\.$") as caught:
        env.origin("X", "")
    assert "pw" not in str(caught.value)


def test_hosts_are_names_and_no_addresses(given) -> None:
    given("a.example, .b.example, [::1]")
    assert env.hosts("X") == ["a.example", ".b.example", "[::1]"]
    given("http://a.example/")
    with pytest.raises(ImproperlyConfigured, match=r"^X: 'http://a\.example/' is no host"):
        env.hosts("X")


@pytest.mark.parametrize("value", ["mysql://u:pw@h/n", "oracle://h/n", "nonsense"])
def test_a_database_that_is_not_supported_is_refused_by_name(given, value: str) -> None:
    given(value)
    with pytest.raises(ImproperlyConfigured, match=r"^X=.*use an address like postgres://"):
        env.database("X", Path("unused"))


def test_without_a_database_there_is_a_file_whatever_its_folder_is_called(given) -> None:
    given("")
    path = Path("/srv/voice #1?x%20y/voiceforge.sqlite3")
    assert env.database("X", path)["NAME"] == str(path)


def test_a_file_of_variables_that_is_not_there_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ENV_FILE", str(tmp_path / "none"))
    with pytest.raises(ImproperlyConfigured, match="there is no such file"):
        env.read_file(tmp_path / ".env")
