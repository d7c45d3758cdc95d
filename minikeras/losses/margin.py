"""Losses of margins and overlaps: hinges, Dice, Tversky, circle."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core import settings
from ..core.registry import register
from ..core.validate import boolean
from ..ops import elementwise as e
from ..ops import nn, reduce
from ..ops.control import cond
from ..ops.core import cast, convert_to_tensor
from ..ops.linalg import matmul
from ..ops.shapes import reshape, transpose
from .loss import FunctionLoss, carry_mask, pair, saved_without_dtype


def _signs(y_true: Any) -> Any:
    """Targets of -1 and 1, from 0 and 1 if all are."""
    binary = reduce.all(e.logical_or(e.equal(y_true, 0), e.equal(y_true, 1)))
    return cond(binary, lambda: e.subtract(e.multiply(y_true, 2.0), 1.0), lambda: y_true)


def _gap(y_true: Any, y_pred: Any) -> Any:
    """How much is missing from a margin of 1."""
    return e.maximum(e.subtract(1.0, e.multiply(_signs(y_true), y_pred)), 0.0)


@register("losses")
def hinge(y_true: Any, y_pred: Any) -> Any:
    """Mean of ``max(1 - y_true * y_pred, 0)`` over the last axis; targets -1 and 1 (or 0 and 1)."""
    return reduce.mean(_gap(*pair(y_true, y_pred, "hinge")), axis=-1)


@register("losses")
def squared_hinge(y_true: Any, y_pred: Any) -> Any:
    """Mean of ``max(1 - y_true * y_pred, 0)**2`` over the last axis."""
    return reduce.mean(e.square(_gap(*pair(y_true, y_pred, "squared_hinge"))), axis=-1)


@register("losses")
def categorical_hinge(y_true: Any, y_pred: Any) -> Any:
    """How far the truth's prediction falls short of the best other one plus 1."""
    y_true, y_pred = pair(y_true, y_pred, "categorical_hinge")
    truth = reduce.sum(e.multiply(y_true, y_pred), axis=-1)
    other = reduce.max(e.multiply(e.subtract(1.0, y_true), y_pred), axis=-1)
    return e.maximum(e.add(e.subtract(other, truth), 1.0), 0.0)


@register("losses")
def dice(y_true: Any, y_pred: Any, axis: Any = None) -> Any:
    """1 minus twice the overlap over the sum of both, over axes (all by default)."""
    y_true, y_pred = pair(y_true, y_pred, "dice")
    overlap = reduce.sum(e.multiply(y_true, y_pred), axis=axis)
    both = e.add(reduce.sum(y_true, axis=axis), reduce.sum(y_pred, axis=axis))
    share = e.divide(e.multiply(overlap, 2.0), e.add(both, settings.epsilon()))
    return e.subtract(1.0, share)


@register("losses")
def tversky(
    y_true: Any, y_pred: Any, alpha: float = 0.5, beta: float = 0.5, axis: Any = None
) -> Any:
    """As `dice`, with weights `alpha` and `beta` for what is missed and what is too much."""
    y_true, y_pred = pair(y_true, y_pred, "tversky")
    overlap = reduce.sum(e.multiply(y_true, y_pred), axis=axis)
    missed = reduce.sum(e.multiply(e.subtract(1.0, y_pred), y_true), axis=axis)
    extra = reduce.sum(e.multiply(y_pred, e.subtract(1.0, y_true)), axis=axis)
    whole = e.add(e.add(overlap, e.multiply(missed, alpha)), e.multiply(extra, beta))
    return e.subtract(1.0, e.divide(overlap, e.add(whole, settings.epsilon())))


