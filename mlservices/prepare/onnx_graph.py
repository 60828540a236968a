"""ONNX graphs as ONNX Runtime would have them after its own optimisation, which is most of loading time."""

from __future__ import annotations

from pathlib import Path

import onnxruntime


def save_optimised(source: Path, target: Path) -> None:
    """Hardware-bound rewrites are left out: the file may be copied to another machine of the same kind."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.optimized_model_filepath = str(target)
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    onnxruntime.InferenceSession(str(source), options, providers=["CPUExecutionProvider"])
