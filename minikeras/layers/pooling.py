"""Pooling over windows, and over whole images."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.registry import register
from ..core.validate import boolean
from ..ops import pooling as ops
from ..ops import reduce, windows
from ..ops.core import cast
from ..ops.shapes import expand_dims, squeeze
from .base import Layer
from .input_spec import InputSpec
from .ranks import described


class _Pooling(Layer):
    """Pooling over windows of 1 to 3 axes."""

    rank = 0
    function: Callable[..., Any]

    def __init__(
        self,
        pool_size: Any = 2,
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        owner = type(self).__name__
        self.pool_size = windows.numbers(pool_size, self.rank, "pool_size", owner)
        given = self.pool_size if strides is None else strides
        self.strides = windows.numbers(given, self.rank, "strides", owner)
        self.padding = windows.padding_of(padding, owner)
        self.data_format = windows.data_format(data_format, owner)
        self.input_spec = InputSpec(ndim=self.rank + 2)
        self.built = True

    def call(self, inputs: Any) -> Any:
        self.compute_output_shape(inputs.shape)
        function = type(self).function
        return function(inputs, self.pool_size, self.strides, self.padding, self.data_format)

    def compute_output_shape(self, input_shape: Any) -> tuple:
        last = self.data_format == "channels_last"
        sizes = input_shape[1:-1] if last else input_shape[2:]
        axes = zip(sizes, self.pool_size, self.strides, strict=True)
        new = tuple(windows.output_length(n, k, s, self.padding, 1) for n, k, s in axes)
        what = f"the window of size {self.pool_size}"
        windows.check_fits(input_shape, new, what, type(self).__name__)
        if last:
            return (input_shape[0], *new, input_shape[-1])
        return (*input_shape[:2], *new)


class _GlobalPooling(Layer):
    """One number for each channel of a sample."""

    rank = 0
    function: Callable[..., Any]

    def __init__(self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any):
        super().__init__(**kwargs)
        owner = type(self).__name__
        self.data_format = windows.data_format(data_format, owner)
        self.keepdims = boolean(keepdims, "keepdims", owner)
        self.input_spec = InputSpec(ndim=self.rank + 2)
        self.built = True

    @property
    def _axes(self) -> tuple[int, ...]:
        first = 1 if self.data_format == "channels_last" else 2
        return tuple(range(first, first + self.rank))

    def call(self, inputs: Any) -> Any:
        sizes = tuple(inputs.shape[axis] for axis in self._axes)
        if None in sizes or np.dtype(inputs.dtype).kind != "f":
            whole = {ops.max_pool: reduce.max, ops.average_pool: reduce.mean}[type(self).function]
            return whole(inputs, self._axes, self.keepdims)
        y = type(self).function(inputs, sizes, None, "valid", self.data_format)
        return y if self.keepdims else squeeze(y, self._axes)

    def compute_output_shape(self, input_shape: Any) -> tuple:
        shape = enumerate(input_shape)
        if self.keepdims:
            return tuple(1 if axis in self._axes else n for axis, n in shape)
        return tuple(n for axis, n in shape if axis not in self._axes)


_POOLING = """{what} under windows that slide over {images}, {shape}.

    {more}

    Args:
        pool_size: Size of the window, one number or one for each axis.
        strides: Its step; by default its size.
        padding: 'valid': only windows within; 'same': as many as keep the size at stride 1.
        data_format: 'channels_last' or 'channels_first'; by default as configured.

    Raises:
        ValueError: an input that is smaller than the window.

    Example:

    >>> import numpy as np, minikeras as keras
    >>> keras.layers.{name}(2)(np.ones({example}, "float32")).shape
    {result}
    """
_GLOBAL = """{what} of each channel of {images}, {shape}.

    Args:
        data_format: 'channels_last' or 'channels_first'; by default as configured.
        keepdims: Whether the axes stay, with one element each.

    Example:

    >>> import numpy as np, minikeras as keras
    >>> keras.layers.{name}()(np.ones({example}, "float32")).shape
    {result}
    """
_MASKED = """
    With a mask, (batch, steps), only the steps that it marks count; a sample without any gives NaN.
    """
_MAX = {
    "what": "The largest number",
    "more": "The gradient goes to the first of equal numbers.",
}
_MEAN = {"what": "The mean", "more": "With 'same' padding it is that of the pixels within."}
_1D = {"example": "(2, 10, 4)", "result": "(2, 5, 4)"}
_2D = {"example": "(2, 8, 8, 3)", "result": "(2, 4, 4, 3)"}
_3D = {"example": "(1, 4, 6, 6, 2)", "result": "(1, 2, 3, 3, 2)"}


@register("layers")
@described(_POOLING, **_MAX, **_1D)
class MaxPooling1D(_Pooling):
    rank = 1
    function = ops.max_pool


@register("layers")
@described(_POOLING, **_MAX, **_2D)
class MaxPooling2D(_Pooling):
    rank = 2
    function = ops.max_pool


@register("layers")
@described(_POOLING, **_MAX, **_3D)
class MaxPooling3D(_Pooling):
    rank = 3
    function = ops.max_pool


@register("layers")
@described(_POOLING, **_MEAN, **_1D)
class AveragePooling1D(_Pooling):
    rank = 1
    function = ops.average_pool


@register("layers")
@described(_POOLING, **_MEAN, **_2D)
class AveragePooling2D(_Pooling):
    rank = 2
    function = ops.average_pool


@register("layers")
@described(_POOLING, **_MEAN, **_3D)
class AveragePooling3D(_Pooling):
    rank = 3
    function = ops.average_pool


@register("layers")
@described(_GLOBAL, what="The largest number", example="(2, 10, 4)", result="(2, 4)")
class GlobalMaxPooling1D(_GlobalPooling):
    rank = 1
    function = ops.max_pool


@register("layers")
@described(_GLOBAL, what="The largest number", example="(2, 8, 8, 3)", result="(2, 3)")
class GlobalMaxPooling2D(_GlobalPooling):
    rank = 2
    function = ops.max_pool


@register("layers")
@described(_GLOBAL, what="The largest number", example="(1, 4, 6, 6, 2)", result="(1, 2)")
class GlobalMaxPooling3D(_GlobalPooling):
    rank = 3
    function = ops.max_pool


@register("layers")
@described(_GLOBAL + _MASKED, what="The mean", example="(2, 10, 4)", result="(2, 4)")
class GlobalAveragePooling1D(_GlobalPooling):
    rank = 1
    function = ops.average_pool

    def __init__(self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any):
        super().__init__(data_format, keepdims, **kwargs)
        self.supports_masking = True

    def call(self, inputs: Any, mask: Any = None) -> Any:
        if mask is None:
            return super().call(inputs)
        (axis,) = self._axes
        counted = expand_dims(cast(mask, inputs.dtype), 2 if axis == 1 else 1)
        total = reduce.sum(inputs * counted, axis, self.keepdims)
        return total / reduce.sum(counted, axis, self.keepdims)

    def compute_mask(self, inputs: Any, previous_mask: Any) -> None:
        """None: the steps are gone."""
        return None


@register("layers")
@described(_GLOBAL, what="The mean", example="(2, 8, 8, 3)", result="(2, 3)")
class GlobalAveragePooling2D(_GlobalPooling):
    rank = 2
    function = ops.average_pool


@register("layers")
@described(_GLOBAL, what="The mean", example="(1, 4, 6, 6, 2)", result="(1, 2)")
class GlobalAveragePooling3D(_GlobalPooling):
    rank = 3
    function = ops.average_pool


MaxPool1D, MaxPool2D, MaxPool3D = MaxPooling1D, MaxPooling2D, MaxPooling3D
AvgPool1D, AvgPool2D, AvgPool3D = AveragePooling1D, AveragePooling2D, AveragePooling3D
GlobalMaxPool1D, GlobalMaxPool2D = GlobalMaxPooling1D, GlobalMaxPooling2D
GlobalMaxPool3D = GlobalMaxPooling3D
GlobalAvgPool1D, GlobalAvgPool2D = GlobalAveragePooling1D, GlobalAveragePooling2D
GlobalAvgPool3D = GlobalAveragePooling3D
