"""Layers around functions, other layers and masks."""

from __future__ import annotations

import inspect
from typing import Any

from .. import ops
from ..core.registry import register
from ..core.serialize import deserialize, serialize
from .base import Layer


@register("layers")
class Lambda(Layer):
    """A function as a layer.

    Files hold the function's registered name, never its code: decorate it with
    `saving.register_keras_serializable` to save a model with it.

    Args:
        function: Called on the inputs; also given `training` and `mask` if it takes them.
        output_shape: Shape of the output without the batch, or a function of the input shape.
            Found by calling the function on symbols where it is not given.
        mask: The mask of the output, or a function ``mask(inputs, mask)``.
        arguments: Further keyword arguments for the function.

    >>> import numpy as np, minikeras as keras
    >>> keras.layers.Lambda(lambda x: x ** 2)(np.float32([[3]]))
    array([[9.]], dtype=float32)
    """

    takes_text = True

    def __init__(
        self,
        function: Any,
        output_shape: Any = None,
        mask: Any = None,
        arguments: dict[str, Any] | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if not callable(function):
            raise TypeError(f"Lambda: `function` must be callable. Received: {function!r}.")
        self.function, self.mask, self.arguments = function, mask, dict(arguments or {})
        self._output_shape = output_shape
        self.supports_masking = mask is not None
        taken = inspect.signature(function).parameters
        self._takes = [name for name in ("mask", "training") if name in taken]

    def call(self, inputs: Any, mask: Any = None, training: bool | None = None) -> Any:
        context = {"mask": mask, "training": training}
        return self.function(inputs, **self.arguments, **{k: context[k] for k in self._takes})

    def compute_output_shape(self, input_shape: Any) -> Any:
        if self._output_shape is None:
            return super().compute_output_shape(input_shape)
        if callable(self._output_shape):
            return self._output_shape(input_shape)
        first = input_shape[0]
        return (first[0] if isinstance(first, list | tuple) else first, *self._output_shape)

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        return self.mask(inputs, previous_mask) if callable(self.mask) else self.mask

    def get_config(self) -> dict[str, Any]:
        base = {
            "name": self.name,
            "trainable": self.trainable,
            "dtype": serialize(self.dtype_policy),
        }
        extra = {"output_shape": self._output_shape, "mask": self.mask}
        given = {key: serialize(value) for key, value in extra.items() if value is not None}
        return {
            **base,
            "function": serialize(self.function),
            **given,
            "arguments": serialize(self.arguments),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Lambda:
        config = {key: deserialize(value) for key, value in config.items()}
        shape = config.get("output_shape")
        if isinstance(shape, list):
            config["output_shape"] = tuple(shape)
        return cls(**config)


@register("layers")
class Wrapper(Layer):
    """Base of layers around another one.

    Args:
        layer: The layer inside.
    """

    def __init__(self, layer: Any, **kwargs: Any):
        super().__init__(**kwargs)
        if not isinstance(layer, Layer):
            raise TypeError(
                f"{type(self).__name__} wraps a layer. Received: {layer!r} of type "
                f"{type(layer).__name__}."
            )
        self.layer = layer

    def build(self, input_shape: Any = None) -> None:
        if not self.layer.built:
            self.layer._build(input_shape)

    def call(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        return self.layer(inputs, *args, **kwargs)


@register("layers")
class Masking(Layer):
    """Leaves out steps of sequences in which all values are `mask_value`.

    Input (batch, steps, features). Steps left out become 0; layers that know of masks skip them.
    """

    def __init__(self, mask_value: Any = 0.0, **kwargs: Any):
        super().__init__(**kwargs)
        self.mask_value = mask_value
        self.supports_masking = True

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        return ops.any(ops.not_equal(inputs, self.mask_value), axis=-1)

    def call(self, inputs: Any) -> Any:
        counts = ops.any(ops.not_equal(inputs, self.mask_value), axis=-1, keepdims=True)
        return ops.where(counts, inputs, ops.zeros_like(inputs))

    def compute_output_shape(self, input_shape: Any) -> tuple:
        return tuple(input_shape)
