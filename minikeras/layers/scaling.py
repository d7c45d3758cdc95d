"""Inputs brought to another scale: by given numbers, or by the statistics of data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from .. import ops
from ..autodiff.variable import Variable
from ..core import settings
from ..core.registry import register
from ..core.validate import integer
from .base import Layer


@register("layers")
class Rescaling(Layer):
    """``inputs * scale + offset``, as floats.

    Args:
        scale: A number, or numbers per channel.
        offset: Likewise.

    >>> import numpy as np, minikeras as keras
    >>> keras.layers.Rescaling(1 / 128, offset=-1)(np.uint8([[0, 64, 255]]))
    array([[-1.       , -0.5      ,  0.9921875]], dtype=float32)
    """

    def __init__(self, scale: Any, offset: Any = 0.0, **kwargs: Any):
        super().__init__(**kwargs)
        self.scale, self.offset = scale, offset
        for name, value in (("scale", scale), ("offset", offset)):
            if np.asarray(value).dtype.kind not in "fiu":
                raise ValueError(
                    f"Rescaling: `{name}` must be a number or numbers per channel. "
                    f"Received: {value!r}."
                )
        self.supports_masking = True
        self.built = True

    def call(self, inputs: Any) -> Any:
        scale = np.asarray(self.scale, self.compute_dtype)
        if scale.ndim and settings.image_data_format() == "channels_first":
            scale = scale.reshape(scale.shape + (1,) * (3 - scale.ndim))
        offset = np.asarray(self.offset, self.compute_dtype)
        return ops.cast(inputs, self.compute_dtype) * scale + offset

    def compute_output_shape(self, input_shape: Any) -> tuple:
        return tuple(input_shape)


@register("layers")
class Normalization(Layer):
    """``(inputs - mean) / sqrt(variance)``, by statistics of data: see `adapt`.

    Args:
        axis: The axis, or axes, along which there is a mean and variance for each place, features
            by default; None: one for all numbers.
        mean: The mean, where it is known: a number, or numbers for the places along `axis`.
        variance: The variance, likewise.
        invert: Whether to go back: ``inputs * sqrt(variance) + mean``.

    >>> import numpy as np, minikeras as keras
    >>> layer = keras.layers.Normalization()
    >>> layer.adapt(np.float32([[1, 10], [3, 30]]))
    >>> layer(np.float32([[3, 20]]))
    array([[1., 0.]], dtype=float32)
    """

    def __init__(
        self,
        axis: Any = -1,
        mean: Any = None,
        variance: Any = None,
        invert: bool = False,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        axes = () if axis is None else axis if isinstance(axis, list | tuple) else (axis,)
        self.axis = tuple(integer(a, "axis", "Normalization") for a in axes)
        self.input_mean, self.input_variance = mean, variance
        self.invert = bool(invert)
        self.supports_masking = True
        self._check_given()

    def _check_given(self) -> None:
        given = (self.input_mean, self.input_variance)
        if (given[0] is None) != (given[1] is None):
            raise ValueError(
                "Normalization needs both `mean` and `variance`, or neither and `adapt`. "
                f"Received: mean={given[0]}, variance={given[1]}."
            )
        shapes = [np.shape(value) for value in given if value is not None]
        if len(set(shapes)) > 1 or any(len(shape) > len(self.axis) for shape in shapes):
            raise ValueError(
                "Normalization: `mean` and `variance` must have the same shape, with no more "
                f"dimensions than there are axes. Received: shapes {shapes[0]} and {shapes[1]} for "
                f"axis={self.axis}."
            )

    def build(self, input_shape: Any) -> None:
        rank = len(input_shape)
        for a in self.axis:
            if not -rank <= a < rank:
                raise ValueError(
                    f"Normalization: axis={a} does not exist in an input of shape "
                    f"{tuple(input_shape)}."
                )
        self._kept = tuple(sorted(a % rank for a in self.axis))
        self._spread = [input_shape[a] if a in self._kept else 1 for a in range(rank)]
        if None in self._spread:
            raise ValueError(
                f"Normalization needs fixed extents along axis={self.axis}. "
                f"Received: {tuple(input_shape)}."
            )
        if self.input_mean is None:
            shape = tuple(input_shape[a] for a in self._kept)
            self.adapt_mean = self.add_weight(shape, "zeros", trainable=False, name="mean")
            self.adapt_variance = self.add_weight(shape, "ones", trainable=False, name="variance")
            self.count = self.add_weight((), "zeros", "int32", trainable=False, name="count")

    def _statistic(self, given: Any, adapted: str) -> Any:
        """Mean or variance in a shape that broadcasts against the inputs."""
        if given is None:
            variable: Variable = getattr(self, adapted)
            return ops.cast(ops.reshape(variable, self._spread), self.compute_dtype)
        values = np.asarray(given, self.compute_dtype)
        shape = [1] * len(self._spread)
        for place, extent in zip(reversed(self._kept), reversed(values.shape), strict=False):
            shape[place] = extent
        return np.ascontiguousarray(np.broadcast_to(values.reshape(shape), self._spread))

    @property
    def mean(self) -> Any:
        """The mean in use, None before there is one."""
        return self._statistic(self.input_mean, "adapt_mean") if self.built else None

    @property
    def variance(self) -> Any:
        """The variance in use, None before there is one."""
        return self._statistic(self.input_variance, "adapt_variance") if self.built else None

    def adapt(self, data: Any) -> None:
        """Set mean and variance to those of data.

        Args:
            data: An array, or something that gives batches, such as a list of arrays, a generator
                or a `PyDataset` (of a batch that is a tuple the inputs count).

        Raises:
            ValueError: `mean` was given to the constructor; there are no data; or their shape does
                not fit.
        """
        if self.input_mean is not None:
            raise ValueError("Normalization was given `mean` and `variance`: it cannot be adapted.")
        count, mean, squares = 0, np.float64(0), np.float64(0)
        for batch in _batches(data):
            values = np.asarray(batch)
            self._fit_shape(values.shape)
            reduced = tuple(a for a in range(values.ndim) if a not in self._kept)
            size = int(np.prod([values.shape[a] for a in reduced]))
            if not size:
                continue
            average = values.mean(axis=reduced, dtype=np.float64)
            apart, count = average - mean, count + size
            squares = squares + values.var(axis=reduced, dtype=np.float64) * size
            squares = squares + apart**2 * ((count - size) * size / count)
            mean = mean + apart * (size / count)
        if not count:
            raise ValueError("Normalization.adapt needs data. Received: none.")
        self.adapt_mean.assign(np.asarray(mean))
        self.adapt_variance.assign(np.asarray(squares / count))

    def _fit_shape(self, shape: tuple[int, ...]) -> None:
        """Build for a shape, or check it."""
        if not self.built:
            self._build(
                (None, *shape[1:]) if 0 not in [a % len(shape) for a in self.axis] else shape
            )
        fits = len(shape) == len(self._spread)
        if not fits or any(shape[a] != self._spread[a] for a in self._kept):
            raise ValueError(
                f"Normalization was built for extents {self._spread} (1: any). "
                f"Received: data of shape {shape}."
            )

    def call(self, inputs: Any) -> Any:
        x = ops.cast(inputs, self.compute_dtype)
        deviation = ops.maximum(ops.sqrt(self.variance), settings.epsilon())
        return x * deviation + self.mean if self.invert else (x - self.mean) / deviation

    def compute_output_shape(self, input_shape: Any) -> tuple:
        return tuple(input_shape)

    def _config_argument(self, name: str) -> Any:
        if name not in ("mean", "variance"):
            return super()._config_argument(name)
        given = self.input_mean if name == "mean" else self.input_variance
        return None if given is None else np.asarray(given).tolist()


def _batches(data: Any) -> Iterator[Any]:
    """The inputs of each batch."""
    if hasattr(data, "dtype") and hasattr(data, "shape"):
        return iter([data])
    if hasattr(data, "__len__") and hasattr(data, "__getitem__"):
        items: Iterable[Any] = (data[k] for k in range(len(data)))
    elif isinstance(data, Iterable):
        items = data
    else:
        raise TypeError(
            "Normalization.adapt takes an array or batches of arrays. "
            f"Received: {type(data).__name__}."
        )
    return (item[0] if isinstance(item, tuple) else item for item in items)
