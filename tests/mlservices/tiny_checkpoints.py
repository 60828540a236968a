"""Checkpoints of the true architectures, a few kilobytes each, with random weights."""

import json
from pathlib import Path

import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from tokenizers.decoders import ByteLevel
from transformers import (
    GenerationConfig,
    LlamaConfig,
    LlamaForCausalLM,
    VitsConfig,
    VitsModel,
    WhisperConfig,
    WhisperForConditionalGeneration,
)

WORDS = ["hello", "there", "clinic", "open", "nine", "five", "yes", "no"]


def _tokenizer(folder: Path, special: list[str]) -> dict[str, int]:
    vocabulary = {
        token: number for number, token in enumerate([*pre_tokenizers.ByteLevel.alphabet(), *WORDS])
    }
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = ByteLevel()
    tokenizer.add_special_tokens(special)
    tokenizer.save(str(folder / "tokenizer.json"))
    return tokenizer.get_vocab()


def whisper(folder: Path) -> None:
    torch.manual_seed(0)
    ids = _tokenizer(folder, ["<|endoftext|>", "<|startoftranscript|>", "<|nocaptions|>", "<|notimestamps|>"])
    end, start, times = ids["<|endoftext|>"], ids["<|startoftranscript|>"], ids["<|notimestamps|>"]
    config = WhisperConfig(
        vocab_size=times + 1 + 1501,
        d_model=16,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=32,
        decoder_ffn_dim=32,
        decoder_start_token_id=start,
        bos_token_id=end,
        eos_token_id=end,
        pad_token_id=end,
    )
    model = WhisperForConditionalGeneration(config)
    model.generation_config = GenerationConfig(
        decoder_start_token_id=start,
        eos_token_id=end,
        no_timestamps_token_id=times,
        suppress_tokens=[start],
        begin_suppress_tokens=[end],
        is_multilingual=False,
    )
    model.save_pretrained(folder)


def chat(folder: Path) -> None:
    torch.manual_seed(0)
    ids = _tokenizer(folder, ["<|im_start|>", "<|im_end|>"])
    config = LlamaConfig(
        vocab_size=max(ids.values()) + 1,
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        eos_token_id=ids["<|im_end|>"],
    )
    LlamaForCausalLM(config).save_pretrained(folder)


def vits(folder: Path) -> None:
    torch.manual_seed(0)
    letters = ["<pad>", *" abcdefghijklmnopqrstuvwxyz'"]
    config = VitsConfig(
        vocab_size=len(letters),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        ffn_dim=16,
        flow_size=16,
        spectrogram_bins=8,
        upsample_initial_channel=32,
        upsample_rates=[8, 8],
        upsample_kernel_sizes=[16, 16],
        prior_encoder_num_wavenet_layers=1,
        posterior_encoder_num_wavenet_layers=1,
        depth_separable_num_layers=1,
        duration_predictor_num_flows=2,
        sampling_rate=16000,
    )
    VitsModel(config).save_pretrained(folder)
    (folder / "vocab.json").write_text(json.dumps({letter: number for number, letter in enumerate(letters)}))
    (folder / "tokenizer_config.json").write_text(
        json.dumps(
            {"tokenizer_class": "VitsTokenizer", "language": "eng", "add_blank": True, "phonemize": False}
        )
    )
