"""Loss: per-sample values of targets and predictions, weighted and reduced to a number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..autodiff.tensor import Tensor
from ..core import settings, tree
from ..core.configurable import Configurable
from ..core.names import auto_name, to_snake_case
from ..core.registry import register
from ..core.serialize import deserialize, serialize
from ..core.validate import one_of
from ..ops import elementwise as e
from ..ops import reduce
from ..ops.core import cast, convert_to_tensor
from ..ops.core import ndim as _ndim
from ..ops.shapes import expand_dims, reshape, squeeze
from ..ops.weighted import weighted_sum

REDUCTIONS = ("sum_over_batch_size", "sum", None, "none", "mean", "mean_with_sample_weight")


@register("losses", module="keras.losses")
class Loss(Configurable):
    """Base of all losses; a subclass defines `call`.

    Args:
        name: Display name.
        reduction: What becomes of the values of `call`: 'sum_over_batch_size' or 'mean' (sum over
            number of values), 'sum', 'mean_with_sample_weight' (weighted sum over sum of weights),
            'none' or None.
        dtype: In which to compute; `floatx()` by default.

    Example:

    >>> import numpy as np
    >>> class Gap(Loss):
    ...     def call(self, y_true, y_pred):
    ...         return e.absolute(e.subtract(y_true, y_pred))
    >>> float(Gap()(np.float32([1, 2]), np.float32([2, 4])))
    1.5
    """

    _config_skip = ("dtype",)
    takes_labels = False  # True: integer targets stay integers

    def __init__(
        self,
        name: str | None = None,
        reduction: str | None = "sum_over_batch_size",
        dtype: Any = None,
    ):
        self.name = name or auto_name(to_snake_case(type(self).__name__))
        self.reduction = one_of(reduction, REDUCTIONS, "reduction", type(self).__name__)
        self._dtype = settings.standardize_dtype(getattr(dtype, "compute_dtype", dtype))

    @property
    def dtype(self) -> str:
        return self._dtype

    @property
    def target_dtype(self) -> str:
        """The dtype in which targets need no conversion."""
        return "int64" if self.takes_labels else self._dtype

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Values of the loss, without the last axis of `y_pred` or of its whole shape."""
        raise NotImplementedError(
            f"Loss {type(self).__name__} has no `call` method. Define call(self, y_true, y_pred)."
        )

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """The reduced loss.

        Args:
            y_true: Targets.
            y_pred: Predictions; a mask that they carry leaves values out.
            sample_weight: A factor for each value, or of a shape that broadcasts to the values'.
        """
        mask = getattr(y_pred, "mask", None)
        y_pred = _converted(y_pred, self._dtype)
        y_true = _converted(y_true, None if self.takes_labels else self._dtype)
        values, own_mask = self._values(y_true, y_pred)
        if own_mask is not None:
            mask = own_mask if mask is None else e.logical_and(mask, own_mask)
        return reduce_weighted_values(values, sample_weight, mask, self.reduction, self._dtype)

    def _values(self, y_true: Any, y_pred: Any) -> tuple[Any, Any]:
        values = self.call(y_true, y_pred)
        return values, getattr(values, "mask", None)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"


def saved_without_dtype(cls: type) -> type:
    """Decorator: the config of this class does not hold its dtype, as in Keras."""
    cls._config_skip = ("dtype",)  # type: ignore[attr-defined]
    return cls


class FunctionLoss(Loss):
    """A loss whose values are those of a function.

    Class attributes: `function` takes (y_true, y_pred) and the arguments of the constructor that
    `arguments` names.
    """

    function: Callable[..., Any]
    arguments: tuple[str, ...] = ()

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return self._values(y_true, y_pred)[0]

    def _values(self, y_true: Any, y_pred: Any) -> tuple[Any, Any]:
        given = {name: getattr(self, name) for name in self.arguments}
        return apply(type(self).function, y_true, y_pred, given)


