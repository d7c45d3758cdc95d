"""Layers that change only the shape."""

from __future__ import annotations

import math
from typing import Any

from ..core import settings
from ..core.registry import register
from ..core.validate import positive_int
from ..graph.abstract import symbolic
from ..ops import shapes
from .base import Layer
from .input_spec import InputSpec


@register("layers")
class Flatten(Layer):
    """(batch, ...) to (batch, all the rest).

    Args:
        data_format: 'channels_first' moves the channels to the end before flattening.
    """

    def __init__(self, data_format: str | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.data_format = settings.data_format_of(data_format, "Flatten")

    def call(self, inputs: Any) -> Any:
        rank = len(inputs.shape)
        if self.data_format == "channels_first" and rank > 2:
            inputs = shapes.transpose(inputs, [0, *range(2, rank), 1])
        features = self.compute_output_shape(inputs.shape)[1]
        return _flat(inputs) if features is None else shapes.reshape(inputs, (-1, features))

    def compute_output_shape(self, input_shape: Any) -> tuple:
        rest = input_shape[1:]
        return (input_shape[0], None if None in rest else math.prod(rest))


@symbolic
def _flat(x: Any) -> Any:
    """All axes but the first as one, where a symbol does not know how many elements they hold."""
    return shapes.reshape(x, (x.shape[0], -1))


@register("layers")
class Reshape(Layer):
    """(batch, ...) to (batch, *target_shape); one dimension of the target may be -1."""

    def __init__(self, target_shape: Any, **kwargs: Any):
        super().__init__(**kwargs)
        self.target_shape = (
            (target_shape,) if isinstance(target_shape, int) else tuple(target_shape)
        )

    def _target(self, input_shape: Any) -> tuple:
        rest = tuple(input_shape[1:])
        if any(n is None for n in rest) and -1 in self.target_shape:
            return tuple(None if n == -1 else n for n in self.target_shape)
        total, known = math.prod(rest), math.prod(n for n in self.target_shape if n != -1)
        if self.target_shape.count(-1) > 1 or (
            total % known if -1 in self.target_shape and known else total != known
        ):
            wanted = f"a multiple of {known}" if -1 in self.target_shape else f"{known}"
            raise ValueError(
                f"Reshape '{self.name}' cannot give samples of shape {rest} the shape "
                f"{self.target_shape}: they have {total} elements, not {wanted}. The sizes of "
                "target_shape leave out the batch; one of them may be -1."
            )
        return tuple(total // known if n == -1 else n for n in self.target_shape)

    def call(self, inputs: Any) -> Any:
        batch = inputs.shape[0]
        return shapes.reshape(inputs, (-1 if batch is None else batch, *self._target(inputs.shape)))

    def compute_output_shape(self, input_shape: Any) -> tuple:
        return (input_shape[0], *self._target(input_shape))


@register("layers")
class Permute(Layer):
    """The axes of each sample in another order.

    Args:
        dims: For each axis of the output the axis of the input, counted from 1 (0 is the batch).

    >>> import numpy as np, minikeras as keras
    >>> keras.layers.Permute((2, 1))(np.ones((4, 3, 5), "float32")).shape
    (4, 5, 3)
    """

    def __init__(self, dims: Any, **kwargs: Any):
        super().__init__(**kwargs)
        self.dims = tuple(dims)
        if sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            raise ValueError(
                f"Permute: `dims` must hold each axis from 1 to {len(self.dims)} once. "
                f"Received: {dims!r}."
            )
        self.input_spec = InputSpec(ndim=len(self.dims) + 1)

    def call(self, inputs: Any) -> Any:
        return shapes.transpose(inputs, [0, *self.dims])

    def compute_output_shape(self, input_shape: Any) -> tuple:
        return (input_shape[0], *(input_shape[d] for d in self.dims))


@register("layers")
class RepeatVector(Layer):
    """(batch, features) to (batch, n, features): each vector n times.

    Args:
        n: How many times.
    """

    def __init__(self, n: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.n = positive_int(n, "n", "RepeatVector")
        self.input_spec = InputSpec(ndim=2)

    def call(self, inputs: Any) -> Any:
        return shapes.repeat(shapes.expand_dims(inputs, 1), self.n, axis=1)

    def compute_output_shape(self, input_shape: Any) -> tuple:
        return (input_shape[0], self.n, input_shape[1])
