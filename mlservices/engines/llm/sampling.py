"""The next token out of a model's scores, on torch."""

from __future__ import annotations

import torch

_TOP_K = 40


def choose(logits: torch.Tensor, temperature: float) -> int:
    """Of one position, shape (vocabulary,); the likeliest at temperature 0."""
    if temperature <= 0:
        return int(logits.argmax())
    likely = logits.topk(min(_TOP_K, logits.shape[0]))
    drawn = torch.multinomial((likely.values.float() / temperature).softmax(-1), 1)
    return int(likely.indices[drawn])
