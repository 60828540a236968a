"""all-MiniLM-L6-v2 (a BERT encoder) from safetensors to CTranslate2, weight by weight."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
from ctranslate2.specs import common_spec, transformer_spec
from numpy.typing import NDArray
from safetensors.numpy import load_file

from ..catalog import Model

Weights = dict[str, NDArray[np.float32]]


def prepare(files: list[Path], folder: Path, model: Model) -> None:
    weights_file, tokenizer, config_file = files
    config = json.loads(config_file.read_text())
    vocabulary = json.loads(tokenizer.read_text())["model"]["vocab"]
    spec = _spec(load_file(str(weights_file)), config)
    spec.register_vocabulary(sorted(vocabulary, key=vocabulary.__getitem__))
    spec.config.unk_token = "[UNK]"
    spec.config.layer_norm_epsilon = config["layer_norm_eps"]
    spec.validate()
    spec.optimize(quantization="int8")
    spec.save(str(folder))
    shutil.copy(tokenizer, folder / "tokenizer.json")


def _spec(weights: Weights, config: dict[str, int]) -> transformer_spec.TransformerEncoderModelSpec:
    encoder = transformer_spec.TransformerEncoderSpec(
        config["num_hidden_layers"],
        config["num_attention_heads"],
        pre_norm=False,
        activation=common_spec.Activation.GELU,
        layernorm_embedding=True,
        num_source_embeddings=2,
        embeddings_merge=common_spec.EmbeddingsMerge.ADD,
    )
    encoder.scale_embeddings = False
    encoder.embeddings[0].weight = weights["embeddings.word_embeddings.weight"]
    encoder.embeddings[1].weight = weights["embeddings.token_type_embeddings.weight"]
    encoder.position_encodings.encodings = weights["embeddings.position_embeddings.weight"]
    _norm(encoder.layernorm_embedding, weights, "embeddings.LayerNorm")
    for index, layer in enumerate(encoder.layer):
        prefix = f"encoder.layer.{index}"
        names = [f"{prefix}.attention.self.{part}" for part in ("query", "key", "value")]
        fused = layer.self_attention.linear[0]
        fused.weight = np.concatenate([weights[f"{name}.weight"] for name in names])
        fused.bias = np.concatenate([weights[f"{name}.bias"] for name in names])
        _linear(layer.self_attention.linear[1], weights, f"{prefix}.attention.output.dense")
        _norm(layer.self_attention.layer_norm, weights, f"{prefix}.attention.output.LayerNorm")
        _linear(layer.ffn.linear_0, weights, f"{prefix}.intermediate.dense")
        _linear(layer.ffn.linear_1, weights, f"{prefix}.output.dense")
        _norm(layer.ffn.layer_norm, weights, f"{prefix}.output.LayerNorm")
    return transformer_spec.TransformerEncoderModelSpec(encoder)


def _linear(spec: common_spec.LinearSpec, weights: Weights, name: str) -> None:
    spec.weight, spec.bias = weights[f"{name}.weight"], weights[f"{name}.bias"]


def _norm(spec: common_spec.LayerNormSpec, weights: Weights, name: str) -> None:
    spec.gamma, spec.beta = weights[f"{name}.weight"], weights[f"{name}.bias"]
