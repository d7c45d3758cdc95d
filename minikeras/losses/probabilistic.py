"""Losses of probabilities: cross entropies, divergences, focal losses."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from ..core import settings
from ..core.registry import register
from ..core.validate import boolean, fraction
from ..ops import cross_entropy as rows
from ..ops import differences, nn, reduce
from ..ops import elementwise as e
from ..ops.core import cast, convert_to_tensor
from ..ops.core import ndim as _ndim
from ..ops.shapes import expand_dims, squeeze
from .loss import FunctionLoss, carry_mask, pair, saved_without_dtype


def _smoothed(y_true: Any, amount: float, mean: float) -> Any:
    """Targets moved towards a mean value."""
    return e.add(e.multiply(y_true, 1.0 - amount), amount * mean) if amount else y_true


def _check_axis(axis: Any) -> None:
    if isinstance(axis, bool):
        raise ValueError(f"`axis` must be an integer. Received: {axis!r}.")


def _check_classes(y_pred: Any, name: str) -> None:
    if y_pred.shape[-1] == 1:
        warnings.warn(
            f"{name} of a single class is always 0. Received: y_pred of shape "
            f"{tuple(y_pred.shape)}. Use binary_crossentropy for two classes.",
            SyntaxWarning,
            stacklevel=3,
        )


@register("losses", "bce", "BCE")
def binary_crossentropy(
    y_true: Any,
    y_pred: Any,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any:
    """Cross entropy of yes-or-no targets, averaged over an axis.

    Args:
        y_true: 0 or 1 (or between).
        y_pred: Probabilities of 1, of the same shape; logits with `from_logits`.
        label_smoothing: How far targets are moved towards 1/2.
    """
    y_true, y_pred = pair(y_true, y_pred, "binary_crossentropy")
    y_true = _smoothed(y_true, label_smoothing, 0.5)
    if axis not in (-1, _ndim(y_pred) - 1):
        return reduce.mean(nn.binary_crossentropy(y_true, y_pred, from_logits), axis=axis)
    if from_logits:
        return rows.sigmoid_cross_entropy(y_pred, y_true)
    return rows.binary_cross_entropy(y_pred, y_true, eps=settings.epsilon())


@register("losses")
def categorical_crossentropy(
    y_true: Any,
    y_pred: Any,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any:
    """Cross entropy between target and predicted probabilities of classes.

    Args:
        y_true: One-hot rows, or probabilities.
        y_pred: Probabilities, of the same shape; logits with `from_logits`.
        label_smoothing: How far targets are moved towards equal probabilities.
    """
    _check_axis(axis)
    y_true, y_pred = pair(y_true, y_pred, "categorical_crossentropy")
    _check_classes(y_pred, "categorical_crossentropy")
    y_true = _smoothed(y_true, label_smoothing, 1.0 / y_true.shape[-1])
    return nn.categorical_crossentropy(y_true, y_pred, from_logits, axis)


def _labels(y_true: Any, y_pred: Any, axis: int) -> Any:
    """Class numbers without an axis for the classes."""
    y_true = convert_to_tensor(y_true)
    if _ndim(y_true) == _ndim(y_pred) and y_true.shape[axis] == 1:
        y_true = squeeze(y_true, axis)
    expected = [n for i, n in enumerate(y_pred.shape) if i != axis % _ndim(y_pred)]
    if tuple(y_true.shape) != tuple(expected) and None not in (*y_true.shape, *expected):
        raise ValueError(
            "sparse_categorical_crossentropy needs class numbers of the predictions' shape without "
            f"the class axis. Received: y_true of shape {tuple(y_true.shape)} and y_pred of shape "
            f"{tuple(y_pred.shape)}. One-hot targets go with categorical_crossentropy."
        )
    return y_true


def _sparse(
    y_true: Any,
    y_pred: Any,
    from_logits: bool = False,
    ignore_class: int | None = None,
    axis: int = -1,
) -> tuple[Any, Any]:
    """Losses, and the mask of what is not ignored."""
    _check_axis(axis)
    y_pred = convert_to_tensor(y_pred)
    y_true = _labels(y_true, y_pred, axis)
    if ignore_class is None:
        return nn.sparse_categorical_crossentropy(y_true, y_pred, from_logits, axis), None
    valid = e.not_equal(y_true, ignore_class)
    y_true = e.where(valid, y_true, 0)
    y_pred = e.where(expand_dims(valid, axis), y_pred, 1.0)
    losses = nn.sparse_categorical_crossentropy(y_true, y_pred, from_logits, axis)
    return e.where(valid, losses, 0.0), valid


@register("losses")
def sparse_categorical_crossentropy(
    y_true: Any,
    y_pred: Any,
    from_logits: bool = False,
    ignore_class: int | None = None,
    axis: int = -1,
) -> Any:
    """Cross entropy with class numbers as targets.

    Args:
        y_true: Class numbers from 0 on, of the shape of `y_pred` without the class axis.
        y_pred: Probabilities of the classes; logits with `from_logits`.
        ignore_class: A class number whose places count nothing.

    Raises:
        ValueError: A label is not a class, or the shapes do not fit.
    """
    return carry_mask(*_sparse(y_true, y_pred, from_logits, ignore_class, axis))


sparse_categorical_crossentropy.with_mask = _sparse  # type: ignore[attr-defined]
sparse_categorical_crossentropy.takes_labels = True  # type: ignore[attr-defined]


@register("losses", "kld", "KLD", "kullback_leibler_divergence")
def kl_divergence(y_true: Any, y_pred: Any) -> Any:
    """Sum over the last axis of ``y_true * log(y_true / y_pred)``."""
    y_true, y_pred = pair(y_true, y_pred, "kl_divergence")
    return differences.divergence(y_pred, y_true, eps=settings.epsilon())


@register("losses")
def poisson(y_true: Any, y_pred: Any) -> Any:
    """Mean over the last axis of ``y_pred - y_true * log(y_pred)``."""
    y_true, y_pred = pair(y_true, y_pred, "poisson")
    return differences.poisson(y_pred, y_true, eps=settings.epsilon())


@register("losses")
def binary_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any:
    """Binary cross entropy in which easy samples count less (Lin et al. 2018).

    Args:
        apply_class_balancing: Whether to weight ones with `alpha` and zeros with ``1 - alpha``.
        gamma: Exponent of the factor ``1 - probability of the truth``.
    """
    y_true, y_pred = pair(y_true, y_pred, "binary_focal_crossentropy")
    y_true = _smoothed(y_true, label_smoothing, 0.5)
    y_pred = nn.sigmoid(y_pred) if from_logits else y_pred
    losses = nn.binary_crossentropy(y_true, y_pred)
    other = e.multiply(e.subtract(1.0, y_true), e.subtract(1.0, y_pred))
    truth = e.add(e.multiply(y_true, y_pred), other)
    losses = e.multiply(e.power(e.subtract(1.0, truth), gamma), losses)
    if apply_class_balancing:
        weight = e.add(e.multiply(y_true, 2 * alpha - 1), 1 - alpha)
        losses = e.multiply(weight, losses)
    return reduce.mean(losses, axis=axis)


@register("losses")
def categorical_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any:
    """Categorical cross entropy in which easy samples count less (Lin et al. 2018).

    Args:
        alpha: Weight of all classes.
        gamma: Exponent of the factor ``1 - probability of the class``.
    """
    _check_axis(axis)
    y_true, y_pred = pair(y_true, y_pred, "categorical_focal_crossentropy")
    _check_classes(y_pred, "categorical_focal_crossentropy")
    y_true = _smoothed(y_true, label_smoothing, 1.0 / y_true.shape[-1])
    y_pred = nn.softmax(y_pred, axis=axis) if from_logits else y_pred
    share = e.divide(y_pred, reduce.sum(y_pred, axis=axis, keepdims=True))
    share = e.clip(share, settings.epsilon(), 1.0 - settings.epsilon())
    losses = e.negative(e.multiply(y_true, e.log(share)))
    factor = e.multiply(e.power(e.subtract(1.0, share), gamma), alpha)
    return reduce.sum(e.multiply(factor, losses), axis=axis)


@register("losses")
def categorical_generalized_cross_entropy(y_true: Any, y_pred: Any, q: float) -> Any:
    """``(1 - p**q) / q`` of the labels' probabilities p: noisy labels weigh less (Zhang 2018)."""
    y_pred = convert_to_tensor(y_pred)
    dtype = np.dtype(y_pred.dtype).name
    chosen = nn.one_hot(cast(y_true, "int32"), y_pred.shape[-1], dtype=dtype)
    truth = reduce.sum(e.multiply(y_pred, chosen), axis=-1)
    return e.divide(e.subtract(1.0, e.power(truth, q)), q)


