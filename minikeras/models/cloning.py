"""Models made again from models: the same layers, new weights."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from ..core import tree
from ..core.serialize import deserialize, serialize
from ..graph.symbol import Symbol, keep_name
from ..layers.base import Layer
from ..layers.core import InputLayer
from .functional import Functional
from .sequential import Sequential

__all__ = ["clone_model", "model_from_json"]


def clone_model(
    model: Any,
    input_tensors: Any = None,
    clone_function: Callable[[Layer], Any] | None = None,
    call_function: Callable[..., Any] | None = None,
    recursive: bool = False,
) -> Any:
    """A model of the same architecture with new weights (new starting values, nothing shared).

    Args:
        model: The model.
        input_tensors: Symbols to build it on instead of new inputs.
        clone_function: Makes of each layer (but the entrances) the one that takes its place; by
            default one of the same config.
        call_function: ``call_function(layer, *args, **kwargs)`` instead of ``layer(*args,
            **kwargs)``, for functional models: to put further layers between.
        recursive: Whether `clone_function` is also given the layers of models inside.

    Raises:
        ValueError: A function for a subclassed model, whose layers nobody knows from outside.

    >>> import minikeras as keras
    >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    >>> clone_model(model).count_params()
    8
    """
    if not isinstance(model, Functional | Sequential):
        if clone_function or input_tensors is not None or call_function:
            raise ValueError(
                "clone_model: `input_tensors`, `clone_function` and `call_function` need a "
                f"functional or Sequential model. Received: the subclassed {type(model).__name__}."
            )
        return _like(model)
    cloner = _Cloner(clone_function or _like, call_function, recursive)
    if isinstance(model, Functional):
        return cloner.functional(model, input_tensors)
    if call_function is not None:
        raise ValueError(
            "clone_model: `call_function` needs a functional model, whose layers are called. "
            "Received: a Sequential."
        )
    return cloner.sequential(model, input_tensors)


def model_from_json(json_string: str, custom_objects: dict[str, Any] | None = None) -> Any:
    """The model whose architecture `Model.to_json` wrote, with new weights.

    Raises:
        ValueError: No JSON, or not the architecture of a model.
    """
    try:
        record = json.loads(json_string)
    except ValueError as error:
        raise ValueError(f"model_from_json: this is not JSON: {error}.") from None
    return deserialize(record, custom_objects=custom_objects, kind="layers")


def _like(layer: Any) -> Any:
    """A layer of the same config."""
    custom = {type(layer).__name__: type(layer)}
    return deserialize(serialize(layer), custom_objects=custom)


class _Cloner:
    """Clones with each layer made once, however often it is called."""

    def __init__(self, make: Callable[[Layer], Any], call: Any, recursive: bool):
        self._make, self._recursive = make, recursive
        self._call = call or (lambda layer, *args, **kwargs: layer(*args, **kwargs))
        self._made: dict[int, Any] = {}

    def layer(self, layer: Layer) -> Any:
        if id(layer) not in self._made:
            self._made[id(layer)] = self._new(layer)
        return self._made[id(layer)]

    def _new(self, layer: Layer) -> Any:
        inside = isinstance(layer, Functional | Sequential)
        if inside and self._recursive:
            own = self.functional if isinstance(layer, Functional) else self.sequential
            return own(layer, None)
        made = self._make(layer)
        if not isinstance(made, Layer):
            raise TypeError(
                f"clone_model: `clone_function` must return a layer. Received: {made!r} for layer "
                f"'{layer.name}'."
            )
        return made

    def functional(self, model: Functional, input_tensors: Any) -> Functional:
        graph = model._graph
        if input_tensors is None:
            entrances = [_entrance(s) for s in graph.flat_inputs]
        else:
            entrances = tree.flatten(input_tensors)
        if len(entrances) != len(graph.flat_inputs):
            raise ValueError(
                f"clone_model: the model has {len(graph.flat_inputs)} inputs. "
                f"Received: {len(entrances)} input_tensors."
            )
        known = {id(old): new for old, new in zip(graph.flat_inputs, entrances, strict=True)}

        def value(leaf: Any) -> Any:
            return known[id(leaf)] if isinstance(leaf, Symbol) else leaf

        for node in graph.nodes:
            args, kwargs = tree.map_structure(value, (node.args, node.kwargs))
            if isinstance(node.operation, Layer):
                result = self._call(self.layer(node.operation), *args, **kwargs)
            else:
                result = node.operation(*args, **kwargs)
                keep_name(result, node.operation.name)
            for old, new in zip(node.outputs, tree.flatten(result), strict=True):
                known[id(old)] = new
        inputs = tree.pack_sequence_as(graph.inputs, entrances)
        return Functional(inputs, tree.map_structure(value, graph.outputs), name=model.name)

    def sequential(self, model: Sequential, input_tensors: Any) -> Sequential:
        layers: list[Any] = []
        if input_tensors is not None:
            symbols = tree.flatten(input_tensors)
            if len(symbols) != 1 or not isinstance(symbols[0], Symbol):
                raise ValueError(
                    "clone_model: a Sequential is built on one symbol. "
                    f"Received: input_tensors={input_tensors!r}."
                )
            layers.append(InputLayer(batch_shape=symbols[0].shape, dtype=symbols[0].dtype))
        elif model.built:
            layers.append(_like(model._stack[0]))
        layers += [self.layer(layer) for layer in model.layers]
        return Sequential(layers, name=model.name, trainable=model.trainable)


def _entrance(symbol: Symbol) -> Symbol:
    return InputLayer(batch_shape=symbol.shape, dtype=symbol.dtype, name=symbol.name).symbol()
