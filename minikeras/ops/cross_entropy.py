"""Losses of one number per row: cross entropies, squared and absolute error.

The rows are what the last axis holds. Each is one kernel, its gradient another.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import kernels
from ..autodiff.primitive import Primitive, parts
from ..autodiff.spec import Spec, as_array
from ..core import settings
from ..graph.abstract import symbolic
from . import activations, reduce
from . import elementwise as e
from .core import cast, floating
from .core import ndim as _ndim
from .rowwise import log_softmax_primitive, rows
from .shapes import expand_dims, moveaxis, reshape, squeeze, take_along_axis

GRAIN = 2048  # elements that are worth a task


class RowLoss(Primitive):
    """``loss = name(predictions, targets)``: one number for each row of the last axis.

    Args:
        name: Of the kernel; that of its gradient is ``name_grad``.
        composite: The same from elementary primitives.
        target_pull: ``target_pull(g, p, t, **static)``: gradient for float targets, `g` with a last
            axis of 1.
        labels: Targets are class numbers (int64) of shape ``p.shape[:-1]``.
        keeps: The kernel also gives the probabilities, which its gradient takes instead of `p`.
        through_softmax: Kernel that gives the gradient for the logits when `p` is their softmax.
    """

    def __init__(
        self,
        name: str,
        composite: Callable[..., Any],
        target_pull: Callable[..., Any] | None = None,
        *,
        labels: bool = False,
        keeps: bool = False,
        through_softmax: str | None = None,
    ):
        self.labels = labels
        self.keeps = keeps
        self.target_pull = target_pull
        self.gradient = Primitive(f"{name}_grad", _like_second, self._gradient_of(f"{name}_grad"))
        if through_softmax is not None:
            self.fused = Primitive(
                through_softmax, _like_second, self._gradient_of(through_softmax)
            )
            self.fused_pulls = {
                "softmax": lambda g, ins, outs, **static: self.fused(g, ins[0], ins[1], **static)
            }
        super().__init__(name, self._shapes, self._launch, self._pull, composite=composite)

    def _shapes(self, p: Spec, t: Spec, **static: Any) -> Sequence[Spec]:
        expected = p.shape[:-1] if self.labels else p.shape
        if not p.shape or t.shape != expected:
            what = (
                "labels of the predictions' shape without the last axis"
                if self.labels
                else ("targets of the predictions' shape")
            )
            raise ValueError(
                f"{self.name} needs {what}. Received: targets of shape {t.shape} and predictions "
                f"of shape {p.shape}. Reshape one of them."
            )
        loss = Spec(p.shape[:-1], p.dtype)
        return (loss, p) if self.keeps else (loss,)

    def _target(self, t: np.ndarray) -> np.ndarray:
        return t.reshape(-1) if self.labels else rows(t)

    def _launch(self, ins: Sequence[np.ndarray], outs: Sequence[np.ndarray], **static: Any) -> list:
        p, t = ins
        probs = [rows(outs[1])] if self.keeps else []
        arguments = (rows(p), self._target(t), *static.values(), *probs, outs[0].reshape(-1))
        return [kernels.launch(self.name, *arguments, tasks=parts(p.size, GRAIN))]

    def _gradient_of(self, kernel: str) -> Callable[..., list]:
        def launches(ins: Sequence[np.ndarray], outs: Sequence[np.ndarray], **static: Any) -> list:
            g, p, t = ins
            arguments = (g.reshape(-1), rows(p), self._target(t), *static.values(), rows(outs[0]))
            return [kernels.launch(kernel, *arguments, tasks=parts(p.size, GRAIN))]

        return launches

    def _pull(self, g: Any, ins: Any, outs: Any, needed: Any, **static: Any) -> list:
        p, t = ins
        dp = self.gradient(g, outs[1] if self.keeps else p, t, **static) if needed[0] else None
        dt = None
        if needed[1] and self.target_pull is not None:
            dt = self.target_pull(expand_dims(g, -1), p, t, **static)
        return [dp, dt]


def _like_second(g: Spec, p: Spec, t: Spec, **static: Any) -> Spec:
    return p


def _share(p: Any, eps: float) -> Any:
    """Probabilities that sum to 1, kept away from 0 and 1."""
    return e.clip(e.divide(p, reduce.sum(p, axis=-1, keepdims=True)), eps, 1.0 - eps)


def _pick(x: Any, labels: Any) -> Any:
    """The element of each row that its label names."""
    return squeeze(take_along_axis(x, expand_dims(labels, -1), _ndim(x) - 1), -1)


def _binary(p: Any, t: Any, eps: float) -> Any:
    q = e.clip(p, eps, 1.0 - eps)
    hit = e.multiply(t, e.log(q))
    miss = e.multiply(e.subtract(1.0, t), e.log(e.subtract(1.0, q)))
    return e.negative(reduce.mean(e.add(hit, miss), axis=-1))


def _log_odds(p: Any, eps: float) -> Any:
    q = e.clip(p, eps, 1.0 - eps)
    return e.subtract(e.log(q), e.log(e.subtract(1.0, q)))


def _per_column(g: Any, p: Any) -> Any:
    """What one element adds to the row's mean."""
    return e.multiply(g, 1.0 / p.shape[-1])