def _circle(
    y_true: Any,
    y_pred: Any,
    ref_labels: Any = None,
    ref_embeddings: Any = None,
    remove_diagonal: bool = True,
    gamma: float = 80,
    margin: float = 0.4,
) -> tuple[Any, Any]:
    """Losses, and the mask of samples that have one."""
    y_pred = convert_to_tensor(y_pred)
    labels = reshape(cast(y_true, "int32"), (-1, 1))
    others = labels if ref_labels is None else reshape(cast(ref_labels, "int32"), (-1, 1))
    embeddings = y_pred if ref_embeddings is None else convert_to_tensor(ref_embeddings)
    distance = e.maximum(e.subtract(1.0, matmul(y_pred, transpose(embeddings))), 0.0)
    alike = e.equal(labels, transpose(others))
    unlike = e.logical_not(alike)
    if remove_diagonal:
        alike = e.logical_and(alike, ~np.eye(*alike.shape, dtype=bool))
    far = e.multiply(e.add(distance, margin), e.subtract(margin, distance))
    near = e.multiply(
        e.maximum(e.subtract(1 + margin, distance), 0.0), e.subtract(1 - margin, distance)
    )
    positive = e.where(alike, e.multiply(far, -gamma), float("-inf"))
    negative = e.where(unlike, e.multiply(near, gamma), float("-inf"))
    total = e.add(reduce.logsumexp(positive, axis=1), reduce.logsumexp(negative, axis=1))
    losses = nn.softplus(total)
    return losses, e.greater(losses, 0)


@register("losses")
def circle(
    y_true: Any,
    y_pred: Any,
    ref_labels: Any = None,
    ref_embeddings: Any = None,
    remove_diagonal: bool = True,
    gamma: float = 80,
    margin: float = 0.4,
) -> Any:
    """Pulls embeddings of one class together and others apart (Sun et al. 2020).

    Args:
        y_true: Class numbers (batch,).
        y_pred: Embeddings of length 1, (batch, dimensions).
        ref_labels: Class numbers of the samples to compare with; those of the batch by default.
        ref_embeddings: Their embeddings.
        remove_diagonal: Whether a sample is not compared with itself.
        gamma: Scale of the similarities.
        margin: How far classes are to be apart.
    """
    return carry_mask(
        *_circle(y_true, y_pred, ref_labels, ref_embeddings, remove_diagonal, gamma, margin)
    )


circle.with_mask = _circle  # type: ignore[attr-defined]
circle.takes_labels = True  # type: ignore[attr-defined]


@register("losses")
@saved_without_dtype
class Hinge(FunctionLoss):
    """Mean of ``max(1 - y_true * y_pred, 0)``."""

    function = hinge

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "hinge",
        dtype: Any = None,
    ):
        super().__init__(name, reduction, dtype)


@register("losses")
@saved_without_dtype
class SquaredHinge(FunctionLoss):
    """Mean of ``max(1 - y_true * y_pred, 0)**2``."""

    function = squared_hinge

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "squared_hinge",
        dtype: Any = None,
    ):
        super().__init__(name, reduction, dtype)


@register("losses")
@saved_without_dtype
class CategoricalHinge(FunctionLoss):
    """How far the truth's prediction falls short of the best other one plus 1."""

    function = categorical_hinge

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_hinge",
        dtype: Any = None,
    ):
        super().__init__(name, reduction, dtype)


@register("losses")
@saved_without_dtype
class Dice(FunctionLoss):
    """1 minus twice the overlap over the sum of both."""

    function = dice
    arguments = ("axis",)

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "dice",
        axis: Any = None,
        dtype: Any = None,
    ):
        super().__init__(name, reduction, dtype)
        self.axis = axis


@register("losses")
@saved_without_dtype
class Tversky(FunctionLoss):
    """As `Dice`, with weights for what is missed and what is too much."""

    function = tversky
    arguments = ("alpha", "beta", "axis")

    def __init__(
        self,
        alpha: float = 0.5,
        beta: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "tversky",
        axis: Any = None,
        dtype: Any = None,
    ):
        super().__init__(name, reduction, dtype)
        self.alpha, self.beta = alpha, beta
        self.axis = axis


@register("losses")
@saved_without_dtype
class Circle(FunctionLoss):
    """Pulls embeddings of one class together and others apart: see `circle`."""

    function = circle
    arguments = ("gamma", "margin", "remove_diagonal")
    takes_labels = True

    def __init__(
        self,
        gamma: float = 80.0,
        margin: float = 0.4,
        remove_diagonal: bool = True,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "circle",
        dtype: Any = None,
    ):
        super().__init__(name, reduction, dtype)
        self.gamma, self.margin = gamma, margin
        self.remove_diagonal = boolean(remove_diagonal, "remove_diagonal", "Circle")
