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

from mlservices.catalog.languages import WHISPER
from mlservices.prepare import whisper_hub

WORDS = ["hello", "there", "clinic", "open", "nine", "five", "yes", "no"]


def tokenizer_of(folder: Path, special: list[str], *, size: int = 0) -> dict[str, int]:
    """`size`: of the vocabulary, at least; the last that is no mark is then empty, as Whisper has it."""
    filler = [f"w{number}" for number in range(size - 257 - len(WORDS) - len(special))]
    filler += [""] * bool(size)
    vocabulary = {
        token: number for number, token in enumerate([*pre_tokenizers.ByteLevel.alphabet(), *WORDS, *filler])
    }
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = ByteLevel()
    tokenizer.add_special_tokens(special)
    tokenizer.save(str(folder / "tokenizer.json"))
    return tokenizer.get_vocab()


def whisper(folder: Path) -> None:
    torch.manual_seed(0)
    ids = tokenizer_of(
        folder, ["<|endoftext|>", "<|startoftranscript|>", "<|nocaptions|>", "<|notimestamps|>"]
    )
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
    ids = tokenizer_of(folder, ["<|im_start|>", "<|im_end|>"])
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
    model = VitsModel(config)
    model.decoder.conv_post.weight.data *= 0.05  # random weights are loud
    model.save_pretrained(folder)
    (folder / "vocab.json").write_text(json.dumps({letter: number for number, letter in enumerate(letters)}))
    (folder / "tokenizer_config.json").write_text(
        json.dumps(
            {"tokenizer_class": "VitsTokenizer", "language": "eng", "add_blank": True, "phonemize": False}
        )
    )


def multilingual_whisper(folder: Path) -> None:
    """In the shape of Large V3: 128 bands, languages, the task, marks for times and for silence."""
    torch.manual_seed(0)
    languages = [f"<|{code}|>" for code in WHISPER]
    tasks = ["<|translate|>", "<|transcribe|>", "<|startoflm|>", "<|startofprev|>", "<|nospeech|>"]
    marks = ["<|endoftext|>", "<|startoftranscript|>", *languages, *tasks, "<|notimestamps|>"]
    times = [f"<|{number * 0.02:.2f}|>" for number in range(1501)]
    ids = tokenizer_of(
        folder, [*marks, *times], size=51866
    )  # by all this CTranslate2 tells that it knows many
    end, start = ids["<|endoftext|>"], ids["<|startoftranscript|>"]
    config = WhisperConfig(
        vocab_size=len(ids),
        num_mel_bins=128,
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
        no_timestamps_token_id=ids["<|notimestamps|>"],
        suppress_tokens=[start, *(ids[mark] for mark in tasks)],
        begin_suppress_tokens=[end],
        is_multilingual=True,
        lang_to_id={mark: ids[mark] for mark in languages},
        task_to_id={"transcribe": ids["<|transcribe|>"], "translate": ids["<|translate|>"]},
        alignment_heads=[[0, 0]],
    )
    model.save_pretrained(folder)
    tokenizer_class(folder, "WhisperTokenizer", eos_token="<|endoftext|>", unk_token="<|endoftext|>")


def converted_whisper(folder: Path) -> None:
    """The same by the recipe for CTranslate2."""
    source = folder.parent / "checkpoint"
    source.mkdir()
    multilingual_whisper(source)
    whisper_hub.convert(source, folder)


def llama(folder: Path) -> None:
    """With Llama 3's marks and a template in its manner."""
    torch.manual_seed(0)
    marks = ["<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>", "<|python_tag|>"]
    ids = tokenizer_of(folder, marks)
    tokenizer_class(
        folder,
        "PreTrainedTokenizerFast",
        bos_token="<|begin_of_text|>",
        eos_token="<|eot_id|>",
        additional_special_tokens=marks,
    )
    (folder / "chat_template.jinja").write_text(LLAMA_TEMPLATE)
    config = LlamaConfig(
        vocab_size=len(ids),
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=16384,
        bos_token_id=ids["<|begin_of_text|>"],
        eos_token_id=ids["<|eot_id|>"],
    )
    LlamaForCausalLM(config).save_pretrained(folder)


LLAMA_TEMPLATE = """\
{{- bos_token }}
{%- if tools %}
    {{- "<|start_header_id|>tools<|end_header_id|>\\n\\n" }}
    {%- for tool in tools %}{{ tool | tojson }}{% endfor %}
    {{- "<|eot_id|>" }}
{%- endif %}
{%- for message in messages %}
    {%- if message.tool_calls %}
        {%- if message.tool_calls | length != 1 %}{{ raise_exception("one call a message") }}{% endif %}
        {{- "<|start_header_id|>assistant<|end_header_id|>\\n\\n" }}
        {{- message.tool_calls[0].function | tojson }}{{ "<|eot_id|>" }}
    {%- else %}
        {{- "<|start_header_id|>" + message.role + "<|end_header_id|>\\n\\n" }}
        {{- message.content + "<|eot_id|>" }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{ "<|start_header_id|>assistant<|end_header_id|>\\n\\n" }}{% endif %}
"""


def tokenizer_class(folder: Path, name: str, **special: object) -> None:
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": name, **special}))