@register("losses", module="keras.src.losses.losses")
class LossFunctionWrapper(Loss):
    """A loss made of a function ``fn(y_true, y_pred, **kwargs)``."""

    def __init__(
        self,
        fn: Callable[..., Any],
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ):
        super().__init__(name, reduction, dtype)
        self.fn = fn
        self._fn_kwargs = kwargs
        self.takes_labels = getattr(fn, "takes_labels", False)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return self._values(y_true, y_pred)[0]

    def _values(self, y_true: Any, y_pred: Any) -> tuple[Any, Any]:
        return apply(self.fn, y_true, y_pred, self._fn_kwargs)

    def get_config(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "reduction": self.reduction,
            "fn": serialize(self.fn),
            **serialize(self._fn_kwargs),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        return cls(**deserialize(config))


def apply(fn: Callable[..., Any], y_true: Any, y_pred: Any, kwargs: dict) -> tuple[Any, Any]:
    """Values of a loss function on aligned arrays, and the mask that it sets."""
    if not tree.is_nested(y_pred) and not tree.is_nested(y_true):
        y_true, y_pred = squeeze_or_expand_to_same_rank(y_true, y_pred)
    with_mask = getattr(fn, "with_mask", None)
    if with_mask is not None:
        return with_mask(y_true, y_pred, **kwargs)
    values = fn(y_true, y_pred, **kwargs)
    if values is None:
        raise ValueError(
            f"A loss or metric must return its values. Received: None from "
            f"{getattr(fn, '__name__', fn)}(y_true, y_pred). Is a `return` missing?"
        )
    return values, getattr(values, "mask", None)


def _converted(value: Any, dtype: str | None) -> Any:
    """Arrays (also in nests) as tensors of `dtype`; a nest of numbers is one array."""
    leaves = tree.flatten(value) if tree.is_nested(value) else ()
    if isinstance(value, dict) or any(hasattr(leaf, "shape") for leaf in leaves):
        return tree.map_structure(lambda v: convert_to_tensor(v, dtype), value)
    return convert_to_tensor(value, dtype)


def squeeze_or_expand_to_same_rank(x1: Any, x2: Any, expand_rank_1: bool = True) -> tuple[Any, Any]:
    """Give or take a last axis of extent 1, when one array has just that axis too many."""
    if _ndim(x1) == _ndim(x2) + 1 and x1.shape[-1] == 1:
        if _ndim(x2) == 1 and expand_rank_1:
            x2 = expand_dims(x2, -1)
        else:
            x1 = squeeze(x1, -1)
    elif _ndim(x2) == _ndim(x1) + 1 and x2.shape[-1] == 1:
        if _ndim(x1) == 1 and expand_rank_1:
            x1 = expand_dims(x1, -1)
        else:
            x2 = squeeze(x2, -1)
    return x1, x2


def pair(y_true: Any, y_pred: Any, name: str) -> tuple[Any, Any]:
    """Targets and predictions of one dtype and one shape.

    Raises:
        ValueError: The shapes differ by more than a last axis of extent 1; nothing is broadcast.
    """
    y_pred = convert_to_tensor(y_pred)
    dtype = np.dtype(y_pred.dtype).name
    if dtype not in ("float32", "float64"):
        dtype = settings.floatx()
        y_pred = cast(y_pred, dtype)
    y_true = convert_to_tensor(y_true, dtype)
    y_true, y_pred = squeeze_or_expand_to_same_rank(y_true, y_pred)
    if not _same_shape(y_true.shape, y_pred.shape):
        raise ValueError(
            f"{name} needs targets and predictions of the same shape (they are not broadcast). "
            f"Received: y_true of shape {tuple(y_true.shape)} and y_pred of shape "
            f"{tuple(y_pred.shape)}. Reshape the targets, or use a loss that takes class numbers "
            "if that is what they are."
        )
    return y_true, y_pred


def _same_shape(one: Any, other: Any) -> bool:
    """Whether shapes agree, as far as they are known."""
    return len(one) == len(other) and all(
        a == b or None in (a, b) for a, b in zip(one, other, strict=True)
    )


def apply_mask(sample_weight: Any, mask: Any, dtype: str, reduction: str | None) -> Any:
    """Weights that leave out what is masked; a mean is then one over what is left."""
    if mask is None:
        return sample_weight
    mask = cast(mask, dtype)
    if reduction in ("mean", "sum_over_batch_size"):
        mask = e.multiply(mask, e.divide_no_nan(float(_size(mask)), reduce.sum(mask)))
    if sample_weight is None:
        return mask
    mask, weight = squeeze_or_expand_to_same_rank(mask, convert_to_tensor(sample_weight))
    if 0 < _ndim(weight) < _ndim(mask):  # one weight for all steps of a sample
        weight = reshape(weight, (*weight.shape, *[1] * (_ndim(mask) - _ndim(weight))))
    return e.multiply(weight, mask)


def _size(x: Any) -> int:
    return int(np.prod(x.shape, dtype=np.int64))


def _fitting(values: Any, weight: Any) -> tuple[Any, Any]:
    """Values and weights that broadcast without gaining elements (but a single value fits all)."""
    if _ndim(values) == 0:
        return e.multiply(values, weight), None
    values, weight = squeeze_or_expand_to_same_rank(values, weight)
    extents = zip(weight.shape, values.shape, strict=False)
    same_rank = _ndim(weight) in (0, _ndim(values))
    if not same_rank or any(w not in (1, v) for w, v in extents):
        raise ValueError(
            "sample_weight must have one number per value of the loss, or extents of 1 in their "
            f"place. Received: sample_weight of shape {tuple(weight.shape)} for values of shape "
            f"{tuple(values.shape)}."
        )
    return values, weight


def reduce_weighted_values(
    values: Any,
    sample_weight: Any = None,
    mask: Any = None,
    reduction: str | None = "sum_over_batch_size",
    dtype: Any = None,
) -> Any:
    """Weighted values, summed or averaged as `reduction` says."""
    values = convert_to_tensor(values, dtype)
    weight = apply_mask(sample_weight, mask, np.dtype(values.dtype).name, reduction)
    if weight is not None:
        weight = convert_to_tensor(weight, np.dtype(values.dtype).name)
        values, weight = _fitting(values, weight)
    if reduction in (None, "none") or _ndim(values) == 0 or tuple(values.shape) == (0,):
        return values if weight is None else e.multiply(values, weight)
    if reduction == "sum":
        return weighted_sum(values, weight)
    if reduction == "mean_with_sample_weight" and weight is not None:
        return e.divide_no_nan(weighted_sum(values, weight), reduce.sum(weight))
    return weighted_sum(values, weight, max(_size(values), 1))


def carry_mask(values: Any, mask: Any) -> Any:
    """`values` with a mask, where they can carry one."""
    if isinstance(values, Tensor):
        values.mask = mask
    return values
