"""all-MiniLM-L6-v2 on CTranslate2: the meaning of a sentence as 384 numbers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import ctranslate2
import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from ...catalog import Model

_LONGEST = 256  # tokens; what is longer is cut
_BATCH = 32
_DIMENSIONS = 384


class MiniLM:
    at_once = 16

    def __init__(self, folder: Path, model: Model) -> None:
        self._encoder = ctranslate2.Encoder(str(folder), compute_type="int8", intra_threads=1)
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(_LONGEST)

    def warm(self) -> None:
        self.embed(["hello"])

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        if not texts:
            return np.zeros((0, _DIMENSIONS), np.float32)
        ids = [encoding.ids for encoding in self._tokenizer.encode_batch(list(texts))]
        rows = [self._embed_batch(ids[start : start + _BATCH]) for start in range(0, len(ids), _BATCH)]
        return np.concatenate(rows)

    def _embed_batch(self, ids: list[list[int]]) -> NDArray[np.float32]:
        """The mean over each text's own tokens, without the padding, scaled to unit length."""
        lengths = np.array([len(row) for row in ids])
        hidden = np.array(self._encoder.forward_batch(ids).last_hidden_state)
        mask = (np.arange(hidden.shape[1]) < lengths[:, None]).astype(np.float32)[:, :, None]
        mean = (hidden * mask).sum(axis=1) / lengths[:, None]
        return (mean / np.linalg.norm(mean, axis=1, keepdims=True)).astype(np.float32)
