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
_QUERY = ["--query-gpu=index,uuid,name,memory.total,memory.free", "--format=csv,noheader,nounits"]
_HIDING = ("none", "-1", "void", "NoDevFiles")


def devices(visible: str = "") -> list[Device]:
    """The machine first, then its GPUs.

    `visible` as in CUDA_VISIBLE_DEVICES: some by index or UUID (or how that begins), "" for all.
    """
    wanted = _names(visible)
    gpus = _gpus().items()
    return [
        _machine(),
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


def _gpus() -> dict[str, Device]:
    """By their UUIDs, as the driver's own program tells them; none where there is no driver."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return {}
    try:
        told = subprocess.run(
            [program, *_QUERY], capture_output=True, text=True, timeout=_ASK_SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return {}
    rows = [line.rsplit(", ", 2) for line in told.stdout.splitlines() if line.count(", ") >= 4]
    found = {}
    for named, total, free in rows:
        index, uuid, name = named.split(", ", 2)
        found[uuid] = Device(index, name, int(total), int(free))
    return found