categorical_generalized_cross_entropy.takes_labels = True  # type: ignore[attr-defined]


@register("losses")
@saved_without_dtype
class BinaryCrossentropy(FunctionLoss):
    """Cross entropy of yes-or-no targets.

    Args:
        from_logits: Whether predictions are logits rather than probabilities.
        label_smoothing: How far targets are moved towards 1/2.
        axis: Over which to average.

    Example:

    >>> loss = BinaryCrossentropy()
    >>> float(loss([[0.0, 1.0]], [[0.5, 0.5]])) # doctest: +ELLIPSIS
    0.693...
    """

    function = binary_crossentropy
    arguments = ("from_logits", "label_smoothing", "axis")

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "binary_crossentropy",
        dtype: Any = None,
    ):
        super().__init__(name, reduction, dtype)
        self.from_logits = boolean(from_logits, "from_logits", type(self).__name__)
        self.label_smoothing = fraction(label_smoothing, "label_smoothing", "BinaryCrossentropy")
        self.axis = axis


@register("losses")
@saved_without_dtype
class CategoricalCrossentropy(FunctionLoss):
    """Cross entropy between one-hot targets and predicted probabilities.

    Args:
        from_logits: Whether predictions are logits rather than probabilities.
        label_smoothing: How far targets are moved towards equal probabilities.
        axis: Of the classes.
    """

    function = categorical_crossentropy
    arguments = ("from_logits", "label_smoothing", "axis")

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_crossentropy",
        dtype: Any = None,
    ):
        super().__init__(name, reduction, dtype)
        self.from_logits = boolean(from_logits, "from_logits", type(self).__name__)
        self.label_smoothing = fraction(
            label_smoothing, "label_smoothing", "CategoricalCrossentropy"
        )
        self.axis = axis


