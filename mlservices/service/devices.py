"""What memory this machine has for models: its own, within the limit of a container, and its GPUs'."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import psutil

from .placement import CPU, Device

_MB = 2**20
_ASK_SECONDS = 5
_CGROUP = Path("/sys/fs/cgroup")  # version 2, where a container sees its own limits
_QUERY = ["--query-gpu=index,name,memory.total,memory.free", "--format=csv,noheader,nounits"]


def devices(visible: str = "") -> list[Device]:
    """The machine first, then its GPUs; `visible` as in CUDA_VISIBLE_DEVICES: indices of some, "" for all."""
    wanted = [index.strip() for index in visible.split(",") if index.strip()]
    return [_machine(), *(gpu for gpu in _gpus() if not wanted or gpu.id in wanted)]


def _machine(cgroup: Path = _CGROUP) -> Device:
    memory = psutil.virtual_memory()
    total, free = memory.total, memory.available
    try:
        limit = int((cgroup / "memory.max").read_text())
        used = int((cgroup / "memory.current").read_text()) - _reclaimable(cgroup)
    except (OSError, ValueError):  # no container, or one without a limit ("max")
        pass
    else:
        total, free = min(total, limit), min(free, limit - used)
    return Device(CPU, "Machine", total // _MB, max(0, free) // _MB)


def _reclaimable(cgroup: Path) -> int:
    """Bytes of cached files, which make room by themselves."""
    fields = dict(line.split() for line in (cgroup / "memory.stat").read_text().splitlines())
    return int(fields.get("inactive_file", 0))


def _gpus() -> list[Device]:
    """As the driver's own program tells them; none where there is no driver."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    try:
        told = subprocess.run(
            [program, *_QUERY], capture_output=True, text=True, timeout=_ASK_SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return []
    rows = [line.rsplit(", ", 2) for line in told.stdout.splitlines() if line.count(", ") >= 3]
    found = []
    for named, total, free in rows:
        index, _, name = named.partition(", ")
        found.append(Device(index, name, int(total), int(free)))
    return found
