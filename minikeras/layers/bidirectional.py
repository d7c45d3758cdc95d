"""Bidirectional: a recurrent layer run over sequences in both directions."""

from __future__ import annotations

from types import FunctionType
from typing import Any

from ..core import tree
from ..core.registry import register
from ..core.serialize import deserialize, serialize
from ..core.validate import one_of
from ..graph.abstract import symbolic_call
from ..graph.symbol import is_symbolic
from ..ops import elementwise as e
from ..ops.shapes import concatenate, flip
from .base import Layer, _is_ours
from .call_context import call_signature
from .recurrent import cells_in

MODES = ("concat", "sum", "mul", "ave", None)
_ALIKE = ("stateful", "return_sequences", "return_state")


@register("layers")
class Bidirectional(Layer):
    """A recurrent layer in two copies, one of which takes the steps in reverse order.

    Args:
        layer: An `RNN`, `LSTM`, `GRU`, ... It is copied: the copies have weights of their own.
        merge_mode: How both outputs are put together: 'concat', 'sum', 'mul', 'ave', or None for a
            pair of outputs. Outputs of all steps are aligned by time.
        weights: Arrays for the weights, those of the forward copy first.
        backward_layer: The layer for the reverse order, with ``go_backwards`` the other way round;
            by default a copy of `layer`.

    Call arguments: those of the layer. The first half of `initial_state` is for the forward copy.
    With masks, outputs of masked steps are 0 where all steps are given.

    Raises:
        ValueError: Layers that are not alike in `stateful`, `return_sequences`, `return_state`.

    >>> import numpy as np, minikeras as keras
    >>> layer = keras.layers.Bidirectional(keras.layers.LSTM(4, return_sequences=True))
    >>> layer(np.ones((2, 5, 3), "float32")).shape
    (2, 5, 8)
    """

    _config_skip = ("weights",)

    def __init__(
        self,
        layer: Any,
        merge_mode: str | None = "concat",
        weights: Any = None,
        backward_layer: Any = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        one_of(merge_mode, MODES, "merge_mode", "Bidirectional")
        layer = _as_recurrent(layer, "layer")
        self.forward_layer = _copied(layer, "forward_")
        if backward_layer is None:
            self.backward_layer = _copied(layer, "backward_", go_backwards=True)
        else:
            self.backward_layer = _as_recurrent(backward_layer, "backward_layer")
        self._check_alike()
        self.merge_mode = merge_mode
        self._start = list(weights) if weights is not None else None
        self.stateful, self.return_sequences = layer.stateful, layer.return_sequences
        self.return_state = layer.return_state
        for one in (self.forward_layer, self.backward_layer):
            if getattr(one, "zero_output_for_mask", None) is not None:
                one.zero_output_for_mask = self.return_sequences
            if hasattr(layer, "use_cudnn"):
                one.use_cudnn = layer.use_cudnn
        self.supports_masking = True
        self.input_spec = layer.input_spec

    def _check_alike(self) -> None:
        forward, backward = self.forward_layer, self.backward_layer
        if forward.go_backwards == backward.go_backwards:
            raise ValueError(
                "Bidirectional needs one layer for each direction. Received: two with "
                f"go_backwards={forward.go_backwards}. Pass go_backwards="
                f"{not forward.go_backwards} to the backward layer."
            )
        for name in _ALIKE:
            one, other = getattr(forward, name), getattr(backward, name)
            if one != other:
                raise ValueError(
                    f"Both layers of Bidirectional need the same `{name}`. Received: {one} in the "
                    f"forward layer, {other} in the backward layer."
                )

    def _config_argument(self, name: str) -> Any:
        return self.forward_layer if name == "layer" else super()._config_argument(name)

    # --- building ---

    def _maybe_build(self, args: tuple, kwargs: dict) -> None:
        if self.stateful and not self.built and args and hasattr(args[0], "shape"):
            self._build(tuple(args[0].shape))  # with the batch size, which states need
        super()._maybe_build(args, kwargs)

    def build(self, sequences_shape: Any, initial_state_shape: Any = None) -> None:
        for layer in (self.forward_layer, self.backward_layer):
            if not layer.built:
                layer._build(tuple(sequences_shape))
        if self._start is not None:
            self._set_start(self._start)

    def _set_start(self, start: list[Any]) -> None:
        layers = (self.forward_layer, self.backward_layer)
        first = len(layers[0].weights)
        if len(start) != sum(len(layer.weights) for layer in layers):
            raise ValueError(
                f"Bidirectional: `weights` must hold {first} arrays for the forward layer and "
                f"{len(layers[1].weights)} for the backward one. Received: {len(start)}."
            )
        layers[0].set_weights(start[:first])
        layers[1].set_weights(start[first:])

    # --- states ---

    @property
    def states(self) -> tuple | None:
        """The states that stateful copies carry, those of the forward one first."""
        found = self.forward_layer.states, self.backward_layer.states
        return None if None in found else (*found[0], *found[1])

    def reset_state(self) -> None:
        """Set the states that are carried from batch to batch to 0."""
        if not self.stateful:
            raise AttributeError(
                f"'{self.name}' carries no states: its layer was made with stateful=False."
            )
        self.forward_layer.reset_state()
        self.backward_layer.reset_state()

    def reset_states(self) -> None:
        """The same as `reset_state`."""
        self.reset_state()

    # --- shapes and masks ---

    def compute_output_shape(self, sequences_shape: Any, initial_state_shape: Any = None) -> Any:
        one, *states = self._parts(self.forward_layer.compute_output_shape(sequences_shape))
        other, *others = self._parts(self.backward_layer.compute_output_shape(sequences_shape))
        states = [*states, *others]
        if self.merge_mode is None:
            return one, other, *states
        if self.merge_mode == "concat":
            one = (*one[:-1], one[-1] + other[-1])
        return (one, *states) if self.return_state else tuple(one)

    def _parts(self, found: Any) -> list[Any]:
        """Output and states of a layer's result."""
        return list(found) if self.return_state else [found]

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        mask = tree.flatten(previous_mask)[0] if self.return_sequences else None
        return (mask, mask) if self.merge_mode is None else mask

    # --- computation ---

    def call(
        self, sequences: Any, initial_state: Any = None, mask: Any = None, training: Any = None
    ) -> Any:
        if is_symbolic((sequences, initial_state, mask)):
            found = symbolic_call(self._computed_for, (sequences, initial_state, mask), {})
            self._clear_losses()
            return found
        return self._computed_for(sequences, initial_state, mask, training)

    def _computed_for(
        self, sequences: Any, initial_state: Any, mask: Any, training: Any = None
    ) -> Any:
        starts = self._starts(initial_state)
        forward = self._run(self.forward_layer, sequences, starts[0], mask, training)
        backward = self._run(self.backward_layer, sequences, starts[1], mask, training)
        (y, *states), (y_back, *back_states) = self._parts(forward), self._parts(backward)
        if self.return_sequences:
            y_back = flip(y_back, 1)
        output = self._merged(y, y_back)
        states = [*states, *back_states]
        if self.merge_mode is None:
            return (*output, *states)
        return (output, *states) if self.return_state else output

    def _starts(self, initial_state: Any) -> tuple[Any, Any]:
        """The initial states of both layers."""
        if initial_state is None:
            return None, None
        given = list(initial_state) if tree.is_nested(initial_state) else [initial_state]
        if len(given) % 2:
            raise ValueError(
                f"'{self.name}' takes as many initial states for the backward layer as for the "
                f"forward one. Received: {len(given)}."
            )
        half = len(given) // 2
        return given[:half], given[half:]

    def _run(self, layer: Any, sequences: Any, state: Any, mask: Any, training: Any) -> Any:
        signature = call_signature(type(layer).call)
        kwargs: dict[str, Any] = {"training": training} if signature.training else {}
        if signature.mask and mask is not None:
            kwargs["mask"] = mask
        if state is not None:
            kwargs["initial_state"] = state
        return layer(sequences, **kwargs)

    def _merged(self, y: Any, y_back: Any) -> Any:
        if self.merge_mode is None:
            return y, y_back
        if self.merge_mode == "concat":
            return concatenate([y, y_back], -1)
        if tuple(y.shape) != tuple(y_back.shape):
            raise ValueError(
                f"'{self.name}': merge_mode={self.merge_mode!r} needs outputs of one shape. "
                f"Received: {tuple(y.shape)} and {tuple(y_back.shape)}. Use 'concat', or layers "
                "with equal units."
            )
        if self.merge_mode == "mul":
            return e.multiply(y, y_back)
        total = e.add(y, y_back)
        return e.multiply(total, 0.5) if self.merge_mode == "ave" else total


def _as_recurrent(layer: Any, argument: str) -> Any:
    """A layer that can be run in both directions, also of the record of one."""
    if isinstance(layer, dict) and "class_name" in layer:
        layer = deserialize(layer, kind="layers")
    needed = ("go_backwards", *_ALIKE)
    missing = [name for name in needed if not hasattr(layer, name)]
    if not isinstance(layer, Layer) or missing:
        what = f", which has no `{missing[0]}`" if isinstance(layer, Layer) else ""
        raise ValueError(
            f"Bidirectional: `{argument}` must be a recurrent layer such as LSTM(units). "
            f"Received: {layer!r}{what}."
        )
    return layer


def _copied(layer: Any, prefix: str, **changed: Any) -> Any:
    """A layer like `layer`, not built, with another name."""
    record = serialize(layer)
    record.pop("build_config", None)
    name = f"{prefix}{layer.name.removeprefix(prefix)}"
    return deserialize(
        {**record, "config": {**record["config"], "name": name, **changed}},
        custom_objects=_own_objects(layer),
        kind="layers",
    )


def _own_objects(layer: Any) -> dict[str, Any]:
    """Classes and functions of the user's in a layer, by name: they need not be registered here."""
    parts = [*layer._flatten_layers(), *cells_in(getattr(layer, "cell", layer))]
    classes = {type(part).__name__: type(part) for part in parts if not _is_ours(type(part))}
    functions = [
        value
        for part in parts
        for value in vars(part).values()
        if isinstance(value, FunctionType) and not _is_ours(value)
    ]
    return {**{one.__name__: one for one in functions}, **classes}
