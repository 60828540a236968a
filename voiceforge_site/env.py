"""Settings from the environment. Each helper refuses nonsense with one line that names the variable."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dj_database_url
from django.core.exceptions import ImproperlyConfigured
from dotenv import load_dotenv

DATABASES = ("postgres", "postgresql", "sqlite")
LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "::1")


def read_file(path: Path) -> None:
    """Take the variables of `path` (ENV_FILE names another, empty means none); what is already set wins."""
    name = os.environ.get("ENV_FILE", str(path))
    if name and not Path(name).is_file() and "ENV_FILE" in os.environ:
        raise ImproperlyConfigured(f"ENV_FILE={name!r}: there is no such file.")
    if name:
        load_dotenv(name)


def text(name: str, default: str = "") -> str:
    return os.environ.get(name, "").strip() or default


def flag(name: str, default: bool = False) -> bool:
    value = text(name).lower()
    if not value:
        return default
    if value in ("1", "true", "yes", "on"):
        return True
    if value in ("0", "false", "no", "off"):
        return False
    raise ImproperlyConfigured(f"{name}={value!r}: use true or false.")


def integer(name: str, default: int, *, low: int, high: int) -> int:
    value = text(name)
    if not value:
        return default
    try:
        number = int(value)
    except ValueError:
        number = None
    if number is None or not low <= number <= high:
        raise ImproperlyConfigured(f"{name}={value!r}: use a whole number from {low} to {high}.")
    return number


def amount(name: str, default: Decimal | None = None) -> Decimal | None:
    """A sum of money, without its currency; it is never below zero."""
    value = text(name)
    if not value:
        return default
    try:
        number = Decimal(value)
    except InvalidOperation:
        number = Decimal(-1)
    if not (number.is_finite() and 0 <= number < 1_000_000):
        raise ImproperlyConfigured(f"{name}={value!r}: use an amount like 0.0085.")
    return number


def choice(name: str, default: str, *, of: Sequence[str]) -> str:
    value = text(name, default)
    if value not in of:
        raise ImproperlyConfigured(f"{name}={value!r}: use one of {', '.join(of)}.")
    return value


def choices(name: str, *, of: Sequence[str]) -> list[str]:
    """A comma-separated list of some of these."""
    found = items(name)
    for value in found:
        if value not in of:
            raise ImproperlyConfigured(f"{name}: {value!r} is not known; use some of {', '.join(of)}.")
    return found


def url(name: str, default: str = "", *, schemes: Sequence[str] = ("http", "https")) -> str:
    """An absolute address without its trailing slash; empty if neither it nor a default is given."""
    value = text(name, default)
    if not value:
        return ""
    try:
        parts = urlsplit(value)
        whole = parts.scheme in schemes and parts.hostname and (parts.port is None or parts.port > 0)
        _ = (parts.hostname or "").encode("idna").decode("idna")
    except ValueError:  # a port or a name that is none, an IPv6 address without its end
        whole = False
    if not whole:
        raise ImproperlyConfigured(
            f"{name}={_without_password(value)!r}: use an address like {schemes[0]}://host."
        )
    return value.rstrip("/")


def origin(name: str, default: str) -> str:
    """Scheme and host of an address, as browsers name a page's origin: without a path or a usual port."""
    value = url(name, default)
    parts = urlsplit(value)
    if parts.path or parts.query or parts.fragment or parts.username or parts.password:
        raise ImproperlyConfigured(
            f"{name}={_without_password(value)!r}: use the address alone, like https://host, without a path."
        )
    usual = {"http": 80, "https": 443}[parts.scheme]
    return value.removesuffix(f":{usual}")


def hosts(name: str) -> list[str]:
    """Names of hosts, separated by commas."""
    found = items(name)
    for host in found:
        if any(sign in host for sign in "/@? ") or (":" in host and not host.startswith("[")):
            raise ImproperlyConfigured(f"{name}: {host!r} is no host; use a name like voice.example.org.")
    return found


def items(name: str) -> list[str]:
    """A comma-separated list; empty parts are left out."""
    return [item.strip() for item in text(name).split(",") if item.strip()]


def any_given(names: Sequence[str]) -> bool:
    return any(map(text, names))


def database(name: str, default: Path) -> dict[str, Any]:
    """An entry of Django's DATABASES; without the variable an SQLite file."""
    value = text(name)
    if not value:
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": str(default)}
    try:
        if urlsplit(value).scheme not in DATABASES:
            raise dj_database_url.ParseError
        return dict(dj_database_url.parse(value))
    except (dj_database_url.ParseError, dj_database_url.UnknownSchemeError, ValueError):
        raise ImproperlyConfigured(
            f"{name}={_without_password(value)!r}: use an address like postgres://user:password@host/name."
        ) from None


def kept_secret(name: str, path: Path, make: Callable[[], str]) -> str:
    """The variable or, where it is not given, what `path` keeps, made on first use."""
    if given := text(name):
        return given
    try:
        if not path.exists():
            _keep(path, make())
        return path.read_text().strip()
    except OSError as error:
        raise ImproperlyConfigured(
            f"{name} is not set and cannot be kept in {path} ({error.strerror}): "
            "set it, or set VAR_DIR to a folder that can be written."
        ) from None


def _keep(path: Path, secret: str) -> None:
    """Write `secret` in one step, so that of several processes starting at once all read the same."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(secret)
    with suppress(FileExistsError):
        os.link(draft, path)
    draft.unlink()


def _without_password(value: str) -> str:
    """An address that may be shown: everything between the scheme and the host is left out."""
    before, at, host = value.rpartition("@")
    return f"{before.partition('//')[0]}//...@{host}" if at else value
