"""Predictions of onnxruntime, on networks exported from PyTorch."""

import io
import os
import warnings
from typing import Any

import numpy as np
import onnxruntime
import torch
from runner import Runner
from torch import nn
from with_torch import torch_inputs, torch_model
from workloads import Workload


def exported(workload: Workload, example: torch.Tensor) -> bytes:
    """The network in ONNX's format, for any number of samples."""
    model = torch_model(workload)
    if workload.classes:
        model.append(nn.Softmax(-1))
    content = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of an exporter that there is a newer one
        torch.onnx.export(
            model.eval(),
            (example,),
            content,
            input_names=["x"],
            dynamic_axes={"x": {0: "batch"}},
            dynamo=False,
        )
    return content.getvalue()


def session(content: bytes) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = int(os.environ.get("OMP_NUM_THREADS", 2))
    options.log_severity_level = 3
    providers = ["CPUExecutionProvider"]
    return onnxruntime.InferenceSession(content, options, providers=providers)


def runner(workload: Workload, samples: int | None) -> Runner:
    inputs = torch_inputs(workload, workload.data(samples)[0])
    run = session(exported(workload, inputs[:2])).run
    x, size = inputs.numpy(), workload.batch

    def predict(rows: np.ndarray | None = None) -> np.ndarray:
        given = x if rows is None else torch_inputs(workload, rows).numpy()
        parts = [run(None, {"x": given[i : i + size]})[0] for i in range(0, len(given), size)]
        return np.concatenate(parts)

    def one() -> np.ndarray:
        return run(None, {"x": x[:1]})[0]

    return Runner(None, predict, one, one)
