"""What runs in Ray's processes, on whichever host: a replica holds the engine of one model.

It speaks the messages of `worker.py`, one stream of them a request, and serves one request at a time.
Django is not loaded here.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psutil
import ray
from ray import serve

from ...wire import Message
from ..worker import Server, warm_engine


class Replica:
    """EngineError where this host lacks the model's files or libraries."""

    def __init__(self, fields: dict[str, Any], models_dir: str) -> None:
        self._engine = warm_engine(fields, models_dir)
        self._server = Server(self._engine)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="engine")
        self._one_at_a_time = asyncio.Lock()

    async def about(self) -> dict[str, Any]:
        return {"at_once": getattr(self._engine, "at_once", 1)}

    async def run(self, head: dict[str, Any], payload: bytes) -> AsyncGenerator[Message, None]:
        """The messages of one {"op": "run"}; first comes {"event": "taken"}, once the engine is free for it.

        When whoever asked is gone, the engine is free for others at its next piece, if not at once.
        """
        async with self._one_at_a_time:
            yield self._taken(), b""
            loop = asyncio.get_running_loop()
            messages: asyncio.Queue[Message | None] = asyncio.Queue()

            def tell(head: dict[str, Any], payload: bytes) -> None:
                loop.call_soon_threadsafe(messages.put_nowait, (head, payload))

            work = loop.run_in_executor(self._thread, self._server.serve, head, payload, tell)
            work.add_done_callback(lambda _: messages.put_nowait(None))
            try:
                while (message := await messages.get()) is not None:
                    yield message
            finally:
                for job in head["jobs"]:
                    self._server.cancel(job["id"])
                await asyncio.wait({work})

    def _taken(self) -> dict[str, Any]:
        return {
            "event": "taken",
            "replica": serve.get_replica_context().replica_id.unique_id,
            "memory_mb": psutil.Process().memory_info().rss // 2**20,
            "gpu": ",".join(ray.get_runtime_context().get_accelerator_ids().get("GPU", ())),
        }