squared_error = RowLoss(
    "squared_error",
    lambda p, t: reduce.mean(e.square(e.subtract(p, t)), axis=-1),
    lambda g, p, t: e.multiply(_per_column(g, p), e.multiply(e.subtract(t, p), 2.0)),
)
absolute_error = RowLoss(
    "absolute_error",
    lambda p, t: reduce.mean(e.absolute(e.subtract(p, t)), axis=-1),
    lambda g, p, t: e.multiply(_per_column(g, p), e.sign(e.subtract(t, p))),
)
binary_cross_entropy = RowLoss(
    "binary_cross_entropy",
    _binary,
    lambda g, p, t, eps: e.multiply(_per_column(g, p), e.negative(_log_odds(p, eps))),
)
sigmoid_cross_entropy = RowLoss(
    "sigmoid_cross_entropy",
    lambda p, t: reduce.mean(e.subtract(activations.softplus(p), e.multiply(p, t)), axis=-1),
    lambda g, p, t: e.multiply(_per_column(g, p), e.negative(p)),
)
cross_entropy = RowLoss(
    "cross_entropy",
    lambda p, t, eps: e.negative(reduce.sum(e.multiply(t, e.log(_share(p, eps))), axis=-1)),
    lambda g, p, t, eps: e.multiply(g, e.negative(e.log(_share(p, eps)))),
    through_softmax="softmax_then_cross_entropy_grad",
)
softmax_cross_entropy = RowLoss(
    "softmax_cross_entropy",
    lambda p, t: e.negative(reduce.sum(e.multiply(t, log_softmax_primitive(p)), axis=-1)),
    lambda g, p, t: e.multiply(g, e.negative(log_softmax_primitive(p))),
    keeps=True,
)
sparse_cross_entropy = RowLoss(
    "sparse_cross_entropy",
    lambda p, t, eps: e.negative(e.log(_pick(_share(p, eps), t))),
    labels=True,
    through_softmax="sparse_softmax_then_cross_entropy_grad",
)
sparse_softmax_cross_entropy = RowLoss(
    "sparse_softmax_cross_entropy",
    lambda p, t: e.negative(_pick(log_softmax_primitive(p), t)),
    labels=True,
    keeps=True,
)


# --- public functions -----------------------------------------------------------------------------


def _last(x: Any, axis: int) -> Any:
    return x if axis in (-1, _ndim(x) - 1) else moveaxis(x, axis, -1)


@symbolic
def categorical_crossentropy(
    target: Any, output: Any, from_logits: bool = False, axis: int = -1
) -> Any:
    """Cross entropy between target and predicted probabilities (or logits) along an axis.

    Args:
        target: Probabilities, of the shape of `output`.
        output: Probabilities (brought to the sum 1, kept within epsilon of 0 and 1) or logits.

    Returns:
        Losses, of the shape without that axis.
    """
    output = _last(floating(output), axis)
    target = cast(_last(target, axis), np.dtype(output.dtype).name)
    if from_logits:
        return softmax_cross_entropy(output, target)
    return cross_entropy(output, target, eps=settings.epsilon())


@symbolic
def sparse_categorical_crossentropy(
    target: Any, output: Any, from_logits: bool = False, axis: int = -1
) -> Any:
    """As `categorical_crossentropy`, with class numbers as targets.

    Args:
        target: Class numbers from 0 on; shape of `output` without the axis, or with 1 there.

    Raises:
        ValueError: A label is no class.
    """
    output = _last(floating(output), axis)
    target = target if hasattr(target, "dtype") else as_array(target)
    if _ndim(target) == _ndim(output) and target.shape[-1] == 1:
        target = squeeze(target, -1)
    target = cast(target, "int64")
    if from_logits:
        return sparse_softmax_cross_entropy(output, target)
    return sparse_cross_entropy(output, target, eps=settings.epsilon())


@symbolic
def binary_crossentropy(target: Any, output: Any, from_logits: bool = False) -> Any:
    """Cross entropy of each element between target and predicted probabilities (or logits)."""
    output = floating(output)
    target = cast(target, np.dtype(output.dtype).name)
    single = (*output.shape, 1)
    output, target = reshape(output, single), reshape(target, tuple(target.shape) + (1,))
    if from_logits:
        return sigmoid_cross_entropy(output, target)
    return binary_cross_entropy(output, target, eps=settings.epsilon())
