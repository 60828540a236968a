"""The variables in a CTranslate2 model file (version 6: name, rank, shape, type, bytes)."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_TYPES: dict[int, Any] = {0: np.float32, 1: np.int8, 2: np.int16, 3: np.int32, 4: np.float16}


def read(path: Path) -> dict[str, NDArray[Any]]:
    """ValueError when the file is of another version."""
    data = path.read_bytes()
    at = 0

    def take(format: str) -> tuple[int, ...]:
        nonlocal at
        values = struct.unpack_from(f"<{format}", data, at)
        at += struct.calcsize(f"<{format}")
        return values

    def take_name() -> str:
        nonlocal at
        (length,) = take("H")
        name = data[at : at + length - 1].decode()
        at += length
        return name

    (version,) = take("I")
    if version != 6:
        raise ValueError(f"{path.name} has version {version}, not 6")
    take_name()
    _, count = take("II")
    variables = {}
    for _ in range(count):
        name = take_name()
        (rank,) = take("B")
        shape = take(f"{rank}I")
        kind, size = take("BI")
        variables[name] = np.frombuffer(
            data, _TYPES[kind], size // np.dtype(_TYPES[kind]).itemsize, at
        ).reshape(shape)
        at += size
    return variables
