"""Half the memory on a GPU: weights in 8 bits, by bitsandbytes."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

import torch
from transformers import BitsAndBytesConfig

from ..catalog import Model
from ..errors import EngineError


def in_eight_bits(model: Model, device: torch.device, *, leave: Sequence[str] = ()) -> dict[str, Any]:
    """What `from_pretrained` is told, but for the modules to `leave`; {} without a GPU.

    EngineError without bitsandbytes: the weights would take twice the memory that is planned for them.
    """
    if device.type != "cuda":
        return {}
    if not find_spec("bitsandbytes"):
        raise EngineError(
            f"{model.id} is planned in 8 bits, which needs the library bitsandbytes: "
            f"run `manage.py models install {model.id}`",
            service=model.service,
            permanent=True,
        )
    settings = BitsAndBytesConfig(load_in_8bit=True, llm_int8_skip_modules=list(leave) or None)
    return {"quantization_config": settings, "device_map": device}
