"""A tiny Higgs Audio V2 and its codec, with random weights."""

from pathlib import Path

import torch
from transformers import (
    DacConfig,
    HiggsAudioV2Config,
    HiggsAudioV2ForConditionalGeneration,
    HiggsAudioV2TokenizerConfig,
    HiggsAudioV2TokenizerModel,
    HubertConfig,
)

from tests.mlservices.tiny_checkpoints import tokenizer_class, tokenizer_of


def make(folder: Path) -> None:
    """Two codebooks of 64, with marks for the begin and the end among them."""
    torch.manual_seed(0)
    marks = ["<|audio_out_bos|>", "<|audio_delay|>", "<|AUDIO_OUT|>", "<|eot_id|>", "<|pad|>"]
    ids = tokenizer_of(folder, marks)
    tokenizer_class(folder, "PreTrainedTokenizerFast", eos_token="<|eot_id|>")
    (folder / "chat_template.jinja").write_text(
        "{% for message in messages %}{{ message.role }}\\n"
        "{% for part in message.content %}{{ part.text }}{% endfor %}<|eot_id|>{% endfor %}"
        "{% if add_generation_prompt %}assistant\\n<|audio_out_bos|>{% endif %}"
    )
    _model(ids).save_pretrained(folder)
    _codec().save_pretrained(folder / "codec")


def _model(ids: dict[str, int]) -> HiggsAudioV2ForConditionalGeneration:
    config = HiggsAudioV2Config(
        vocab_size=len(ids),
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
        head_dim=8,
        max_position_embeddings=2048,
        num_codebooks=2,
        codebook_size=66,
        audio_stream_bos_id=64,
        audio_stream_eos_id=65,
        audio_bos_token_id=ids["<|audio_out_bos|>"],
        audio_delay_token_id=ids["<|audio_delay|>"],
        audio_token_id=ids["<|AUDIO_OUT|>"],
        pad_token_id=ids["<|pad|>"],
        bos_token_id=None,
        eos_token_id=ids["<|eot_id|>"],
    )
    return HiggsAudioV2ForConditionalGeneration(config)


def _codec() -> HiggsAudioV2TokenizerModel:
    acoustic = DacConfig(
        encoder_hidden_size=4,
        downsampling_ratios=[8, 5, 4, 2],
        decoder_hidden_size=32,
        upsampling_ratios=[8, 5, 4, 2],
        hidden_size=16,
    )
    semantic = HubertConfig(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16)
    codec = HiggsAudioV2TokenizerConfig(
        target_bandwidths=[0.9],  # two codebooks of 6 bits, 75 times a second
        codebook_size=64,
        codebook_dim=8,
        acoustic_model_config=acoustic,
        semantic_model_config=semantic,
    )
    model = HiggsAudioV2TokenizerModel(codec)
    for book in model.quantizer.quantizers:
        torch.nn.init.normal_(book.codebook.embed)
    return model
