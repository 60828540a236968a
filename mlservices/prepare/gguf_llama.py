"""What a GGUF file of a Llama-shaped model says, as float32 weights, sizes and a tokenizer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from gguf import GGUFReader
from gguf.quants import dequantize
from numpy.typing import NDArray
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers

_CONTROL = 3


@dataclass(frozen=True)
class LlamaFile:
    weights: dict[str, NDArray[np.float32]]  # by GGUF name, e.g. blk.0.attn_q.weight
    layers: int
    heads: int
    heads_kv: int
    rope_base: float
    epsilon: float
    context: int
    tokens: list[str]
    bos: str
    eos: str
    unknown: str
    tokenizer: Tokenizer


def read(path: Path) -> LlamaFile:
    reader = GGUFReader(str(path))

    def value(name: str) -> Any:
        return reader.fields[name].contents()

    tokens = value("tokenizer.ggml.tokens")
    return LlamaFile(
        weights={
            tensor.name: dequantize(tensor.data, tensor.tensor_type).astype(np.float32, copy=False)
            for tensor in reader.tensors
        },
        layers=value("llama.block_count"),
        heads=value("llama.attention.head_count"),
        heads_kv=value("llama.attention.head_count_kv"),
        rope_base=value("llama.rope.freq_base"),
        epsilon=value("llama.attention.layer_norm_rms_epsilon"),
        context=value("llama.context_length"),
        tokens=tokens,
        bos=tokens[value("tokenizer.ggml.bos_token_id")],
        eos=tokens[value("tokenizer.ggml.eos_token_id")],
        unknown=tokens[value("tokenizer.ggml.unknown_token_id")],
        tokenizer=_tokenizer(tokens, value("tokenizer.ggml.merges"), value("tokenizer.ggml.token_type")),
    )


def sliced_rotary(weight: NDArray[np.float32], heads: int) -> NDArray[np.float32]:
    """A query or key projection as the model's authors had it.

    GGUF interleaves the two halves of each head that rotary embeddings turn; other runtimes keep them
    one behind the other.
    """
    size = weight.shape[0] // heads
    return weight.reshape(heads, size // 2, 2, -1).swapaxes(1, 2).reshape(weight.shape)


def _tokenizer(tokens: list[str], merges: list[str], types: list[int]) -> Tokenizer:
    """Byte-level BPE with digits one by one ("smollm" in GGUF's list of pre-tokenizers)."""
    vocabulary = {token: index for index, token in enumerate(tokens)}
    pairs = [(first, second) for first, _, second in (merge.partition(" ") for merge in merges)]
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=pairs))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(r"\p{N}"), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    control = [
        AddedToken(token, special=True, normalized=False)
        for token, kind in zip(tokens, types, strict=True)
        if kind == _CONTROL
    ]
    tokenizer.add_special_tokens(control)
    return tokenizer
