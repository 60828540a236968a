"""Database work of asynchronous code, in threads that nobody else waits for."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from channels.db import database_sync_to_async

P = ParamSpec("P")
T = TypeVar("T")


class DatabaseThreads:
    """`await threads(work, *args)` runs `work` in one of them; more work waits for a free one. Each does
    `begin` first of all."""

    def __init__(self, count: int, name: str, begin: Callable[[], None] | None = None) -> None:
        self._executor = ThreadPoolExecutor(count, thread_name_prefix=name, initializer=begin)

    async def __call__(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        in_thread = database_sync_to_async(work, thread_sensitive=False, executor=self._executor)
        return await in_thread(*args, **kwargs)
