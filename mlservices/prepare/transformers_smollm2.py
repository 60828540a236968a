"""SmolLM2 from GGUF to a transformers folder."""

from __future__ import annotations

from pathlib import Path

from safetensors.numpy import save_file
from transformers import LlamaConfig

from ..catalog import Model
from . import gguf_llama

_NAMES = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}


def prepare(files: list[Path], folder: Path, model: Model) -> None:
    source = gguf_llama.read(files[0])
    weights = {
        "model.embed_tokens.weight": source.weights["token_embd.weight"],
        "model.norm.weight": source.weights["output_norm.weight"],
    }
    for layer in range(source.layers):
        for short, long in _NAMES.items():
            weight = source.weights[f"blk.{layer}.{short}.weight"]
            if short == "attn_q":
                weight = gguf_llama.sliced_rotary(weight, source.heads)
            elif short == "attn_k":
                weight = gguf_llama.sliced_rotary(weight, source.heads_kv)
            weights[f"model.layers.{layer}.{long}.weight"] = weight.copy()
    save_file(weights, str(folder / "model.safetensors"), metadata={"format": "pt"})
    config = LlamaConfig(
        architectures=["LlamaForCausalLM"],
        vocab_size=len(source.tokens),
        hidden_size=weights["model.norm.weight"].shape[0],
        intermediate_size=weights["model.layers.0.mlp.gate_proj.weight"].shape[0],
        num_hidden_layers=source.layers,
        num_attention_heads=source.heads,
        num_key_value_heads=source.heads_kv,
        max_position_embeddings=source.context,
        rms_norm_eps=source.epsilon,
        rope_parameters={"rope_type": "default", "rope_theta": source.rope_base},
        tie_word_embeddings=True,
        bos_token_id=source.tokens.index(source.bos),
        eos_token_id=source.tokens.index(source.eos),
    )
    config.save_pretrained(folder)
    source.tokenizer.save(str(folder / "tokenizer.json"))
