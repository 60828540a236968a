"""Half the memory on a GPU: weights in 8 bits, by bitsandbytes where that is installed."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

import torch
from transformers import BitsAndBytesConfig


def in_eight_bits(device: torch.device, *, leave: Sequence[str] = ()) -> dict[str, Any]:
    """What `from_pretrained` is told, but for the modules to `leave`; {} without a GPU or bitsandbytes."""
    if device.type != "cuda" or not find_spec("bitsandbytes"):
        return {}
    settings = BitsAndBytesConfig(load_in_8bit=True, llm_int8_skip_modules=list(leave) or None)
    return {"quantization_config": settings, "device_map": device}
