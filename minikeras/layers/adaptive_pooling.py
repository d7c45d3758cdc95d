"""Pooling to a size of the result."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..core.registry import register
from ..ops import adaptive_pooling as ops
from ..ops import windows
from .base import Layer
from .input_spec import InputSpec
from .ranks import described


class _AdaptivePooling(Layer):
    """Pooling to a size, over 1 to 3 axes."""

    rank = 0
    function: Callable[..., Any]

    def __init__(self, output_size: Any, data_format: str | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        owner = type(self).__name__
        self.output_size = windows.numbers(output_size, self.rank, "output_size", owner)
        self.data_format = windows.data_format(data_format, owner)
        self.input_spec = InputSpec(ndim=self.rank + 2)
        self.built = True

    def call(self, inputs: Any) -> Any:
        return type(self).function(inputs, self.output_size, self.data_format)

    def compute_output_shape(self, input_shape: Any) -> tuple:
        if self.data_format == "channels_last":
            return (input_shape[0], *self.output_size, input_shape[-1])
        return (*input_shape[:2], *self.output_size)


_TEXT = """ under windows that divide {images} into parts of about one size.

    Inputs are {shape}, of any size. Where a length is no multiple of the result's, windows overlap
    by one {pixel}.

    Args:
        output_size: Size of the result, one number or one for each axis.
        data_format: 'channels_last' or 'channels_first'; by default as configured.

    Example:

    >>> import numpy as np, minikeras as keras
    >>> keras.layers.{name}({size})(np.ones({example}, "float32")).shape
    {result}
    """
_SEQUENCES = {"size": "3", "example": "(2, 10, 4)", "result": "(2, 3, 4)"}
_IMAGES = {"size": "(3, 2)", "example": "(2, 7, 8, 3)", "result": "(2, 3, 2, 3)"}
_VOLUMES = {"size": "2", "example": "(1, 4, 5, 6, 2)", "result": "(1, 2, 2, 2, 2)"}


@register("layers")
@described("The mean" + _TEXT, **_SEQUENCES)
class AdaptiveAveragePooling1D(_AdaptivePooling):
    rank = 1
    function = ops.adaptive_average_pool


@register("layers")
@described("The mean" + _TEXT, **_IMAGES)
class AdaptiveAveragePooling2D(_AdaptivePooling):
    rank = 2
    function = ops.adaptive_average_pool


@register("layers")
@described("The mean" + _TEXT, **_VOLUMES)
class AdaptiveAveragePooling3D(_AdaptivePooling):
    rank = 3
    function = ops.adaptive_average_pool


@register("layers")
@described("The largest number" + _TEXT, **_SEQUENCES)
class AdaptiveMaxPooling1D(_AdaptivePooling):
    rank = 1
    function = ops.adaptive_max_pool


@register("layers")
@described("The largest number" + _TEXT, **_IMAGES)
class AdaptiveMaxPooling2D(_AdaptivePooling):
    rank = 2
    function = ops.adaptive_max_pool


@register("layers")
@described("The largest number" + _TEXT, **_VOLUMES)
class AdaptiveMaxPooling3D(_AdaptivePooling):
    rank = 3
    function = ops.adaptive_max_pool
