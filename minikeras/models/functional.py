"""Functional: a model made of the graph between some input symbols and some output symbols."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..core import tree
from ..core.registry import register
from ..graph.graph import Graph
from ..graph.symbol import Symbol, is_symbolic
from ..layers.base import Layer
from ..layers.connections import note
from ..layers.masked import marked
from . import functional_config
from .model import Model


@register("layers", module="keras.src.models.functional")
class Functional(Model):
    """What ``Model(inputs, outputs)`` makes.

    Args:
        inputs: Symbol from `Input`, or a nest (list, dict) of them. Any other symbol that the
            outputs are computed from will do as well.
        outputs: Symbol that layers gave, or a nest of them.
        name: Display name.

    Raises:
        ValueError: An output depends on a symbol that is not among the inputs.

    Example:

    >>> import numpy as np, minikeras as keras
    >>> x = keras.Input((4,))
    >>> y = keras.layers.Dense(4, activation="relu")(x)
    >>> model = keras.Model(x, keras.layers.Dense(1)(x + y))
    >>> model.predict(np.ones((3, 4), "float32"), verbose=0).shape
    (3, 1)
    """

    _bookkeeping = Model._bookkeeping | {"_graph"}
    _owns_layers = True

    def __init__(self, inputs: Any, outputs: Any, name: str | None = None, **kwargs: Any):
        super().__init__(name=name, **kwargs)
        self._graph = Graph(*functional_config.entered(inputs, outputs))
        functional_config.check_names(self._graph.operations)
        self.built = True

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        for node in self._graph.nodes:
            if isinstance(node.operation, Layer):
                note(node)
        for symbol in self._graph.flat_inputs:
            symbol.layer.stand_for(symbol)

    # --- structure ---

    @property
    def operations(self) -> list[Any]:
        """All that is called, layers and functions, from inputs towards outputs."""
        return list(self._graph.operations)

    @property
    def layers(self) -> list[Layer]:
        return [operation for operation in self._graph.operations if isinstance(operation, Layer)]

    def _sublayers(self) -> list[Layer]:
        found = {id(layer): layer for layer in [*self.layers, *super()._sublayers()]}
        return list(found.values())

    @property
    def inputs(self) -> list[Symbol]:
        return list(self._graph.flat_inputs)

    @property
    def outputs(self) -> list[Symbol]:
        return list(self._graph.flat_outputs)

    @property
    def input(self) -> Any:
        return self._graph.inputs

    @property
    def output(self) -> Any:
        return self._graph.outputs

    @property
    def input_shape(self) -> Any:
        """The shape of the only input, or a list of the shapes of several."""
        return self.input_shapes[0] if len(self.input_shapes) == 1 else self.input_shapes

    @property
    def output_shape(self) -> Any:
        """The shape of the only output, or a list of the shapes of several."""
        shapes = [s.shape for s in self._graph.flat_outputs]
        return shapes[0] if len(shapes) == 1 else shapes

    @property
    def input_shapes(self) -> list[tuple]:
        return [s.shape for s in self._graph.flat_inputs]

    @property
    def input_names(self) -> list[str]:
        """Keys of a dict of inputs, else the names of the entrances."""
        if isinstance(self._graph.inputs, Mapping):
            return sorted(self._graph.inputs)
        if len(self._graph.flat_inputs) == 1:
            return ["x"]
        return [s.name for s in self._graph.flat_inputs]

    @property
    def optional_inputs(self) -> list[str]:
        """Names of the inputs that may be None."""
        pairs = zip(self.input_names, self._graph.flat_inputs, strict=True)
        return [name for name, symbol in pairs if symbol.layer.optional]

    @property
    def output_names(self) -> list[str]:
        """Names of the operations that give the outputs."""
        return [
            functional_config.name_of(s.layer if s.node is None else s.node.operation)
            for s in self._graph.flat_outputs
        ]

    def connections_of(self, operation: Any) -> list[str]:
        """Where the inputs of an operation come from: "name[call][output]"."""
        return functional_config.connections_of(self, operation)

    def output_shape_of(self, operation: Any) -> str:
        """The shape(s) that an operation first gives."""
        return functional_config.output_shape_of(self, operation)

    def output_for(self, x: Any) -> Any:
        return self._graph.outputs

    # --- calling ---

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        pairs = zip(self._values(inputs), self._graph.flat_inputs, strict=True)
        values = [functional_config.in_rank(value, symbol.shape) for value, symbol in pairs]
        found = self._graph(values if mask is None else marked(values, self._values(mask)))
        alone = isinstance(found, list | tuple) and len(found) == 1
        return found[0] if alone and not is_symbolic(found) else found

    def _values(self, inputs: Any) -> list[Any]:
        """One value for each entrance, from a nest like `input`, a flat list, or a dict by name."""
        if isinstance(inputs, Mapping):
            names = self._names_by(inputs)
            missing = [n for n in names if n not in inputs and n not in self.optional_inputs]
            if missing:
                raise ValueError(
                    f"Model '{self.name}' has the inputs {names}. Received: a dict with the keys "
                    f"{sorted(inputs)}, without {missing[0]!r}."
                )
            return [inputs.get(name) for name in names]
        values = tree.flatten(inputs)
        if len(values) != len(self._graph.flat_inputs):
            raise ValueError(
                f"Model '{self.name}' has {len(self._graph.flat_inputs)} input(s) "
                f"({', '.join(s.name for s in self._graph.flat_inputs)}). Received: {len(values)}."
            )
        return values

    def _names_by(self, inputs: Mapping[str, Any]) -> list[str]:
        """Names for the entrances, in order: the keys that the model was made with, or names."""
        if isinstance(self._graph.inputs, Mapping) and self._graph.inputs.keys() <= inputs.keys():
            return sorted(self._graph.inputs)
        return [s.name for s in self._graph.flat_inputs]

    @property
    def replayable_call(self) -> bool:
        if len(self._graph.flat_inputs) != 1 or type(self).call is not Functional.call:
            return False
        known = self.__dict__.get("_all_ours")
        if known is None:
            bare = all(symbol.mask is None for symbol in self._graph.flat_outputs)
            known = self.__dict__["_all_ours"] = bare and functional_config.all_ours(self)
        return known

    def compute_output_shape(self, input_shape: Any) -> Any:
        shapes = functional_config.shapes_of(input_shape, len(self._graph.flat_inputs))
        with functional_config.only_shapes():
            symbols = [
                Symbol(shape, entrance.dtype)
                for shape, entrance in zip(shapes, self._graph.flat_inputs, strict=True)
            ]
            return tree.map_structure(lambda s: s.shape, self._graph(symbols))

    # --- config ---

    def get_config(self) -> dict[str, Any]:
        return functional_config.config_of(self)

    def get_build_config(self) -> dict[str, Any]:
        return {"input_shape": None}

    def build_from_config(self, config: dict[str, Any]) -> None:
        """The graph has built everything."""

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        return functional_config.model_from(cls, config, custom_objects)


Model._functional = Functional
