"""English Whisper from CTranslate2 to a transformers folder, weight by weight."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file
from transformers import GenerationConfig, WhisperConfig

from ..catalog import Model
from . import ct2_file

_END_OF_TEXT, _START, _NO_TIMESTAMPS = "<|endoftext|>", "<|startoftranscript|>", "<|notimestamps|>"
_HEAD_WIDTH = 64

_RENAMED = (
    (r"/self_attention/layer_norm", ".self_attn_layer_norm"),
    (r"/attention/layer_norm", ".encoder_attn_layer_norm"),
    (r"/ffn/layer_norm", ".final_layer_norm"),
    (r"/self_attention/linear_1", ".self_attn.out_proj"),
    (r"/attention/linear_2", ".encoder_attn.out_proj"),
    (r"/attention/linear_0", ".encoder_attn.q_proj"),
    (r"/ffn/linear_0", ".fc1"),
    (r"/ffn/linear_1", ".fc2"),
    (r"/layer_(\d+)", r".layers.\1"),
    (r"/position_encodings/encodings", ".embed_positions.weight"),
    (r"/embeddings/weight", ".embed_tokens.weight"),
    (r"/gamma$", ".weight"),
    (r"/beta$", ".bias"),
    (r"/", "."),
)
_FUSED = (("/self_attention/linear_0/", "self_attn", "qkv"), ("/attention/linear_1/", "encoder_attn", "kv"))


def prepare(files: list[Path], folder: Path, model: Model) -> None:
    model_file, tokenizer, config_file, _ = files
    variables = ct2_file.read(model_file)
    ids = {token["content"]: token["id"] for token in json.loads(tokenizer.read_text())["added_tokens"]}
    save_file(_weights(variables), str(folder / "model.safetensors"), metadata={"format": "pt"})
    _config(variables, ids).save_pretrained(folder)
    _generation(json.loads(config_file.read_text()), ids).save_pretrained(folder)
    shutil.copy(tokenizer, folder / "tokenizer.json")


def _weights(variables: dict[str, NDArray[Any]]) -> dict[str, NDArray[np.float32]]:
    weights: dict[str, NDArray[np.float32]] = {}
    for name, value in variables.items():
        if value.ndim == 0 or "alignment" in name:
            continue
        value = value.astype(np.float32)
        fused = next(((to, parts) for part, to, parts in _FUSED if part in name), None)
        if fused is None:
            weights[f"model.{_renamed(name)}"] = value
            continue
        layer, kind = _renamed(re.sub(r"(/layer_\d+)/.*", r"\1", name)), name.rpartition("/")[2]
        for part, projection in zip(fused[1], np.split(value, len(fused[1])), strict=True):
            if not (part == "k" and kind == "bias"):  # Whisper's keys have no bias: those are zeros
                weights[f"model.{layer}.{fused[0]}.{part}_proj.{kind}"] = projection.copy()
    return weights


def _renamed(name: str) -> str:
    for pattern, replacement in _RENAMED:
        name = re.sub(pattern, replacement, name)
    return name


def _config(variables: dict[str, NDArray[Any]], ids: dict[str, int]) -> WhisperConfig:
    vocabulary, width = variables["decoder/embeddings/weight"].shape
    layers = 1 + max(
        int(found[1]) for name in variables if (found := re.search(r"^encoder/layer_(\d+)/", name))
    )
    heads = width // _HEAD_WIDTH
    return WhisperConfig(
        architectures=["WhisperForConditionalGeneration"],
        vocab_size=vocabulary,
        d_model=width,
        num_mel_bins=variables["encoder/conv1/weight"].shape[1],
        encoder_layers=layers,
        decoder_layers=layers,
        encoder_attention_heads=heads,
        decoder_attention_heads=heads,
        encoder_ffn_dim=4 * width,
        decoder_ffn_dim=4 * width,
        decoder_start_token_id=ids[_START],
        bos_token_id=ids[_END_OF_TEXT],
        eos_token_id=ids[_END_OF_TEXT],
        pad_token_id=ids[_END_OF_TEXT],
    )


def _generation(config: dict[str, Any], ids: dict[str, int]) -> GenerationConfig:
    return GenerationConfig(
        decoder_start_token_id=ids[_START],
        bos_token_id=ids[_END_OF_TEXT],
        eos_token_id=ids[_END_OF_TEXT],
        pad_token_id=ids[_END_OF_TEXT],
        no_timestamps_token_id=ids[_NO_TIMESTAMPS],
        suppress_tokens=[token for token in config["suppress_ids"] if token >= 0],
        begin_suppress_tokens=config["suppress_ids_begin"],
        is_multilingual=False,
        max_length=448,
    )
