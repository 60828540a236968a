"""Which call and whose key the lines of a log are about: set where a call or a request runs, read where lines
are written. Tasks that are started inside have it too."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from uuid import UUID

_call: ContextVar[str] = ContextVar("about_call", default="")
_key: ContextVar[str] = ContextVar("about_key", default="")


def call() -> str:
    """Its id; "" outside of any."""
    return _call.get()


def key() -> str:
    """The beginning of an API key, which is its name; "" where none was sent."""
    return _key.get()


@contextmanager
def about(*, call: UUID | str | None = None, key: str = "") -> Iterator[None]:
    """What is not said is as it is outside."""
    calls, keys = _call.set(str(call or _call.get())), _key.set(key or _key.get())
    try:
        yield
    finally:
        _call.reset(calls)
        _key.reset(keys)
