"""Layers that add, remove or repeat pixels, and dropout of whole channels."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.registry import register
from ..core.validate import one_of
from ..graph.abstract import shapes_only
from ..graph.symbol import is_symbolic
from ..ops import pooling, shapes, windows
from ..ops.core import floating
from ..ops.image import whole
from ..ops.linalg import matmul
from ..random import dropout
from .base import Layer
from .input_spec import InputSpec
from .ranks import described
from .regularization import Dropout

_REACH = {"bilinear": 1, "bicubic": 2, "lanczos3": 3, "lanczos5": 5}


def _pairs(value: Any, rank: int, name: str, owner: str) -> tuple[tuple[int, int], ...]:
    """(before, after) for each axis, from one number, one for each axis, or pairs."""
    value = windows.plain(value)
    given = (value,) * rank if isinstance(value, int) else value
    if rank == 1 and isinstance(given, list | tuple) and len(given) == 2:
        given = (given,)
    if isinstance(given, list | tuple) and len(given) == rank:
        pairs: Any = tuple((p, p) if isinstance(p, int) else tuple(p) for p in given)
        numbers = [n for pair in pairs for n in pair]
        whole = all(isinstance(n, int) and not isinstance(n, bool) and n >= 0 for n in numbers)
        if whole and all(len(pair) == 2 for pair in pairs):
            return pairs
    raise ValueError(
        f"{owner}: `{name}` must be an integer of at least 0, {rank} of them, or {rank} pairs. "
        f"Received: {value!r}."
    )


class _Frame(Layer):
    """A layer that changes the sizes of images."""

    rank = 0

    def _set_format(self, data_format: Any) -> None:
        self.data_format = windows.data_format(data_format, type(self).__name__)
        self.input_spec = InputSpec(ndim=self.rank + 2)
        self.built = True

    @property
    def _axes(self) -> range:
        first = 1 if self.data_format == "channels_last" else 2
        return range(first, first + self.rank)

    def _length(self, length: int, axis: int) -> int:
        """The new length of an axis."""
        raise NotImplementedError

    def compute_output_shape(self, input_shape: Any) -> tuple:
        shape = list(input_shape)
        for number, axis in enumerate(self._axes):
            if shape[axis] is not None:
                shape[axis] = self._length(shape[axis], number)
        return tuple(shape)


class _ZeroPadding(_Frame):
    def __init__(self, padding: Any = 1, data_format: str | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        pairs = _pairs(padding, self.rank, "padding", type(self).__name__)
        self.padding = pairs if self.rank > 1 else pairs[0]
        self._pairs = pairs
        self._set_format(data_format)

    def call(self, inputs: Any) -> Any:
        around = [(0, 0)] * (self.rank + 2)
        for axis, pair in zip(self._axes, self._pairs, strict=True):
            around[axis] = pair
        return shapes.pad(inputs, around)

    def _length(self, length: int, axis: int) -> int:
        return length + sum(self._pairs[axis])


class _Cropping(_Frame):
    def __init__(self, cropping: Any = 1, data_format: str | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        pairs = _pairs(cropping, self.rank, "cropping", type(self).__name__)
        self.cropping = pairs if self.rank > 1 else pairs[0]
        self._pairs = pairs
        self._set_format(data_format)

    def call(self, inputs: Any) -> Any:
        self.compute_output_shape(inputs.shape)
        places = [slice(None)] * (self.rank + 2)
        for axis, (before, after) in zip(self._axes, self._pairs, strict=True):
            places[axis] = slice(before, -after if after else None)
        return shapes.getitem(inputs, tuple(places))

    def _length(self, length: int, axis: int) -> int:
        left = length - sum(self._pairs[axis])
        if left < 1:
            raise ValueError(
                f"{type(self).__name__}: nothing is left of an axis of length {length}. "
                f"Received: cropping={self.cropping}."
            )
        return left


class _UpSampling(_Frame):
    def __init__(self, size: Any = 2, data_format: str | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.size = windows.numbers(size, self.rank, "size", type(self).__name__)
        self._set_format(data_format)

    def call(self, inputs: Any) -> Any:
        return pooling.upsample(inputs, self.size, self.data_format)

    def _length(self, length: int, axis: int) -> int:
        return length * self.size[axis]


_PADDING = """Zeros around {images}, {shape}.

    Args:
        padding: How many, one number, one for each axis, or pairs (before, after).
        data_format: 'channels_last' or 'channels_first'; by default as configured.

    Example:

    >>> import numpy as np, minikeras as keras
    >>> keras.layers.{name}(1)(np.ones({example}, "float32")).shape
    {result}
    """
_CROPPING = """{images} without their border, {shape}.

    Args:
        cropping: What is cut off, one number, one for each axis, or pairs (before, after); by
            default 1, of images 0.{order}

    Raises:
        ValueError: nothing is left of an axis.

    Example:

    >>> import numpy as np, minikeras as keras
    >>> keras.layers.{name}(1)(np.ones({example}, "float32")).shape
    {result}
    """
_SPATIAL = """Dropout of whole channels of {images}, as neighbours say much the same.

    Inputs are {shape}. Source: Tompson et al. 2015.

    Args:
        rate: Fraction dropped, in [0, 1).{order}
        seed: Seed of the mask.
    """
_ORDER = """
        data_format: 'channels_last' or 'channels_first'; by default as configured."""


@register("layers")
@described(_PADDING, example="(2, 4, 3)", result="(2, 6, 3)")
class ZeroPadding1D(_ZeroPadding):
    rank = 1


@register("layers")
@described(_PADDING, example="(2, 4, 5, 3)", result="(2, 6, 7, 3)")
class ZeroPadding2D(_ZeroPadding):
    rank = 2


@register("layers")
@described(_PADDING, example="(1, 4, 5, 6, 2)", result="(1, 6, 7, 8, 2)")
class ZeroPadding3D(_ZeroPadding):
    rank = 3


@register("layers")
@described(_CROPPING, order="", example="(2, 4, 3)", result="(2, 2, 3)")
class Cropping1D(_Cropping):
    rank = 1

    def __init__(self, cropping: Any = 1, **kwargs: Any):
        super().__init__(cropping, "channels_last", **kwargs)

    def get_config(self) -> dict[str, Any]:
        """As others, without an order of axes, of which Keras knows but one here."""
        return {k: v for k, v in super().get_config().items() if k != "data_format"}


@register("layers")
@described(_CROPPING, order=_ORDER, example="(2, 4, 5, 3)", result="(2, 2, 3, 3)")
class Cropping2D(_Cropping):
    rank = 2

    def __init__(
        self, cropping: Any = ((0, 0), (0, 0)), data_format: str | None = None, **kwargs: Any
    ):
        """As those of the other ranks; Keras cuts nothing off here unless told to."""
        super().__init__(cropping, data_format, **kwargs)


@register("layers")
@described(_CROPPING, order=_ORDER, example="(1, 4, 5, 6, 2)", result="(1, 2, 3, 4, 2)")
class Cropping3D(_Cropping):
    rank = 3


@register("layers")
class UpSampling1D(_UpSampling):
    """Each step of a sequence several times.

    Args:
        size: How many times.

    Example:

    >>> import numpy as np, minikeras as keras
    >>> keras.layers.UpSampling1D(3)(np.ones((2, 4, 3), "float32")).shape
    (2, 12, 3)
    """

    rank = 1

    def __init__(self, size: int = 2, **kwargs: Any):
        super().__init__(size, "channels_last", **kwargs)

    def _config_argument(self, name: str) -> Any:
        return self.size[0] if name == "size" else super()._config_argument(name)

    def get_config(self) -> dict[str, Any]:
        return {k: v for k, v in super().get_config().items() if k != "data_format"}


@register("layers")
class UpSampling3D(_UpSampling):
    """Each pixel of a volume several times along each axis.

    Args:
        size: How many times, one number or one for each axis.
        data_format: 'channels_last' or 'channels_first'; by default as configured.
    """

    rank = 3


@register("layers")
class UpSampling2D(_UpSampling):
    """Images enlarged by whole factors.

    Args:
        size: How many times, one number or one for each axis.
        data_format: 'channels_last' or 'channels_first'; by default as configured.
        interpolation: 'nearest' repeats pixels; 'bilinear', 'bicubic', 'lanczos3' and 'lanczos5'
            mix their neighbours.

    Example:

    >>> import numpy as np, minikeras as keras
    >>> keras.layers.UpSampling2D((1, 2), interpolation="bilinear")(
    ...     np.float32([[0, 4]]).reshape(1, 1, 2, 1))[0, :, :, 0]
    array([[0., 1., 3., 4.]], dtype=float32)
    """

    rank = 2

    def __init__(
        self,
        size: Any = 2,
        data_format: str | None = None,
        interpolation: str = "nearest",
        **kwargs: Any,
    ):
        super().__init__(size, data_format, **kwargs)
        self.interpolation = one_of(
            interpolation.lower() if isinstance(interpolation, str) else interpolation,
            ("nearest", *_REACH), "interpolation", "UpSampling2D",
        )  # fmt: skip

    def call(self, inputs: Any) -> Any:
        # shapes are those of repeated pixels, and matrices would be huge for what stands for None
        if self.interpolation == "nearest" or shapes_only() or is_symbolic(inputs):
            return super().call(inputs)
        stretched = floating(inputs)
        for axis, times in zip(self._axes, self.size, strict=True):
            stretched = _stretched(stretched, axis, times, self.interpolation)
        return whole(stretched, inputs)


def _stretched(x: Any, axis: int, times: int, kind: str) -> Any:
    """One axis enlarged: a product with the matrix of interpolation."""
    matrix = _interpolation(x.shape[axis], times, kind).astype(np.dtype(x.dtype))
    return shapes.moveaxis(matmul(shapes.moveaxis(x, axis, -1), matrix), -1, axis)


def _interpolation(length: int, times: int, kind: str) -> np.ndarray:
    """(length, length * times): the share of each pixel in each new one; the shares sum to 1."""
    places = (np.arange(length * times) + 0.5) / times - 0.5
    distance = np.abs(places[None, :] - np.arange(length)[:, None])
    reach = _REACH[kind]
    if kind == "bilinear":
        shares = 1 - distance
    elif kind == "bicubic":  # Keys 1981, with a = -1/2
        near = (1.5 * distance - 2.5) * distance**2 + 1
        shares = np.where(
            distance < 1, near, ((-0.5 * distance + 2.5) * distance - 4) * distance + 2
        )
    else:
        shares = np.sinc(distance) * np.sinc(distance / reach)
    shares = np.where(distance < reach, shares, 0.0)
    return shares / shares.sum(axis=0)


class _SpatialDropout(Dropout):
    """Dropout with a mask that is one along the axes of images."""

    rank = 0
    data_format = "channels_last"

    def call(self, inputs: Any, training: bool = False) -> Any:
        if not training or self.rate == 0:
            return inputs
        ones = (1,) * (len(inputs.shape) - 2)
        batch = inputs.shape[0]
        last = self.data_format == "channels_last"
        shape = (batch, *ones, inputs.shape[-1]) if last else (batch, inputs.shape[1], *ones)
        return dropout(inputs, self.rate, shape, self.seed_generator)

    def get_config(self) -> dict[str, Any]:
        """Without what Keras's constructor does not take."""
        config = super().get_config()
        return {k: v for k, v in config.items() if k not in ("noise_shape", "trainable")}


class _OfImages(_SpatialDropout):
    """With either order of axes."""

    def __init__(
        self, rate: float, data_format: str | None = None, seed: Any = None, **kwargs: Any
    ):
        super().__init__(rate, seed=seed, **kwargs)
        self.data_format = windows.data_format(data_format, type(self).__name__)
        self.input_spec = InputSpec(ndim=self.rank + 2)


@register("layers")
@described(_SPATIAL, order="")
class SpatialDropout1D(_SpatialDropout):
    rank = 1

    def __init__(self, rate: float, seed: Any = None, **kwargs: Any):
        super().__init__(rate, seed=seed, **kwargs)
        self.data_format = "channels_last"
        self.input_spec = InputSpec(ndim=self.rank + 2)


@register("layers")
@described(_SPATIAL, order=_ORDER)
class SpatialDropout2D(_OfImages):
    rank = 2


@register("layers")
@described(_SPATIAL, order=_ORDER)
class SpatialDropout3D(_OfImages):
    rank = 3
