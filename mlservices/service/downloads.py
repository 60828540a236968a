"""Model files fetched while the service runs: a process for each model, so that calls do not notice.

The process tells how far it is through `mlservices.prepare.state`, which every process of the machine reads;
here stands only who waits for a turn, and why one failed before it could tell.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import sys
from pathlib import Path

from ..catalog import Model
from ..errors import EngineError

logger = logging.getLogger(__name__)

AT_ONCE = 2
_ROOT = Path(__file__).resolve().parent.parent.parent
_GRACE_SECONDS = 5.0


class Downloads:
    """`close` it before the loop ends."""

    def __init__(self, models_dir: Path) -> None:
        self.problems: dict[str, str] = {}  # by a model's id, until the next attempt
        self._models_dir = models_dir
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def start(self, model: Model) -> None:
        """Nothing happens where it is under way here already."""
        if model.id not in self._tasks:
            self.problems.pop(model.id, None)
            self._tasks[model.id] = asyncio.create_task(self._fetch(model))

    async def fetch(self, model: Model) -> None:
        """The same, waited for. Raises EngineError with the reason why it failed."""
        self.start(model)
        await asyncio.wait({self._tasks[model.id]})
        if problem := self.problems.get(model.id):
            raise EngineError(problem, service=model.service, permanent=True)

    def is_under_way(self, model_id: str) -> bool:
        """Or waits for its turn."""
        return model_id in self._tasks

    async def stop(self, model_id: str) -> None:
        """What is fetched already is kept for the next attempt."""
        if task := self._tasks.get(model_id):
            task.cancel()
            await asyncio.wait({task})

    async def close(self) -> None:
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _fetch(self, model: Model) -> None:
        try:
            async with self._turns:
                problem = await self._run(model)
            if problem:
                logger.error("%s could not be fetched: %s", model.id, problem)
                self.problems[model.id] = problem
        finally:
            del self._tasks[model.id]

    async def _run(self, model: Model) -> str:
        """Why it failed; "" if it did not."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "mlservices.prepare", model.id, str(self._models_dir)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            cwd=_ROOT,
            start_new_session=True,  # a Ctrl-C for the service is passed on by `close`
        )
        try:
            _, said = await process.communicate()
        finally:
            await _end(process)
        lines = said.decode(errors="replace").strip().splitlines() or [f"it ended with {process.returncode}"]
        return lines[-1] if process.returncode else ""


async def _end(process: asyncio.subprocess.Process) -> None:
    """Politely first, so that it can write down how far it came."""
    for how in (signal.SIGINT, signal.SIGKILL):
        if process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(how)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_GRACE_SECONDS):
                await process.wait()
