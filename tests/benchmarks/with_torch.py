"""The workloads in PyTorch, as its tutorials write them."""

import math
from collections.abc import Callable
from functools import singledispatchmethod
from typing import Any

import numpy as np
import torch
from runner import Runner, Unsupported
from torch import nn
from workloads import (
    Activation,
    BatchNorm,
    Conv,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    GlobalPool,
    MaxPool,
    Recurrent,
    SelfAttention,
    Workload,
)

ACTIVATIONS = {"relu": nn.ReLU, "sigmoid": nn.Sigmoid}
CONVS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
NORMS = (nn.BatchNorm1d, nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
POOLS = (nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d)
RECURRENT = {"lstm": nn.LSTM, "gru": nn.GRU, "simple": nn.RNN}


class Mean(nn.Module):
    """The mean over the axes behind the channels."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.mean(tuple(range(2, x.ndim)))


class MeanOverSteps(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.mean(1)


class Largest(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.amax(tuple(range(2, x.ndim)))


class LastOutput(nn.Module):
    """A recurrent layer, of which Keras's output is kept: the last one of each direction."""

    def __init__(self, kind: str, inputs: int, units: int, both_ways: bool):
        super().__init__()
        self.units, self.both_ways = units, both_ways
        self.layer = RECURRENT[kind](inputs, units, batch_first=True, bidirectional=both_ways)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.layer(x)[0]
        if not self.both_ways:
            return y[:, -1]
        return torch.cat([y[:, -1, : self.units], y[:, 0, self.units :]], 1)


class Attention(nn.Module):
    def __init__(self, heads: int, width: int):
        super().__init__()
        self.layer = nn.MultiheadAttention(width, heads, batch_first=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x, x, x, need_weights=False)[0]


class Builder:
    """Makes modules one after the other, keeping count of what shape they get (channels first).

    Softmax is left to the loss, as torch wants it.
    """

    def __init__(self, workload: Workload):
        *self.sizes, self.width = workload.shape
        self.images = any(isinstance(part, Conv) for part in workload.layers)

    @singledispatchmethod
    def modules(self, part: Any) -> list[nn.Module]:
        """The modules of a layer."""
        raise TypeError(f"Expected a layer of workloads.py. Received: {part!r}.")

    @modules.register
    def _(self, part: Dense) -> list[nn.Module]:
        inputs, self.width = self.width, part.units
        return [nn.Linear(inputs, part.units), *_activation(part.activation)]

    @modules.register
    def _(self, part: BatchNorm) -> list[nn.Module]:
        return [NORMS[len(self.sizes)](self.width)]

    @modules.register
    def _(self, part: Dropout) -> list[nn.Module]:
        return [nn.Dropout(part.rate)]

    @modules.register
    def _(self, part: Activation) -> list[nn.Module]:
        return _activation(part.name)

    @modules.register
    def _(self, part: Conv) -> list[nn.Module]:
        channels, self.width = self.width, part.filters
        kind = CONVS[len(self.sizes) - 1]
        self.sizes = self.sizes if part.same else [n - part.size + 1 for n in self.sizes]
        around = part.size // 2 if part.same else 0
        conv = kind(channels, part.filters, part.size, padding=around, bias=part.bias)
        return [conv, *_activation(part.activation)]

    @modules.register
    def _(self, part: MaxPool) -> list[nn.Module]:
        self.sizes = [n // part.size for n in self.sizes]
        return [POOLS[len(self.sizes) - 1](part.size)]

    @modules.register
    def _(self, part: GlobalPool) -> list[nn.Module]:
        self.sizes = []
        if not self.images:
            return [MeanOverSteps()]
        return [Mean() if part.kind == "average" else Largest()]

    @modules.register
    def _(self, part: Flatten) -> list[nn.Module]:
        self.width, self.sizes = self.width * math.prod(self.sizes), []
        return [nn.Flatten()]

    @modules.register
    def _(self, part: Embedding) -> list[nn.Module]:
        self.sizes, self.width = [self.width], part.width
        return [nn.Embedding(part.vocabulary, part.width)]

    @modules.register
    def _(self, part: Recurrent) -> list[nn.Module]:
        inputs, self.width, self.sizes = self.width, part.units * (1 + part.both_ways), []
        return [LastOutput(part.kind, inputs, part.units, part.both_ways)]

    @modules.register
    def _(self, part: SelfAttention) -> list[nn.Module]:
        return [Attention(part.heads, part.heads * part.width)]


def _activation(name: str) -> list[nn.Module]:
    return [ACTIVATIONS[name]()] if name in ACTIVATIONS else []


def torch_model(workload: Workload) -> nn.Sequential:
    builder = Builder(workload)
    return nn.Sequential(*[module for part in workload.layers for module in builder.modules(part)])


def torch_inputs(workload: Workload, x: np.ndarray, channels_last: bool = False) -> torch.Tensor:
    """The inputs as torch wants them: channels before the axes of images, integers of 64 bits."""
    if workload.vocabulary:
        return torch.from_numpy(x).long()
    if not any(isinstance(part, Conv) for part in workload.layers):
        return torch.from_numpy(x)
    images = torch.from_numpy(x).movedim(-1, 1)
    return images.contiguous(memory_format=_format(channels_last))


def _format(channels_last: bool) -> torch.memory_format:
    return torch.channels_last if channels_last else torch.contiguous_format


def runner(
    workload: Workload,
    samples: int | None,
    channels_last: bool = False,
    compiled: bool = False,
) -> Runner:
    if channels_last and len(workload.shape) == 2:
        raise Unsupported("channels_last is a memory format of 2-D images")
    channels_last = channels_last and len(workload.shape) == 3
    given, labels = workload.data(samples)
    x, y = torch_inputs(workload, given, channels_last), torch.from_numpy(labels)
    model = torch_model(workload)
    if channels_last:
        model = model.to(memory_format=torch.channels_last)
    forward = torch.compile(model) if compiled else model

    @torch.inference_mode()
    def predict(rows: np.ndarray | None = None) -> np.ndarray:
        model.eval()
        inputs = x if rows is None else torch_inputs(workload, rows, channels_last)
        parts = [forward(part) for part in inputs.split(workload.batch)]
        whole = torch.cat(parts)
        return (whole.softmax(-1) if workload.classes else whole).numpy()

    @torch.inference_mode()
    def one() -> np.ndarray:
        model.eval()
        return forward(x[:1]).numpy()

    return Runner(_training(workload, model, forward, x, y, channels_last), predict, one, one)


def _training(
    workload: Workload,
    model: nn.Module,
    forward: Callable[[torch.Tensor], torch.Tensor],
    x: torch.Tensor,
    y: torch.Tensor,
    channels_last: bool,
) -> Callable[[], float]:
    """One epoch in shuffled batches; loss and hits are read at its end only."""
    loss_of: Any = nn.CrossEntropyLoss() if workload.classes else nn.MSELoss()
    parameters = model.parameters()
    optimizer = (
        torch.optim.SGD(parameters, 0.1)
        if workload.optimizer == "sgd"
        else torch.optim.Adam(parameters, 0.001)
    )

    def epoch() -> float:
        model.train()
        order = torch.randperm(len(x))
        total, right = torch.zeros(()), torch.zeros((), dtype=torch.int64)
        for rows in order.split(workload.batch):
            images, target = x[rows], y[rows]
            if channels_last:
                images = images.contiguous(memory_format=torch.channels_last)
            output = forward(images)
            loss = loss_of(output, target)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.detach() * len(rows)
            if workload.classes:
                right += (output.argmax(1) == target).sum()
        return float(total) / len(x)

    return epoch
