"""What clients learn of a service's sleep, written down off the event loop."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from django.db import close_old_connections

from .clients.waking import Answered, Happening
from .models import SpaceAwake

logger = logging.getLogger(__name__)

_ANSWERS_APART_SECONDS = 60.0  # answers in between tell nothing new
_writing = ThreadPoolExecutor(1, "awake")


def address_of(url: str) -> str:
    """Under which a service is known; who logs in by its address is none of it."""
    return urlsplit(url).netloc.rpartition("@")[2]


def teller(url: str, now: Callable[[], float] = time.monotonic) -> Callable[[Happening], None]:
    """For `Waking`: never waits."""
    address = address_of(url)
    told_at = -_ANSWERS_APART_SECONDS

    def tell(happening: Happening) -> None:
        nonlocal told_at
        if isinstance(happening, Answered):
            if now() - told_at < _ANSWERS_APART_SECONDS:
                return
            told_at = now()
        else:
            told_at = -_ANSWERS_APART_SECONDS
        _writing.submit(_write, address, happening)

    return tell


def flush() -> None:
    """Wait until what was told is written."""
    _writing.submit(lambda: None).result()


def _write(address: str, happening: Happening) -> None:
    try:
        SpaceAwake.record(address, happening)
    except Exception:  # a database that is away: a figure is lost, no call
        logger.warning("It could not be written down when %s was awake.", address, exc_info=True)
    finally:
        close_old_connections()
