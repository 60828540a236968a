"""A small StyleTTS 2 with random weights, out of a training checkpoint by the recipe that takes it apart."""

import zipfile
from pathlib import Path

import numpy as np
import soundfile
import torch
import yaml
from munch import munchify
from styletts2 import models
from styletts2.Utils.PLBERT.util import CustomAlbert
from transformers import AlbertConfig

from mlservices.prepare import styletts2

_PARAMS = {
    "multispeaker": True,
    "dim_in": 8,
    "hidden_dim": 512,
    "max_conv_dim": 32,
    "n_layer": 1,
    "n_mels": 80,
    "n_token": 178,
    "max_dur": 4,
    "style_dim": 16,
    "dropout": 0.2,
    "decoder": {
        "type": "hifigan",
        "resblock_kernel_sizes": [3],
        "upsample_rates": [10, 5, 3, 2],
        "upsample_initial_channel": 512,
        "resblock_dilation_sizes": [[1, 3, 5]],
        "upsample_kernel_sizes": [20, 10, 6, 4],
    },
    "slm": {"hidden": 8, "nlayers": 2, "initial_channel": 4},
    "diffusion": {
        "embedding_mask_proba": 0.1,
        "transformer": {"num_layers": 1, "num_heads": 2, "head_features": 8, "multiplier": 2},
        "dist": {"sigma_data": 0.2, "estimate_sigma_data": True, "mean": -3.0, "std": 1.0},
    },
}
_PLBERT = {
    "vocab_size": 178,
    "hidden_size": 16,
    "num_attention_heads": 2,
    "intermediate_size": 16,
    "max_position_embeddings": 512,
    "num_hidden_layers": 1,
    "dropout": 0.1,
}


@torch.no_grad()
def _settle(encoder: torch.nn.Module) -> None:
    """As training does: its spectral norms are estimated a little better by each pass."""
    for _ in range(15):
        encoder.train()(torch.randn(1, 1, 80, 160))


@torch.no_grad()
def _quieten(decoder: torch.nn.Module) -> None:
    """Random weights are so loud that all is clipped."""
    last, loud = decoder.generator.conv_post, []
    hook = last.register_forward_pre_hook(lambda module, given: loud.append(given[0].abs().max()))
    decoder.eval()(torch.randn(1, 512, 20), torch.full((1, 40), 150.0), torch.rand(1, 40), torch.randn(1, 16))
    hook.remove()
    last.weight_g.fill_(0.02 / loud[0])
    last.bias.zero_()


def make(folder: Path) -> None:
    torch.manual_seed(0)
    source = folder.parent / "checkpoint"
    (source / "Models" / "LibriTTS").mkdir(parents=True)
    bert = CustomAlbert(AlbertConfig(**_PLBERT))
    nets = models.build_model(munchify(_PARAMS), torch.nn.Identity(), torch.nn.Identity(), bert)
    for encoder in (nets.style_encoder, nets.predictor_encoder):
        _settle(encoder)
    _quieten(nets.decoder)
    trained = {
        name: {f"module.{key}": value for key, value in net.state_dict().items()}
        for name, net in nets.items()
    }
    torch.save(
        {"net": trained, "epoch": 20, "optimizer": {}}, source / "Models/LibriTTS/epochs_2nd_00020.pth"
    )
    (source / "Models/LibriTTS/config.yml").write_text(yaml.safe_dump({"model_params": _PARAMS}))
    voice = source / "696_92939_000016_000006.wav"
    soundfile.write(voice, np.random.default_rng(0).standard_normal(48000) * 0.1, 24000)
    with zipfile.ZipFile(source / "reference_audio.zip", "w") as archive:
        archive.write(voice, f"reference_audio/{voice.name}")
    styletts2.arrange(source, folder, plbert=_PLBERT)
