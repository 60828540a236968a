"""A Piper voice (VITS as ONNX) to a transformers folder, weight by weight."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx.numpy_helper import to_array
from safetensors.numpy import save_file
from transformers import VitsConfig

from ..catalog import Model
from ..engines.tts.piper_vits import build
from ..errors import PrepareError

Weights = dict[str, NDArray[np.float32]]

_SKIPPED_BY_INFERENCE = "duration_predictor.flows.1."

_RENAMED: tuple[tuple[str, str | Callable[[re.Match[str]], str]], ...] = (
    (r"^enc_p\.emb\.", "text_encoder.embed_tokens."),
    (r"^enc_p\.proj\.", "text_encoder.project."),
    (
        r"^enc_p\.encoder\.attn_layers\.(\d+)\.conv_([qkv])",
        r"text_encoder.encoder.layers.\1.attention.\2_proj",
    ),
    (r"^enc_p\.encoder\.attn_layers\.(\d+)\.conv_o", r"text_encoder.encoder.layers.\1.attention.out_proj"),
    (r"^enc_p\.encoder\.attn_layers\.(\d+)\.", r"text_encoder.encoder.layers.\1.attention."),
    (r"^enc_p\.encoder\.ffn_layers\.(\d+)\.", r"text_encoder.encoder.layers.\1.feed_forward."),
    (r"^enc_p\.encoder\.norm_layers_1\.(\d+)\.", r"text_encoder.encoder.layers.\1.layer_norm."),
    (r"^enc_p\.encoder\.norm_layers_2\.(\d+)\.", r"text_encoder.encoder.layers.\1.final_layer_norm."),
    (r"^dec\.ups\.", "decoder.upsampler."),
    (r"^dec\.", "decoder."),
    (r"^flow\.flows\.(\d+)\.", lambda found: f"flow.flows.{int(found[1]) // 2}."),
    (r"\.pre\.", ".conv_pre."),
    (r"\.post\.", ".conv_post."),
    (r"\.enc\.", ".wavenet."),
    (r"^dp\.flows\.(\d+)\.", lambda found: f"duration_predictor.flows.{(int(found[1]) + 1) // 2}."),
    (r"^dp\.convs\.", "duration_predictor.conv_dds."),
    (r"^dp\.proj", "duration_predictor.conv_proj"),
    (r"^dp\.", "duration_predictor."),
    (r"(flows\.\d)\.convs\.", r"\1.conv_dds."),
    (r"(flows\.\d)\.proj\.", r"\1.conv_proj."),
    (r"convs_sep", "convs_dilated"),
    (r"convs_1x1", "convs_pointwise"),
    (r"gamma$", "weight"),
    (r"beta$", "bias"),
)


def prepare(files: list[Path], folder: Path, model: Model) -> None:
    voice, config_file = files
    voice_config = json.loads(config_file.read_text())
    graph = onnx.load(str(voice)).graph
    constants = {tensor.name: to_array(tensor) for tensor in graph.initializer}
    weights = _renamed(_piper_weights(graph, constants))
    weights["duration_predictor.flows.0.log_scale"] = -np.log(constants["/dp/flows.0/Exp_output_0"])
    config = _config(graph, constants, weights, voice_config)
    config.save_pretrained(folder)
    contiguous = {name: np.ascontiguousarray(value) for name, value in _complete(config, weights).items()}
    save_file(contiguous, str(folder / "model.safetensors"), metadata={"format": "pt"})
    (folder / "phoneme_ids.json").write_text(json.dumps(voice_config["phoneme_id_map"]))


def _piper_weights(graph: Any, constants: Weights) -> Weights:
    """Weights by the names that Piper's authors gave them; those that the export renamed, by their place."""
    weights = {
        name: value
        for name, value in constants.items()
        if re.match(r"(enc_p|dp|flow|dec)\.", name) and value.dtype == np.float32
    }
    for node in graph.node:
        if node.op_type in ("Conv", "ConvTranspose") and node.input[1].startswith("onnx::"):
            place = node.name.strip("/").replace("/Conv", "").replace("/", ".")
            weights[f"{place}.weight"] = constants[node.input[1]]
        if node.op_type == "Gather" and node.name.startswith("/enc_p/emb"):
            weights["enc_p.emb.weight"] = constants[node.input[0]]
    return weights


def _renamed(weights: Weights) -> Weights:
    renamed = {}
    for name, value in weights.items():
        if name == "dp.flows.0.m":
            renamed["duration_predictor.flows.0.translate"] = value
            continue
        for pattern, replacement in _RENAMED:
            name = re.sub(pattern, replacement, name)
        if re.search(r"attention\.\w+_proj\.weight", name):
            value = value[:, :, 0]
        renamed[name] = value
    return renamed


def _config(graph: Any, constants: Weights, weights: Weights, voice: dict[str, Any]) -> VitsConfig:
    dilations: dict[tuple[int, int], tuple[int, int]] = {}  # (block, conv) -> dilation, kernel
    upsampling: dict[int, tuple[int, int]] = {}  # stage -> rate, kernel
    for node in graph.node:
        attributes = {attribute.name: attribute for attribute in node.attribute}
        if found := re.match(r"/dec/resblocks\.(\d+)/convs\.(\d+)/", node.name):
            if node.op_type == "Conv":
                kernel = constants[node.input[1]].shape[2]
                dilations[int(found[1]), int(found[2])] = attributes["dilations"].ints[0], kernel
        elif node.op_type == "ConvTranspose" and (found := re.search(r"ups\.(\d+)", node.name)):
            kernel = constants[node.input[1]].shape[2]
            upsampling[int(found[1])] = attributes["strides"].ints[0], kernel
    blocks = sum(conv == 0 for _, conv in dilations) // len(upsampling)
    convs = 1 + max(conv for _, conv in dilations)
    inference = voice["inference"]
    return VitsConfig(
        vocab_size=weights["text_encoder.embed_tokens.weight"].shape[0],
        sampling_rate=voice["audio"]["sample_rate"],
        noise_scale=inference["noise_scale"],
        noise_scale_duration=inference["noise_w"],
        speaking_rate=1 / inference["length_scale"],
        upsample_initial_channel=weights["decoder.conv_pre.weight"].shape[0],
        upsample_rates=[upsampling[stage][0] for stage in sorted(upsampling)],
        upsample_kernel_sizes=[upsampling[stage][1] for stage in sorted(upsampling)],
        resblock_kernel_sizes=[dilations[block, 0][1] for block in range(blocks)],
        resblock_dilation_sizes=[
            [dilations[block, conv][0] for conv in range(convs)] for block in range(blocks)
        ],
    )


def _complete(config: VitsConfig, weights: Weights) -> Weights:
    """All weights of the model; what inference skips (and Piper left out) keeps its first values.

    PrepareError when one is missing, superfluous or of another shape.
    """
    model = {name: value.numpy() for name, value in build(config).state_dict().items()}
    skipped = {name: value for name, value in model.items() if name.startswith(_SKIPPED_BY_INFERENCE)}
    weights = skipped | weights
    shapes = {name: value.shape for name, value in weights.items()}
    differing = [
        name
        for name in model.keys() | shapes.keys()
        if name not in model or shapes.get(name) != model[name].shape
    ]
    if differing:
        raise PrepareError(f"This Piper voice is built otherwise than expected: {min(differing)}.")
    return weights
