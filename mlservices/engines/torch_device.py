"""Where engines on torch run: on the GPU if there is one, with half the digits, else on one thread."""

from __future__ import annotations

import torch


def choose() -> tuple[torch.device, torch.dtype]:
    """A worker sees the GPU that its pool gives it (CUDA_VISIBLE_DEVICES), hence the first."""
    if torch.cuda.is_available():
        return torch.device("cuda"), torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    torch.set_num_threads(1)
    return torch.device("cpu"), torch.float32
