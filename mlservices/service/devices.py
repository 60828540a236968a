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
_GPUS = "--query-gpu=index,uuid,name,memory.total,memory.free"
_PROCESSES = "--query-compute-apps=gpu_uuid,pid,used_memory"
_FORMAT = "--format=csv,noheader,nounits"


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
    rows = [line.rsplit(", ", 2) for line in _driver(_GPUS) if line.count(", ") >= 4]
    processes = _processes() if rows else {}
    found = []
    for named, total, free in rows:
        index, uuid, name = named.split(", ", 2)
        found.append(Device(index, name, int(total), int(free), processes.get(uuid, {})))
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
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    try:
        told = subprocess.run(
            [program, query, _FORMAT], capture_output=True, text=True, timeout=_ASK_SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return []
    return told.stdout.splitlines()
