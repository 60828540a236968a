"""A Piper voice cut in two, so that its decoder can make sound in pieces while the sentence goes on.

The first half (text encoder, durations, flow) runs once a sentence and is short; the second (the HiFi-GAN
decoder) is nearly all of the work and looks only a few frames around, so it can run on slices.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import onnx
from onnx.utils import Extractor

from ..catalog import Model
from .onnx_graph import save_optimised

_DECODER_STARTS_AT = "/dec/conv_pre/Conv"


def prepare(files: list[Path], folder: Path, model: Model) -> None:
    voice, config = files
    graph = onnx.load(str(voice))
    cut = next(node for node in graph.graph.node if node.name == _DECODER_STARTS_AT).input[0]
    halves = Extractor(graph)
    inputs, outputs = (
        [value.name for value in graph.graph.input],
        [value.name for value in graph.graph.output],
    )
    for name, begin, end in (("encoder", inputs, [cut]), ("decoder", [cut], outputs)):
        half = folder / f"{name}.raw"
        onnx.save(halves.extract_model(begin, end), str(half))
        save_optimised(half, folder / f"{name}.onnx")
        half.unlink()
    shutil.copy(config, folder / "voice.json")
