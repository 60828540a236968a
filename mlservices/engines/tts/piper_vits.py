"""transformers' VITS in the shape that Piper's medium voices have."""

from __future__ import annotations

import torch
from torch import nn
from transformers import VitsConfig, VitsModel


class ResBlock2(nn.Module):
    """HiFi-GAN's second residual block, which Piper uses and transformers lacks."""

    def __init__(self, channels: int, kernel: int, dilations: list[int], slope: float) -> None:
        super().__init__()
        self._slope = slope
        self.convs = nn.ModuleList(
            nn.Conv1d(channels, channels, kernel, dilation=d, padding=(kernel - 1) * d // 2)
            for d in dilations
        )

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        for conv in self.convs:
            hidden = conv(nn.functional.leaky_relu(hidden, self._slope)) + hidden
        return hidden


def build(config: VitsConfig) -> VitsModel:
    """An empty model for inference: what only training needs is left out, weight norms are folded."""
    model = VitsModel(config).eval()
    blocks = list(zip(config.resblock_kernel_sizes, config.resblock_dilation_sizes, strict=True))
    for stage in range(len(config.upsample_rates)):
        channels = config.upsample_initial_channel // 2 ** (stage + 1)
        for number, (kernel, dilations) in enumerate(blocks):
            model.decoder.resblocks[stage * len(blocks) + number] = ResBlock2(
                channels, kernel, dilations, config.leaky_relu_slope
            )
    for flow in model.flow.flows:
        for layer in (*flow.wavenet.in_layers, *flow.wavenet.res_skip_layers):
            nn.utils.parametrize.remove_parametrizations(layer, "weight")
    model.posterior_encoder = None
    durations = model.duration_predictor
    durations.post_flows = nn.ModuleList()
    durations.post_conv_pre = durations.post_conv_proj = durations.post_conv_dds = None
    return model
