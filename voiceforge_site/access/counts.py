"""Counts that the threads and processes of one machine share without Redis."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.core.cache.backends.filebased import FileBasedCache

KEPT_SECONDS = 120.0  # after which a count may be forgotten


class Counts(FileBasedCache):
    """A cache that only counts: a count is the length of its file. To append a byte is one step for the
    system, where Django's own reads, adds and writes back, and loses what others count meanwhile."""

    def add(self, key: Any, value: Any, timeout: Any = None, version: Any = None) -> bool:
        """Nothing: a count begins by itself."""
        return False

    def incr(self, key: Any, delta: int = 1, version: Any = None) -> int:
        path = self._key_to_file(key, version)  # type: ignore[attr-defined]  # none of Django's stubs know it
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        try:
            file = os.open(path, flags, 0o600)
        except FileNotFoundError:
            self._createdir()  # type: ignore[attr-defined]
            file = os.open(path, flags, 0o600)
        try:
            os.write(file, b"." * delta)
            count = os.lseek(file, 0, os.SEEK_CUR)  # where our own byte ended, whoever wrote since
        finally:
            os.close(file)
        if count == delta:  # the first of its minute
            self._forget_old()
        return count

    def _forget_old(self) -> None:
        oldest = time.time() - KEPT_SECONDS
        for name in self._list_cache_files():  # type: ignore[attr-defined]
            with suppress(FileNotFoundError):  # another process was faster
                if os.path.getmtime(name) < oldest:
                    Path(name).unlink()
