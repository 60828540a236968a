"""A worker process as its parent sees it: started, spoken to, ended."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

import psutil
from django.conf import settings

from ..catalog import Model
from ..environments import is_installed, python_of
from ..wire import Message, Unpacker, pack
from .placement import CPU

_ROOT = Path(__file__).resolve().parent.parent.parent
LEAN = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "RAYON_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "2",
    "HF_HUB_OFFLINE": "1",  # what a worker needs was prepared
    "CUDA_DEVICE_ORDER": "PCI_BUS_ID",  # as nvidia-smi numbers GPUs, by which they are given out
}
"""What a worker finds in its environment: one thread, little memory, nothing fetched."""

_HANDED_ON = frozenset({"HOME", "LANG", "LANGUAGE", "PATH", "TMPDIR", "TZ", "USER", "VIRTUAL_ENV"})
_HANDED_ON_BEGIN = (
    *("LC_", "LD_", "PYTHON", "XDG_", "ESPEAK_", "COVERAGE_"),
    *("CUDA_", "CUDNN_", "NVIDIA_", "TORCH_", "TORCHINDUCTOR_", "PYTORCH_", "TRITON_", "BNB_", "NUMBA_"),
    *("OMP_", "MKL_", "OPENBLAS_", "ORT_", "CT2_", "MALLOC_"),
)


def environment_of(variables: Mapping[str, str], device: str) -> dict[str, str]:
    """What a worker is given of ours: what libraries need, and none of our secrets."""
    kept = {
        name: value
        for name, value in variables.items()
        if name in _HANDED_ON or name.startswith(_HANDED_ON_BEGIN)
    }
    return kept | LEAN | {"CUDA_VISIBLE_DEVICES": device.removeprefix(CPU)}


_GRACE_SECONDS = 2.0


class WorkerGone(Exception):
    """The process ended or closed its socket."""


def _python(model: Model) -> str:
    """The interpreter of the environment that the model's engine runs in."""
    if model.environment and not is_installed(model, settings.VAR_DIR):
        raise WorkerGone(f"{model.id} needs libraries of its own: run `manage.py models install {model.id}`")
    return python_of(model.environment, settings.VAR_DIR)


class Worker(Protocol):
    """Whoever works in a seat. One reader at a time."""

    @property
    def pid(self) -> int: ...

    @property
    def gone(self) -> asyncio.Task[int]:
        """Done once it works no more."""

    def send(self, head: Mapping[str, Any], payload: bytes = b"") -> None: ...

    async def receive(self, within_seconds: float) -> Message:
        """The next message; TimeoutError when none comes in time, WorkerGone when none will."""

    def stand_still(self, still: bool) -> None:
        """Be given no time by the machine; or go on."""

    async def stop(self) -> None: ...


class WorkerProcess:
    """Made by `start`. One reader at a time."""

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._process, self._reader, self._writer = process, reader, writer
        # One waiter for its whole life: asyncio forgets none that was cancelled before the end.
        self.gone: asyncio.Task[int] = asyncio.create_task(process.wait())
        self._unpacker = Unpacker()
        self._messages: list[Message] = []

    @classmethod
    async def start(cls, model: Model, models_dir: Path, device: str = CPU) -> WorkerProcess:
        """A new process that has been told what to load, and sees this GPU alone, or none.

        WorkerGone if what it would run on is missing.
        """
        python = _python(model)
        ours, theirs = socket.socketpair()
        with theirs:
            process = await asyncio.create_subprocess_exec(
                python,
                "-m",
                "mlservices.service.worker",
                str(theirs.fileno()),
                pass_fds=[theirs.fileno()],
                stdin=asyncio.subprocess.DEVNULL,
                cwd=_ROOT,
                env=environment_of(os.environ, device),
            )
        reader, writer = await asyncio.open_connection(sock=ours)
        worker = cls(process, reader, writer)
        worker.send({"op": "load", "model": asdict(model), "models_dir": str(models_dir)})
        return worker

    @property
    def pid(self) -> int:
        return self._process.pid

    def send(self, head: Mapping[str, Any], payload: bytes = b"") -> None:
        if not self._writer.is_closing():
            self._writer.write(pack(dict(head), payload))

    async def receive(self, within_seconds: float) -> Message:
        """The next message; TimeoutError when none comes in time, WorkerGone when none will."""
        async with asyncio.timeout(within_seconds):
            while not self._messages:
                try:
                    data = await self._reader.read(1 << 18)
                    self._messages = self._unpacker.feed(data)
                except ConnectionError as error:  # it had not read yet what it was told to load
                    raise WorkerGone(await self._how_it_ended()) from error
                except ValueError as error:
                    raise WorkerGone(str(error)) from error
                if not data:
                    raise WorkerGone(await self._how_it_ended())
        return self._messages.pop(0)

    def stand_still(self, still: bool) -> None:
        if sys.platform != "linux":  # only there does a worker that stands still end with us: see worker.py
            return
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGSTOP if still else signal.SIGCONT)

    async def stop(self) -> None:
        """End the process and wait until it is no more."""
        self._writer.close()
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self.gone

    async def _how_it_ended(self) -> str:
        try:
            code = await asyncio.wait_for(asyncio.shield(self.gone), _GRACE_SECONDS)
        except TimeoutError:
            return "it closed its connection"
        how = f"was killed by signal {-code}" if code < 0 else f"exited with code {code}"
        return f"its process {how}"


def resident_mb(pid: int) -> int:
    """Memory of a process; 0 where it is no more."""
    try:
        return int(psutil.Process(pid).memory_info().rss) // 2**20 if pid else 0
    except psutil.Error:
        return 0
