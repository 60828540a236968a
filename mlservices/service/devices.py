"""What memory this machine has for models: its own, within the limit of a container, and its GPUs'."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from .placement import CPU, Device

_MB = 2**20
_DRIVER = "nvidia-smi"
_ASK_SECONDS = 5
_REMEMBERED_SECONDS = 3.0
CGROUP = Path("/sys/fs/cgroup")  # version 2, where a container sees its own limits
_GPUS = "--query-gpu=index,uuid,name,memory.total,memory.free"
_PROCESSES = "--query-compute-apps=gpu_uuid,pid,used_memory"
_FORMAT = "--format=csv,noheader,nounits"
_HIDING = ("none", "-1", "void", "NoDevFiles")


def devices(visible: str = "") -> list[Device]:
    """The machine first, then its GPUs.

    `visible` as in CUDA_VISIBLE_DEVICES: some by index or UUID (or how that begins), "" for all.
    """
    wanted = _names(visible)
    gpus = _gpus().items()
    return [
        machine(),
        *(gpu for uuid, gpu in gpus if not wanted or any(_means(w, uuid, gpu) for w in wanted)),
    ]


def misnamed(visible: str) -> str:
    """What is wrong with a CUDA_VISIBLE_DEVICES that names a GPU which is not here; "" where all is well.

    An index that is not here hides, as CUDA has it: images for GPUs come with it.
    """
    gpus = _gpus()
    for name in _names(visible):
        known = name.isdecimal() or name in _HIDING
        if not known and not any(_means(name, uuid, gpu) for uuid, gpu in gpus.items()):
            here = ", ".join(f"{gpu.id} ({uuid}, {gpu.name})" for uuid, gpu in gpus.items()) or "none"
            return f"CUDA_VISIBLE_DEVICES names {name!r}, and the GPUs that can be used here are: {here}."
    return ""


def _names(visible: str) -> list[str]:
    return [name.strip() for name in visible.split(",") if name.strip()]


def _means(name: str, uuid: str, gpu: Device) -> bool:
    return name == gpu.id or (name.startswith("GPU-") and uuid.startswith(name))


def machine() -> Device:
    memory = psutil.virtual_memory()
    total, free = memory.total, memory.available
    try:
        limit = int((CGROUP / "memory.max").read_text())
        used = int((CGROUP / "memory.current").read_text()) - _reclaimable()
    except (OSError, ValueError):  # no container, or one without a limit ("max")
        pass
    else:
        total, free = min(total, limit), min(free, limit - used)
    return Device(CPU, "Machine", total // _MB, max(0, free) // _MB)


def _reclaimable() -> int:
    """Bytes of cached files, which make room by themselves."""
    fields = dict(line.split() for line in (CGROUP / "memory.stat").read_text().splitlines())
    return int(fields.get("inactive_file", 0))


def has_driver(visible: str = "") -> bool:
    """Whether there should be a GPU to use, without asking the driver."""
    return visible not in _HIDING and shutil.which(_DRIVER) is not None


def _gpus() -> dict[str, Device]:
    """By their UUIDs, as the driver's own program tells them; none where there is no driver."""
    rows = [line.rsplit(", ", 2) for line in _driver(_GPUS) if line.count(", ") >= 4]
    processes = _processes() if rows else {}
    found = {}
    for named, total, free in rows:
        index, uuid, name = named.split(", ", 2)
        if total.isdecimal() and free.isdecimal():  # "[N/A]" of a GPU that shares the machine's memory
            found[uuid] = Device(index, name, int(total), int(free), processes.get(uuid, {}))
    return found


def _processes() -> dict[str, dict[int, int]]:
    """By a GPU's uuid: MB by process. A driver tells no figure ("[N/A]") where it does not keep count, and no
    process at all in most containers."""
    found: dict[str, dict[int, int]] = {}
    for line in _driver(_PROCESSES):
        uuid, pid, used = line.split(", ") if line.count(", ") == 2 else ("", "", "")
        if pid.isdecimal() and used.isdecimal():
            found.setdefault(uuid, {})[int(pid)] = int(used)
    return found


def _driver(query: str) -> list[str]:
    """Its answer in lines; none where there is no driver, or it fails."""
    program = shutil.which(_DRIVER)
    if program is None:
        return []
    try:
        told = subprocess.run(
            [program, query, _FORMAT], capture_output=True, text=True, timeout=_ASK_SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return []
    return told.stdout.splitlines()


class Looking:
    """At devices, off the event loop and never twice at once: the driver's program takes a while."""

    def __init__(self, look: Callable[[], list[Device]], now: Callable[[], float] = time.monotonic) -> None:
        self._look, self._now = look, now
        self._looking = asyncio.Lock()
        self._seen: list[Device] = []
        self._seen_at = -_REMEMBERED_SECONDS

    async def afresh(self) -> list[Device]:
        """For who plans: memory that was free a moment ago may be taken."""
        async with self._looking:
            return await self._asked()

    async def lately(self) -> list[Device]:
        """For who tells: a few seconds old at most, however many ask."""
        async with self._looking:
            fresh = self._now() - self._seen_at < _REMEMBERED_SECONDS
            return self._seen if fresh else await self._asked()

    async def _asked(self) -> list[Device]:
        self._seen = await asyncio.to_thread(self._look)
        self._seen_at = self._now()
        return self._seen
