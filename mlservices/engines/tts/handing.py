"""Pieces out of a library that only knows how to run to its end."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from typing import TypeVar

T = TypeVar("T")


class _GivenUp(Exception):
    """Nobody wants the rest."""


def handed_out(produce: Callable[[Callable[[T], None]], None]) -> Iterator[T]:
    """What `produce(put)` puts, as it does so, in a thread of its own.

    Closing makes its next `put` raise, and waits until it has ended: two never run at once.
    """
    pieces: queue.SimpleQueue[tuple[T] | BaseException | None] = queue.SimpleQueue()
    given_up = threading.Event()

    def put(piece: T) -> None:
        if given_up.is_set():
            raise _GivenUp
        pieces.put((piece,))

    def run() -> None:
        try:
            produce(put)
            pieces.put(None)
        except BaseException as error:
            pieces.put(error)

    thread = threading.Thread(target=run, name="produce", daemon=True)
    thread.start()
    try:
        while (piece := pieces.get()) is not None:
            if isinstance(piece, BaseException):
                raise piece
            yield piece[0]
    finally:
        given_up.set()
        thread.join()
