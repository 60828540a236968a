"""A Chatterbox with random weights: fewer and smaller layers where the package's code lets them be so."""

import json
from functools import partial
from pathlib import Path

import torch
from chatterbox.models.s3gen import S3Gen, s3gen
from chatterbox.models.t3 import T3
from chatterbox.models.t3.llama_configs import LLAMA_CONFIGS
from chatterbox.models.t3.modules.cond_enc import T3Cond
from chatterbox.models.t3.modules.t3_config import T3Config
from chatterbox.models.voice_encoder import VoiceEncoder
from chatterbox.mtl_tts import Conditionals
from safetensors.torch import save_file
from tokenizers import Tokenizer, models, pre_tokenizers

_SMALL_ENCODER = {"linear_units": 64, "num_blocks": 1}
_SMALL_DECODER = {
    "channels": [32],
    "attention_head_dim": 16,
    "n_blocks": 1,
    "num_mid_blocks": 1,
    "num_heads": 2,
}


def _with(kind, changes, **settings):
    return kind(**settings | changes)


@torch.no_grad()
def _speaks_briefly(t3: T3) -> T3:
    """Draws from 64 tokens and the one that ends, all alike: some thirty tokens a sentence."""
    for embedding in (t3.speech_emb, t3.text_emb):
        embedding.weight[:, 0] = 10.0
    t3.speech_head.weight[64:, 0] = -5.0
    t3.speech_head.weight[t3.hp.stop_speech_token, 0] = 0.0
    return t3


def make(folder: Path) -> None:
    torch.manual_seed(0)
    LLAMA_CONFIGS["Llama_520M"] |= {"num_hidden_layers": 14, "intermediate_size": 64}  # it looks at the 14th
    torch.save(VoiceEncoder().state_dict(), folder / "ve.pt")
    s3gen.UpsampleConformerEncoder = partial(_with, s3gen.UpsampleConformerEncoder, _SMALL_ENCODER)
    s3gen.ConditionalDecoder = partial(_with, s3gen.ConditionalDecoder, _SMALL_DECODER)
    save_file(_speaks_briefly(T3(T3Config.multilingual())).state_dict(), folder / "t3_mtl23ls_v2.safetensors")
    torch.save(S3Gen().state_dict(), folder / "s3gen.pt")
    words = ["[STOP]", "[UNK]", "[SPACE]", "[en]", "[de]", *"abcdefghijklmnopqrstuvwxyz.,!?'", "[START]"]
    tokenizer = Tokenizer(
        models.WordLevel({word: index for index, word in enumerate(words)}, unk_token="[UNK]")
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    tokenizer.add_special_tokens([word for word in words if word.startswith("[")])
    tokenizer.save(str(folder / "grapheme_mtl_merged_expanded_v1.json"))
    (folder / "Cangjie5_TC.json").write_text(json.dumps(["\u65e5\ta"]))
    voice = T3Cond(
        speaker_emb=torch.randn(1, 256),
        cond_prompt_speech_tokens=torch.randint(0, 6561, (1, 150)),
        emotion_adv=0.5 * torch.ones(1, 1, 1),
    )
    sound = {
        "prompt_token": torch.randint(0, 6561, (1, 25)),
        "prompt_token_len": torch.tensor([25]),
        "prompt_feat": torch.randn(1, 50, 80),
        "prompt_feat_len": None,
        "embedding": torch.randn(1, 192),
    }
    Conditionals(voice, sound).save(folder / "conds.pt")
