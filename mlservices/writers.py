from __future__ import annotations

import logging
import threading

from django.db import connection

logger = logging.getLogger(__name__)


class Writer:
    """Writes what its process notes in a thread of its own, every so many seconds: nobody who notes something
    waits for the database."""

    def __init__(self, name: str, every_seconds: float) -> None:
        self._name, self._every_seconds = name, every_seconds
        self._thread: threading.Thread | None = None
        self._closing = threading.Event()

    @property
    def is_open(self) -> bool:
        return self._thread is not None

    def open(self) -> None:
        if self._thread is None:
            self._closing.clear()
            self._thread = threading.Thread(target=self._work, name=self._name, daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Write what is left and end the thread."""
        if self._thread is not None:
            self._closing.set()
            self._thread.join()
            self._thread = None

    def write(self) -> None:
        raise NotImplementedError

    def _work(self) -> None:
        stopped = False
        while not stopped:
            stopped = self._closing.wait(self._every_seconds)
            try:
                self.write()
            except Exception:  # what comes later is still to be written
                logger.exception("Something that the %s notes could not be written.", self._name)
                connection.close()
        connection.close()
