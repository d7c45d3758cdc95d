"""Sequential: layers one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..autodiff.spec import spec_of
from ..core import tree
from ..core.names import within
from ..core.registry import register
from ..core.serialize import deserialize, serialize
from ..core.text import SYMBOL_DTYPE, symbol_dtype
from ..graph.symbol import Symbol
from ..layers.base import Layer
from ..layers.core import InputLayer
from ..layers.masked import marked
from .functional_config import all_ours, in_rank
from .model import Model


@register("layers", module="keras")
class Sequential(Model):
    """A stack of layers, each fed with the output of the one before.

    Args:
        layers: Layers, the first of which may be an `Input`. Without a known input shape the model
            is built when it first sees data.
        name: Display name.

    Example:

    >>> import minikeras as keras
    >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    >>> model.output_shape
    (None, 2)
    """

    _bookkeeping = Model._bookkeeping | {"_inputs", "_outputs", "_stack", "_ours"}
    _owns_layers = True

    def __init__(
        self, layers: Any = None, trainable: bool = True, name: str | None = None, **kwargs: Any
    ):
        super().__init__(trainable=trainable, name=name, **kwargs)
        self._stack: list[Layer] = []  # an InputLayer, if there is one, first
        self._inputs: Symbol | None = None
        self._outputs: Any = None
        if isinstance(layers, Layer):
            raise ValueError(
                "Sequential takes a list of layers. Received: a single layer. Write [layer]."
            )
        for layer in layers or ():
            self.add(layer, rebuild=False)
        self._maybe_rebuild()

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_inputs": None, "_outputs": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        if self.built:
            self._maybe_rebuild()  # the symbols, which are not copied: chains of them may be long

    def add(self, layer: Any, rebuild: bool = True) -> None:
        """Append a layer."""
        layer = _as_layer(layer)
        if any(one.name == layer.name and one is not layer for one in self._stack):
            raise ValueError(
                "Each layer needs a name of its own. Received: a second layer named "
                f"'{layer.name}'. Pass name=... to one of them."
            )
        if isinstance(layer, InputLayer) and self._stack:
            raise ValueError(
                "An Input must come first. The model holds already: "
                f"{[one.name for one in self._stack]}."
            )
        before = list(self._stack)
        if not self._stack:
            self._stack.extend(_entrance_before(layer))
        self._stack.append(layer)
        self._changed()
        if not rebuild:
            return
        try:
            self._maybe_rebuild()
        except Exception:
            self._stack[:] = before  # what does not fit is not kept
            self._changed()
            self._maybe_rebuild()
            raise

    def pop(self, rebuild: bool = True) -> Layer | None:
        """Remove the last layer and return it."""
        if not self._stack:
            return None
        layer = self._stack.pop()
        self.built = False
        self._inputs = self._outputs = None
        self._changed()
        if rebuild:
            self._maybe_rebuild()
        return layer

    def _changed(self) -> None:
        self.known_output = None
        self.built = False
        self._steps.clear()
        self.stack_version = self.__dict__.get("stack_version", 0) + 1  # counts as a change

    @property
    def layers(self) -> list[Layer]:
        """The layers, without the input."""
        return [layer for layer in self._stack if not isinstance(layer, InputLayer)]

    def _sublayers(self) -> list[Layer]:
        return list(self._stack)

    # --- building ---

    @property
    def _entrance(self) -> Any:
        """The InputLayer at the front, None while the input shape is not known."""
        first = self._stack[0] if self._stack else None
        return first if isinstance(first, InputLayer) else None

    def build(self, input_shape: Any = None) -> None:
        """Make all weights for inputs of this shape (with the batch in front)."""
        entrance = self._entrance
        if input_shape is None:
            if entrance is None:
                raise ValueError(
                    f"Sequential '{self.name}' needs an input shape: start it with an Input, call "
                    "build(input_shape=(None, features)), or call it on data."
                )
        elif entrance is not None:
            if _differs(entrance.batch_shape, tuple(input_shape)):
                raise ValueError(
                    f"Sequential '{self.name}' begins with an Input of shape "
                    f"{entrance.batch_shape}. Received: input_shape={tuple(input_shape)}."
                )
        else:
            self._stack.insert(
                0, InputLayer(batch_shape=tuple(input_shape), dtype=self._input_dtype())
            )
        self._maybe_rebuild()

    def _input_dtype(self) -> str:
        first: Any = self._stack[0] if self._stack else self
        if isinstance(first, Sequential) and first is not self:
            return first._input_dtype()
        return SYMBOL_DTYPE if first.takes_text else first.dtype

    def _build(self, input_shape: Any) -> None:
        self.build(input_shape)

    def _maybe_rebuild(self) -> None:
        """Run symbols through the stack if it begins with an input."""
        entrance = self._entrance
        if entrance is None:
            return
        symbol: Any = Symbol(entrance.batch_shape, entrance.dtype, entrance.name)
        self._inputs, x = symbol, symbol
        for layer in self.layers:
            with within(self._own_path()):
                x = layer(x)
            if x is None:
                raise ValueError(
                    f"Layer '{layer.name}' ({type(layer).__name__}) gave None. Does its `call` "
                    "miss a `return`?"
                )
        self._outputs = x
        self._build_shapes = entrance.batch_shape
        self.built = True

    def build_from_data(self, x: Any) -> None:
        shape = (None, *x.shape[1:])
        self._build_for(shape, x.dtype.name)

    def _build_for(self, shape: tuple, dtype: str) -> None:
        """Build for inputs of this shape, unless an Input says another."""
        if not self._stack:
            raise ValueError(f"Sequential '{self.name}' has no layers. Add some first.")
        if self._entrance is None:
            self._stack.insert(0, InputLayer(batch_shape=shape, dtype=symbol_dtype(dtype)))
        self._maybe_rebuild()

    def _maybe_build(self, args: tuple, kwargs: dict) -> None:
        if not self.built and args and hasattr(args[0], "shape"):
            spec = spec_of(args[0])
            self._build_for((None, *spec.shape[1:]), spec.dtype)

    # --- calling ---

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        if self._entrance is not None:
            inputs = in_rank(inputs, self._entrance.batch_shape)
        x = inputs if mask is None else marked([inputs], [mask])[0]
        for layer in self._stack:
            if not isinstance(layer, InputLayer):
                x = layer(x)
        return x

    @property
    def replayable_call(self) -> bool:
        if not self.built:
            return False
        ours = self.__dict__.get("_ours")
        if ours is None or ours[0] != self.stack_version:
            bare = all(getattr(o, "mask", None) is None for o in tree.flatten(self._outputs))
            ours = (self.stack_version, bare and all_ours(self))
            self.__dict__["_ours"] = ours
        return ours[1]

    def compute_output_shape(self, input_shape: Any) -> Any:
        for layer in self.layers:
            input_shape = layer.compute_output_shape(input_shape)
        return input_shape

    def output_for(self, x: Any) -> Any:
        return self._outputs

    # --- what the model looks like ---

    def _require_built(self) -> None:
        if not self.built or self._inputs is None:
            raise AttributeError(
                f"Sequential '{self.name}' is not built, so it has no input and output yet. "
                "Start it with an Input, or call it on data."
            )

    @property
    def input_shapes(self) -> list[tuple] | None:
        return None if self._inputs is None else [self._inputs.shape]

    @property
    def inputs(self) -> list[Symbol]:
        self._require_built()
        return [self._inputs]  # type: ignore[list-item]

    @property
    def outputs(self) -> list[Any]:
        self._require_built()
        return tree.flatten(self._outputs)

    @property
    def input(self) -> Any:
        """Its own input; in a graph, what it was first called on. `inputs` is always its own."""
        return super().input if self._was_called else self.inputs[0]

    @property
    def output(self) -> Any:
        """Its own output; in a graph, what its first call gave. `outputs` is always its own."""
        if self._was_called:
            return super().output
        self._require_built()
        return self._outputs

    @property
    def _was_called(self) -> bool:
        """Whether it is a layer of some graph."""
        return bool(self.__dict__.get("_nodes"))

    @property
    def input_shape(self) -> tuple:
        return self.inputs[0].shape

    @property
    def output_shape(self) -> Any:
        self._require_built()
        return tree.map_structure(lambda s: s.shape, self._outputs)

    # --- older spellings ---

    def predict_classes(
        self, x: Any, batch_size: int | None = None, verbose: Any = "auto"
    ) -> np.ndarray:
        """The most probable class of each sample, int64; with one output unit, 1 above 0.5.

        >>> import minikeras as keras
        >>> model = Sequential([keras.Input((2,)), keras.layers.Softmax()])
        >>> model.predict_classes(np.array([[0.0, 1.0], [3.0, 1.0]]))
        array([1, 0])
        """
        values = np.asarray(self.predict(x, batch_size=batch_size, verbose=verbose))
        if values.shape[-1] > 1:
            return values.argmax(axis=-1)
        return (values > 0.5).astype(np.int64)

    def predict_proba(self, x: Any, batch_size: int | None = None, verbose: Any = "auto") -> Any:
        """The same as `predict`."""
        return self.predict(x, batch_size=batch_size, verbose=verbose)

    # --- files ---

    def get_config(self) -> dict[str, Any]:
        config: dict[str, Any] = {
            "name": self.name,
            "trainable": self.trainable,
            "dtype": serialize(self.dtype_policy),
            "layers": [serialize(layer) for layer in self._stack],
        }
        if self.built and self._inputs is not None:
            config["build_input_shape"] = list(self._inputs.shape)
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Sequential:
        records: Sequence[Any] = config["layers"]
        layers = [
            deserialize(r, custom_objects=custom_objects, kind="layers")
            if isinstance(r, dict)
            else r
            for r in records
        ]
        model = cls(layers, name=config.get("name"), trainable=config.get("trainable", True))
        shape = config.get("build_input_shape")
        if not model.built and shape:
            model.build(tuple(shape))
        return model

    def get_build_config(self) -> dict[str, Any] | None:
        return None if self._inputs is None else {"input_shape": list(self._inputs.shape)}


def _as_layer(value: Any) -> Layer:
    """The layer that `add` was given, as itself or as the result of `Input`."""
    if isinstance(value, Symbol):
        if value.layer is None:
            maker = value.node.operation if value.node is not None else value
            raise ValueError(
                f"Sequential takes layers, not what they give. Received: the result of "
                f"'{maker.name}' called on a symbol. Pass the layer itself, without calling it."
            )
        return value.layer
    if not isinstance(value, Layer):
        raise ValueError(
            f"Sequential takes layers. Received: {value!r} of type {type(value).__name__}."
            + (f" Create it first: {value.__name__}(...)." if isinstance(value, type) else "")
        )
    return value


def _entrance_before(layer: Layer) -> list[Layer]:
    """The InputLayer that a first layer calls for: by an older argument, or being built already."""
    if isinstance(layer, InputLayer):
        return []
    if layer._input_shape_hint is not None:
        return [InputLayer(batch_shape=layer._input_shape_hint, dtype=layer.dtype)]
    entrance = getattr(layer, "_inputs", None)
    if isinstance(entrance, Symbol):
        return [InputLayer(batch_shape=entrance.shape, dtype=entrance.dtype)]
    return []


def _differs(a: Sequence[Any], b: Sequence[Any]) -> bool:
    return len(a) != len(b) or any(
        x is not None and y is not None and x != y for x, y in zip(a, b, strict=True)
    )
