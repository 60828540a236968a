"""SmolLM2 (a Llama-shaped decoder) from GGUF to CTranslate2, weight by weight."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from ctranslate2.specs import common_spec, transformer_spec

from ..catalog import Model
from . import gguf_llama


def prepare(files: list[Path], folder: Path, model: Model) -> None:
    source = gguf_llama.read(files[0])
    spec = _spec(source)
    spec.register_vocabulary(source.tokens)
    spec.config.bos_token = source.bos
    spec.config.eos_token = source.eos
    spec.config.unk_token = source.unknown
    spec.config.layer_norm_epsilon = source.epsilon
    spec.validate()
    spec.optimize(quantization="int8")
    spec.save(str(folder))
    source.tokenizer.save(str(folder / "tokenizer.json"))


def _spec(source: gguf_llama.LlamaFile) -> transformer_spec.TransformerDecoderModelSpec:
    weights = source.weights
    spec = transformer_spec.TransformerDecoderModelSpec.from_config(
        source.layers,
        source.heads,
        pre_norm=True,
        activation=common_spec.Activation.SWISH,
        ffn_glu=True,
        rms_norm=True,
        rotary_dim=0,
        rotary_interleave=False,
        rotary_base=source.rope_base,
        num_heads_kv=source.heads_kv,
    )
    decoder = spec.decoder
    decoder.scale_embeddings = False
    decoder.embeddings.weight = weights["token_embd.weight"]
    decoder.projection.weight = weights.get("output.weight", weights["token_embd.weight"])
    decoder.layer_norm.gamma = weights["output_norm.weight"]
    for index, layer in enumerate(decoder.layer):
        block = f"blk.{index}"
        layer.self_attention.layer_norm.gamma = weights[f"{block}.attn_norm.weight"]
        layer.self_attention.linear[0].weight = np.concatenate(
            [
                gguf_llama.sliced_rotary(weights[f"{block}.attn_q.weight"], source.heads),
                gguf_llama.sliced_rotary(weights[f"{block}.attn_k.weight"], source.heads_kv),
                weights[f"{block}.attn_v.weight"],
            ]
        )
        layer.self_attention.linear[1].weight = weights[f"{block}.attn_output.weight"]
        layer.ffn.layer_norm.gamma = weights[f"{block}.ffn_norm.weight"]
        layer.ffn.linear_0.weight = weights[f"{block}.ffn_gate.weight"]
        layer.ffn.linear_0_noact.weight = weights[f"{block}.ffn_up.weight"]
        layer.ffn.linear_1.weight = weights[f"{block}.ffn_down.weight"]
    return spec
