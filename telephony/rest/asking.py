"""Providers' refusals as answers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from mlservices.api.answers import Refused

from ..lines.accounts import ProviderError


@contextmanager
def asking() -> Iterator[None]:
    """409 for what the provider refused, 503 for what may work later, and 502 where nobody knows whether it
    was done."""
    try:
        yield
    except ProviderError as error:
        raise Refused(502 if error.sent else 503 if error.may_help else 409, str(error)) from None
