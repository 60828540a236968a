"""A tiny Parler-TTS with random weights: T5 reads the description, DAC makes the sound."""

from pathlib import Path

import torch
from parler_tts import ParlerTTSConfig, ParlerTTSDecoderConfig, ParlerTTSForConditionalGeneration
from transformers import DacConfig, DacModel, T5Config

from tests.mlservices.tiny_checkpoints import tokenizer_class, tokenizer_of

_BOOKS, _SIZE = 3, 64


def make(folder: Path) -> None:
    torch.manual_seed(0)
    (folder / "description").mkdir()
    for reader in (folder, folder / "description"):
        ids = tokenizer_of(reader, ["</s>", "<pad>"])
        tokenizer_class(reader, "PreTrainedTokenizerFast", eos_token="</s>", pad_token="<pad>")
    text = T5Config(
        vocab_size=len(ids), d_model=16, d_kv=8, d_ff=16, num_layers=1, num_heads=2, decoder_start_token_id=0
    )
    audio = DacConfig(
        encoder_hidden_size=4,
        downsampling_ratios=[2, 4, 8, 8],
        decoder_hidden_size=32,
        upsampling_ratios=[8, 8, 4, 2],
        n_codebooks=_BOOKS,
        codebook_size=_SIZE,
        codebook_dim=4,
        hidden_size=64,
        sampling_rate=44100,
    )
    decoder = ParlerTTSDecoderConfig(
        vocab_size=_SIZE + 24,
        hidden_size=16,
        ffn_dim=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=2048,
        num_codebooks=_BOOKS,
        pad_token_id=_SIZE,
        bos_token_id=_SIZE + 1,
        eos_token_id=_SIZE,
    )
    config = ParlerTTSConfig.from_sub_models_config(text, audio, decoder, vocab_size=len(ids))
    config.pad_token_id, config.decoder_start_token_id = _SIZE, _SIZE + 1
    model = ParlerTTSForConditionalGeneration(config)
    assert isinstance(model.audio_encoder, DacModel)
    for book in model.audio_encoder.quantizer.quantizers:
        torch.nn.init.normal_(book.codebook.weight)
    settings = model.generation_config
    settings.pad_token_id = settings.eos_token_id = _SIZE
    settings.bos_token_id = settings.decoder_start_token_id = _SIZE + 1
    model.save_pretrained(folder)
