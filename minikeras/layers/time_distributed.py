"""TimeDistributed: a layer applied to each step of sequences."""

from __future__ import annotations

from typing import Any

from ..core.registry import register
from ..core.serialize import deserialize
from ..graph.abstract import shapes_only, symbolic_call
from ..graph.symbol import is_symbolic
from ..ops.shapes import reshape
from ..ops.time_steps import from_time_steps, time_steps
from .base import Layer, _is_ours
from .call_context import call_signature
from .normalization import BatchNormalization
from .plumbing import Lambda, Wrapper
from .spectral_normalization import SpectralNormalization


@register("layers")
class TimeDistributed(Wrapper):
    """A layer applied to each step of sequences (batch, time, ...), with the same weights.

    Steps are samples of one large batch, but for layers in which the samples of a batch know of
    each other (batch normalisation) and for those that are not of this library: they are called
    for one step after the other.

    Args:
        layer: Any layer.

    Call arguments: `mask` (batch, time, ...) is cut into steps as well, for a layer that takes one.

    >>> import numpy as np, minikeras as keras
    >>> layer = keras.layers.TimeDistributed(keras.layers.Conv2D(8, 3))
    >>> layer(np.ones((2, 10, 16, 16, 3), "float32")).shape
    (2, 10, 14, 14, 8)
    """

    def __init__(self, layer: Any, **kwargs: Any):
        if isinstance(layer, dict) and "class_name" in layer:
            layer = deserialize(layer, kind="layers")
        super().__init__(layer, **kwargs)
        self.supports_masking = True

    def build(self, input_shape: Any = None) -> None:
        super().build(self._step_shape(input_shape))

    def _step_shape(self, input_shape: Any) -> tuple:
        if not isinstance(input_shape, list | tuple) or len(input_shape) < 3:
            raise ValueError(
                f"'{self.name}' takes sequences of at least 3 dimensions, (batch, time, ...). "
                f"Received: shape {input_shape}."
            )
        return (input_shape[0], *input_shape[2:])

    def compute_output_shape(self, input_shape: Any) -> tuple:
        step = self.layer.compute_output_shape(self._step_shape(input_shape))
        return (step[0], input_shape[1], *step[1:])

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:  # type: ignore[override]
        self._check_mask(inputs, mask)
        if is_symbolic((inputs, mask)):
            found = symbolic_call(self._computed_for, (inputs, mask), {})
            self._clear_losses()
            return found
        return self._computed_for(inputs, mask, training)

    def _check_mask(self, inputs: Any, mask: Any) -> None:
        if mask is None:
            return
        wanted, found = tuple(inputs.shape[:2]), tuple(mask.shape[:2])
        differ = any(None not in (a, b) and a != b for a, b in zip(wanted, found, strict=False))
        if len(found) < 2 or differ:
            raise ValueError(
                f"'{self.name}' takes a mask that begins with (batch, time), here {wanted}. "
                f"Received: shape {tuple(mask.shape)}."
            )

    def _computed_for(self, inputs: Any, mask: Any, training: Any = None) -> Any:
        signature = call_signature(type(self.layer).call)
        mask = mask if signature.mask else None
        kwargs = {"training": training} if signature.training else {}
        if shapes_only() or each_sample_alone(self.layer):
            return self._as_one_batch(inputs, mask, kwargs)
        masks = [None] * inputs.shape[1] if mask is None else time_steps(mask)
        outputs = []
        for step, one in zip(time_steps(inputs), masks, strict=True):
            outputs.append(self.layer(step, **kwargs, **({} if one is None else {"mask": one})))
        return from_time_steps(outputs)

    def _as_one_batch(self, inputs: Any, mask: Any, kwargs: dict[str, Any]) -> Any:
        if mask is not None:
            kwargs = {**kwargs, "mask": _joined(mask)}
        batch, time = inputs.shape[:2]
        output = self.layer(_joined(inputs), **kwargs)
        return reshape(output, (batch, time, *output.shape[1:]))


def _joined(x: Any) -> Any:
    """Batch and time as one axis."""
    batch, time, *rest = x.shape
    return reshape(x, (batch * time, *rest))


def each_sample_alone(layer: Layer) -> bool:
    """Whether it makes no difference to a layer in which batches samples come.

    Penalties on the output are averaged over a batch, so they make one.
    """
    return all(_is_alone(one) for one in layer._flatten_layers())


def _is_alone(layer: Layer) -> bool:
    mixing = BatchNormalization | SpectralNormalization | Lambda
    ours = _is_ours(type(layer)) and _is_ours(type(layer).call)
    activation = getattr(layer, "activation", None)
    plain = activation is None or _is_ours(activation)
    stateful = getattr(layer, "stateful", False) or layer.activity_regularizer is not None
    return ours and plain and not isinstance(layer, mixing) and not stateful
