"""Settings from the environment. Each helper refuses nonsense with one line that names the variable."""

from __future__ import annotations

import os
from collections.abc import Sequence
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured


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
    if not value.lstrip("-").isdigit() or not low <= int(value) <= high:
        raise ImproperlyConfigured(f"{name}={value!r}: use a whole number from {low} to {high}.")
    return int(value)


def choice(name: str, default: str, *, of: Sequence[str]) -> str:
    value = text(name, default)
    if value not in of:
        raise ImproperlyConfigured(f"{name}={value!r}: use one of {', '.join(of)}.")
    return value


def url(name: str, default: str = "", *, schemes: Sequence[str] = ("http", "https")) -> str:
    value = text(name, default)
    if not value:
        return ""
    parts = urlsplit(value)
    if parts.scheme not in schemes or not parts.netloc:
        raise ImproperlyConfigured(f"{name}={value!r}: use an address like {schemes[0]}://host.")
    return value.rstrip("/")


def items(name: str) -> list[str]:
    """A comma-separated list; empty parts are left out."""
    return [item.strip() for item in text(name).split(",") if item.strip()]
