"""Functional models as Keras's files describe them: their layers, and who calls whom on what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..core import tree
from ..core.serialize import deserialize, serialize
from ..graph.graph import inputs_of
from ..graph.symbol import Node, Operation, Symbol, keep_name
from ..layers.base import Layer
from ..layers.call_context import call_signature
from ..layers.connections import only_shapes
from ..layers.core import InputLayer
from ..ops import shapes
from .op_records import function_of, record_of

__all__ = [
    "all_ours",
    "check_names",
    "config_of",
    "entered",
    "in_rank",
    "model_from",
    "name_of",
    "only_shapes",
    "shapes_of",
]

TENSOR = "__keras_tensor__"


def entered(inputs: Any, outputs: Any) -> tuple[Any, Any]:
    """Inputs and outputs, where an input that a layer gave has an entrance of its own now."""

    def enter(symbol: Any) -> Any:
        if isinstance(symbol, Symbol) and symbol.layer is None:
            symbol.layer = InputLayer(batch_shape=symbol.shape, dtype=symbol.dtype)
            symbol.layer.stand_for(symbol)
        return symbol

    return tree.map_structure(enter, inputs), outputs


def check_names(operations: Sequence[Any]) -> None:
    """Each step of a model needs a name of its own.

    Raises:
        ValueError: Two have the same.
    """
    seen: set[str] = set()
    for operation in operations:
        name = operation.given_name if isinstance(operation, Operation) else operation.name
        if name in seen:
            raise ValueError(
                f"Each layer of a model needs a name of its own. Received: two named '{name}'. "
                "Pass name=... to one of them."
            )
        if name is not None:
            seen.add(name)


def name_of(operation: Any) -> str:
    return operation.name


def trains_unless_told(layer: Any) -> bool:
    """Whether a layer called without `training` does what it does in training: augmentation."""
    return call_signature(type(layer).call).training_default is True


def only_computes(layer: Any) -> bool:
    """Whether a call without `training` gives outputs as in inference, and notes no penalty."""
    return not trains_unless_told(layer) and layer.activity_regularizer is None


def all_ours(model: Any) -> bool:
    """Whether only what this library wrote computes in a model, and nothing else happens in it."""
    package = __name__.partition(".")[0]

    def ours(thing: Any) -> bool:
        return thing is None or str(getattr(thing, "__module__", "")).partition(".")[0] == package

    return all(
        ours(type(layer)) and ours(getattr(layer, "activation", None)) and only_computes(layer)
        for layer in model._flatten_layers()
    )


def in_rank(value: Any, expected: tuple) -> Any:
    """A value with a last axis of one pixel more, or fewer, where a model expects such a rank."""
    shape = getattr(value, "shape", None)
    if shape is None or isinstance(value, Symbol) or len(shape) == len(expected):
        return value
    if len(shape) == len(expected) - 1 and expected[-1] == 1:
        return shapes.expand_dims(value, -1)
    if len(shape) == len(expected) + 1 and shape[-1] == 1:
        return shapes.squeeze(value, -1)
    return value


def shapes_of(input_shape: Any, count: int) -> list[tuple]:
    """The shapes of `count` inputs in a shape, or a list or dict of shapes."""
    if isinstance(input_shape, dict):
        return [tuple(input_shape[key]) for key in sorted(input_shape)]
    if count == 1 and not isinstance(input_shape[0], list | tuple):
        return [tuple(input_shape)]
    return [tuple(shape) for shape in input_shape]


# --- writing ---


def config_of(model: Any) -> dict[str, Any]:
    """The config of a functional model.

    Raises:
        TypeError: A call that no file can describe.
    """
    places = _places(model)
    return {
        "name": model.name,
        "trainable": model.trainable,
        "layers": [_layer_record(model, operation, places) for operation in model.operations],
        "input_layers": _written(model.input, places, nested_from_one=False),
        "output_layers": _written(model.output, places, nested_from_one=True),
    }


def _places(model: Any) -> dict[int, tuple[Any, int, int]]:
    """For each symbol of the graph: operation, which of its calls, which output."""
    graph = model._graph
    places = {id(s): (s.layer, 0, 0) for s in graph.flat_inputs}
    for operation in graph.operations:
        for number, node in enumerate(_calls(model, operation)):
            for index, symbol in enumerate(node.outputs):
                places.setdefault(id(symbol), (operation, number, index))
    return places


def _calls(model: Any, operation: Any) -> list[Node]:
    """The calls of an operation that belong to the model, in the order in which they were made."""
    nodes = [node for node in model._graph.nodes if node.operation is operation]
    if not isinstance(operation, Layer):
        return nodes
    made = operation.__dict__.get("_nodes", [])
    return sorted(nodes, key=lambda node: next(i for i, n in enumerate(made) if n is node))


def connections_of(model: Any, operation: Any) -> list[str]:
    """Where the inputs of an operation come from, as "name[call][output]"."""
    places = _places(model)
    found = [places[id(symbol)] for node in _calls(model, operation) for symbol in inputs_of(node)]
    return list(dict.fromkeys(f"{source.name}[{call}][{index}]" for source, call, index in found))


def output_shape_of(model: Any, operation: Any) -> str:
    """The shape(s) that an operation first gives in the model."""
    calls = _calls(model, operation)
    symbols = (
        calls[0].outputs if calls else [s for s in model._graph.flat_inputs if s.layer is operation]
    )
    return ", ".join(str(s.shape) for s in symbols)


def _layer_record(model: Any, operation: Any, places: dict) -> dict[str, Any]:
    calls = _calls(model, operation)
    if isinstance(operation, Layer):
        if any(s.layer is operation for s in model._graph.flat_inputs):
            calls = []
        record = serialize(operation)
        given = [(list(node.args), node.kwargs) for node in calls]
    else:
        record, *inputs = record_of(calls[0])
        record["config"] = {"name": operation.name, **serialize(record["config"])}
        given = [inputs]
    nodes = [
        {"args": _written_args(args, places), "kwargs": _written_args(kwargs, places)}
        for args, kwargs in given
    ]
    return {**record, "name": operation.name, "inbound_nodes": nodes}


def _written_args(args: Any, places: dict) -> Any:
    def write(leaf: Any) -> Any:
        if not isinstance(leaf, Symbol):
            return serialize(leaf)
        operation, call, index = places[id(leaf)]
        history = [operation.name, call, index]
        config = {"shape": list(leaf.shape), "dtype": leaf.dtype, "keras_history": history}
        return {"class_name": TENSOR, "config": config}

    return tree.map_structure(write, args)


def _written(nest: Any, places: dict, nested_from_one: bool) -> Any:
    """Inputs or outputs as triples; the calls of a nested graph are counted from 1 in outputs."""
    if isinstance(nest, Symbol):
        operation, call, index = places[id(nest)]
        return [operation.name, call + (nested_from_one and _is_graph(operation)), index]
    if isinstance(nest, dict):
        return {key: _written(value, places, nested_from_one) for key, value in nest.items()}
    return [_written(value, places, nested_from_one) for value in nest]


def _is_graph(operation: Any) -> bool:
    return hasattr(operation, "_graph")


# --- reading ---


def model_from(cls: Any, config: dict[str, Any], custom_objects: Any = None) -> Any:
    """The functional model of a config.

    Raises:
        ValueError: A config in which calls go in circles, or refer to what is not there.
    """
    builder = _Builder(config["layers"], custom_objects)
    inputs = builder.read(config["input_layers"], nested_from_one=False)
    outputs = builder.read(config["output_layers"], nested_from_one=True)
    extra = {key: config[key] for key in ("trainable",) if key in config}
    return cls(inputs=inputs, outputs=outputs, name=config.get("name"), **extra)


class _Builder:
    """Makes the layers of a config and calls them again, as soon as their inputs exist."""

    def __init__(self, records: Sequence[dict[str, Any]], custom_objects: Any):
        self.made: dict[tuple[str, int], list[Symbol]] = {}
        self.graphs: set[str] = set()
        waiting: list[tuple[str, Any, int, dict[str, Any]]] = []
        for record in records:
            name = record.get("name") or record["config"]["name"]
            operation = _operation(record, custom_objects)
            if _is_graph(operation):
                self.graphs.add(name)
            if isinstance(operation, InputLayer):
                self.made[name, 0] = [operation.symbol()]
            calls = enumerate(record.get("inbound_nodes", ()))
            waiting += [(name, operation, number, node) for number, node in calls]
        while waiting:
            left = [call for call in waiting if not self._make(*call)]
            if len(left) == len(waiting):
                raise ValueError(
                    "The model's configuration goes in circles, or misses a layer: the inputs of "
                    f"{sorted({call[0] for call in left})} are never made."
                )
            waiting = left

    def _make(self, name: str, operation: Any, number: int, node: Any) -> bool:
        """Make a call if its inputs exist, and those before it of the same layer."""
        if number and (name, number - 1) not in self.made:
            return False
        try:
            args, kwargs = self._arguments(node)
        except KeyError:
            return False
        result = operation(*args, **kwargs)
        keep_name(result, name)
        self.made[name, number] = tree.flatten(result)
        return True

    def _arguments(self, node: Any) -> tuple[list[Any], dict[str, Any]]:
        if isinstance(node, list):  # Keras 2: [[layer, call, output, kwargs], ...]
            symbols = [self.made[entry[0], entry[1]][entry[2]] for entry in node]
            kwargs = node[0][3] if len(node[0]) > 3 else {}
            return [symbols[0] if len(symbols) == 1 else symbols], self._revived(kwargs)
        kwargs = {k: v for k, v in node["kwargs"].items() if v is not None}
        return [self._revived(arg) for arg in node["args"]], self._revived(kwargs)

    def _revived(self, value: Any) -> Any:
        if isinstance(value, dict) and value.get("class_name") == TENSOR:
            name, call, index = value["config"]["keras_history"]
            return self.made[name, call][index]
        if isinstance(value, dict) and "class_name" not in value:
            return {key: self._revived(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._revived(item) for item in value]
        return deserialize(value)

    def read(self, places: Any, nested_from_one: bool) -> Any:
        """The symbols of a nest of triples."""
        if isinstance(places, dict):
            return {key: self.read(value, nested_from_one) for key, value in places.items()}
        if _is_triple(places):
            name, call, index = places
            if nested_from_one and name in self.graphs:
                call = max(call - 1, 0)
            try:
                return self.made[name, call][index]
            except (KeyError, IndexError):
                raise ValueError(
                    f"The model's configuration refers to output {index} of call {call} of layer "
                    f"{name!r}, which it does not hold."
                ) from None
        return [self.read(value, nested_from_one) for value in places]


def _is_triple(value: Any) -> bool:
    return isinstance(value, list | tuple) and len(value) == 3 and isinstance(value[0], str)


def _operation(record: dict[str, Any], custom_objects: Any) -> Any:
    """The layer of a record, or the function that its operation means."""
    if str(record.get("module") or "").startswith("keras.src.ops"):
        return function_of(record["module"], record["class_name"], _plain(record["config"]))
    record = {key: value for key, value in record.items() if key not in ("name", "inbound_nodes")}
    return deserialize(record, custom_objects=custom_objects, kind="layers")


def _plain(config: dict[str, Any]) -> dict[str, Any]:
    return {key: deserialize(value) for key, value in config.items()}