@register("losses")
@saved_without_dtype
class SparseCategoricalCrossentropy(FunctionLoss):
    """Cross entropy with class numbers as targets.

    Args:
        from_logits: Whether predictions are logits rather than probabilities.
        ignore_class: A class number whose places count nothing.
        axis: Of the classes in the predictions.
    """

    function = sparse_categorical_crossentropy
    arguments = ("from_logits", "ignore_class", "axis")
    takes_labels = True

    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: int | None = None,
        reduction: str | None = "sum_over_batch_size",
        axis: int = -1,
        name: str | None = "sparse_categorical_crossentropy",
        dtype: Any = None,
    ):
        super().__init__(name, reduction, dtype)
        self.from_logits = boolean(from_logits, "from_logits", type(self).__name__)
        self.ignore_class = ignore_class
        self.axis = axis


@register("losses")
@saved_without_dtype
class KLDivergence(FunctionLoss):
    """``y_true * log(y_true / y_pred)``, summed over classes."""

    function = kl_divergence

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "kl_divergence",
        dtype: Any = None,
    ):
        super().__init__(name, reduction, dtype)


@register("losses")
@saved_without_dtype
class Poisson(FunctionLoss):
    """Mean of ``y_pred - y_true * log(y_pred)``."""

    function = poisson

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "poisson",
        dtype: Any = None,
    ):
        super().__init__(name, reduction, dtype)


@register("losses")
@saved_without_dtype
class BinaryFocalCrossentropy(FunctionLoss):
    """Binary cross entropy in which easy samples count less: see `binary_focal_crossentropy`."""

    function = binary_focal_crossentropy
    arguments = (
        *("apply_class_balancing", "alpha", "gamma", "from_logits"),
        *("label_smoothing", "axis"),
    )

    def __init__(
        self,
        apply_class_balancing: bool = False,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "binary_focal_crossentropy",
        dtype: Any = None,
    ):
        super().__init__(name, reduction, dtype)
        self.apply_class_balancing = apply_class_balancing
        self.alpha, self.gamma = alpha, gamma
        self.from_logits = boolean(from_logits, "from_logits", type(self).__name__)
        self.label_smoothing = fraction(
            label_smoothing, "label_smoothing", "BinaryFocalCrossentropy"
        )
        self.axis = axis


@register("losses")
@saved_without_dtype
class CategoricalFocalCrossentropy(FunctionLoss):
    """Cross entropy in which easy samples count less: see `categorical_focal_crossentropy`."""

    function = categorical_focal_crossentropy
    arguments = ("alpha", "gamma", "from_logits", "label_smoothing", "axis")

    def __init__(
        self,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_focal_crossentropy",
        dtype: Any = None,
    ):
        super().__init__(name, reduction, dtype)
        self.alpha, self.gamma = alpha, gamma
        self.from_logits = boolean(from_logits, "from_logits", type(self).__name__)
        self.label_smoothing = fraction(
            label_smoothing, "label_smoothing", "CategoricalFocalCrossentropy"
        )
        self.axis = axis


@register("losses")
@saved_without_dtype
class CategoricalGeneralizedCrossEntropy(FunctionLoss):
    """``(1 - p**q) / q``: near cross entropy for small `q`, mean absolute error for 1."""

    function = categorical_generalized_cross_entropy
    arguments = ("q",)
    takes_labels = True

    def __init__(
        self,
        q: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_generalized_cross_entropy",
        dtype: Any = None,
    ):
        super().__init__(name, reduction, dtype)
        if not 0 < q < 1:
            raise ValueError(f"`q` must lie between 0 and 1, both excluded. Received: {q}.")
        self.q = q
