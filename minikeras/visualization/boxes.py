"""What a drawing of a model shows: boxes, groups of boxes, and what leads from where to where."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ..core import tree
from ..graph.graph import inputs_of
from ..graph.symbol import Node, Symbol
from ..layers.base import Layer
from ..layers.connections import only_shapes
from ..layers.core import InputLayer
from ..models.functional import Functional
from ..models.sequential import Sequential

__all__ = ["Box", "Cell", "Edge", "Group", "Show", "group_of"]


class Show(NamedTuple):
    """What boxes tell of their layers: the `show_` arguments of `plot_model`."""

    shapes: bool = False
    dtype: bool = False
    layer_names: bool = False
    layer_activations: bool = False
    trainable: bool = False
    expand_nested: bool = False


class Cell(NamedTuple):
    """A field of a box: a label, and its value in bold. `tone`: plain, trained or frozen."""

    label: str
    value: str
    tone: str = "plain"


@dataclass(eq=False)
class Box:
    """One step of a model. `tone` is input, layer, model or function."""

    title: str
    name: str
    tone: str
    rows: list[list[Cell]] = field(default_factory=list)


class Port(NamedTuple):
    """An end of an edge: a box, or the n-th input or output of a group."""

    part: Any
    index: int = 0


class Edge(NamedTuple):
    """A value that one part gives and another takes."""

    source: Port
    target: Port


@dataclass(eq=False)
class Group:
    """A model: its parts, how they are connected, and which of them its inputs and outputs are."""

    title: str
    parts: list[Any] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    inputs: list[Port] = field(default_factory=list)
    outputs: list[Port] = field(default_factory=list)

    def leaves(self) -> Iterator[Box]:
        """All boxes, those of groups inside too."""
        for part in self.parts:
            if isinstance(part, Group):
                yield from part.leaves()
            else:
                yield part

    def connections(self) -> list[tuple[Box, Box]]:
        """(from, to) for all boxes, those of groups inside too; each pair once."""
        pairs = [(_inner(e.source, "outputs"), _inner(e.target, "inputs")) for e in self.edges]
        for part in self.parts:
            if isinstance(part, Group):
                pairs += part.connections()
        return list(dict.fromkeys(pairs))

    def _connect(self, source: Port, target: Port) -> None:
        edge = Edge(source, target)
        if edge not in self.edges:
            self.edges.append(edge)


def _inner(port: Port, side: str) -> Box:
    """The box in which an edge to or from a group ends."""
    while isinstance(port.part, Group):
        port = getattr(port.part, side)[port.index]
    return port.part


def group_of(model: Any, show: Show) -> Group:
    """The boxes of a functional or Sequential model.

    Raises:
        ValueError: The model has no graph: it is not built, or `call` is a method of its own.
    """
    if isinstance(model, Functional):
        return _of_graph(model, show)
    if isinstance(model, Sequential):
        return _of_stack(model, show)
    kind = type(model).__name__
    if not isinstance(model, Layer):
        raise ValueError(f"Only models can be drawn. Received: {model!r} of type {kind}.")
    raise ValueError(
        f"{kind} '{model.name}' computes by a `call` of its own, so it has no graph to draw. "
        "Draw a functional model around it: x = Input(shape), Model(x, model(x)); or use summary()."
    )


def _is_drawn_open(operation: Any, show: Show) -> bool:
    return show.expand_nested and isinstance(operation, Functional | Sequential)


# --- functional models ---


def _of_graph(model: Functional, show: Show) -> Group:
    group, parts = Group(model.name), {}
    first_calls: dict[int, Node] = {}
    for node in model._graph.nodes:
        first_calls.setdefault(id(node.operation), node)
    for operation in model.operations:
        if _is_drawn_open(operation, show):
            part: Any = group_of(operation, show)
        else:
            ends = _ends(model, operation, first_calls.get(id(operation)))
            part = _box(operation, *ends, show)
        parts[id(operation)] = part
        group.parts.append(part)
    entrances = {id(s): Port(parts[id(s.layer)]) for s in model.inputs}

    def source(symbol: Symbol) -> Port:
        found = entrances.get(id(symbol))
        return found or _port(parts[id(symbol.node.operation)], symbol.index)  # type: ignore[union-attr]

    for node in model._graph.nodes:
        for index, symbol in enumerate(_taken(node)):
            group._connect(source(symbol), _port(parts[id(node.operation)], index))
    group.inputs = [entrances[id(s)] for s in model.inputs]
    group.outputs = [source(s) for s in model.outputs]
    return group


def _port(part: Any, index: int) -> Port:
    """An end at a part; boxes have one place for all."""
    return Port(part, index if isinstance(part, Group) else 0)


def _taken(node: Node) -> list[Symbol]:
    """The symbols that a call takes, those of a model in the order of its inputs."""
    if isinstance(node.operation, Functional) and node.args:
        return [s for s in node.operation._values(node.args[0]) if isinstance(s, Symbol)]
    return inputs_of(node)


def _ends(model: Functional, operation: Any, call: Node | None) -> tuple[Any, Any]:
    """Nests of symbols: what an operation first takes and gives in the model."""
    if call is None:
        return None, next(s for s in model.inputs if s.layer is operation)
    taken, given = inputs_of(call), call.outputs
    first = call.args[0] if call.args else None
    whole = len(tree.flatten(first)) == len(taken) if first is not None else False
    return (first if whole else taken), given[0] if len(given) == 1 else given


# --- stacks ---


def _of_stack(model: Sequential, show: Show) -> Group:
    if not model.built:
        raise ValueError(
            f"Sequential '{model.name}' is not built, so its shapes are not known. Start it with "
            "an Input, call build(input_shape), or call it on data."
        )
    group, value = Group(model.name), model.input
    for layer in model.layers:
        with only_shapes():
            given = layer(value)
        if _is_drawn_open(layer, show):
            part: Any = group_of(layer, show)
        else:
            part = _box(layer, value, given, show)
        group.parts.append(part)
        value = given
    for before, after in zip(group.parts, group.parts[1:], strict=False):
        for index in range(_count(before, "outputs")):
            group._connect(_port(before, index), _port(after, index))
    if group.parts:
        group.inputs = [Port(group.parts[0], i) for i in range(_count(group.parts[0], "inputs"))]
        group.outputs = [
            Port(group.parts[-1], i) for i in range(_count(group.parts[-1], "outputs"))
        ]
    return group


def _count(part: Any, side: str) -> int:
    return len(getattr(part, side)) if isinstance(part, Group) else 1


# --- boxes ---


def _box(operation: Any, taken: Any, given: Any, show: Show) -> Box:
    function = not isinstance(operation, Layer)
    title = operation.kind if function else type(operation).__name__
    box = Box(title, operation.name, _tone(operation))
    activation = getattr(operation, "activation", None)
    if show.layer_activations and activation is not None:
        box.rows.append([Cell("Activation:", _name(activation))])
    cells = []
    if show.shapes:
        if taken is not None:
            cells.append(Cell("Input:", _shapes(taken)))
        cells.append(Cell("Output:", _shapes(given)))
    if show.dtype:
        cells.append(Cell("Dtype:", _dtypes(given)))
    if show.trainable and getattr(operation, "weights", None):
        trains = bool(operation.trainable_weights)
        word, tone = ("Trainable", "trained") if trains else ("Non-trainable", "frozen")
        cells.append(Cell("", word, tone))
    if cells:
        box.rows.append(cells)
    return box


def _tone(operation: Any) -> str:
    if not isinstance(operation, Layer):
        return "function"
    if isinstance(operation, InputLayer):
        return "input"
    return "model" if hasattr(operation, "layers") else "layer"


def _name(activation: Any) -> str:
    for attribute in ("name", "__name__"):
        if isinstance(getattr(activation, attribute, None), str):
            return getattr(activation, attribute)
    return type(activation).__name__


def _shapes(symbols: Any) -> str:
    return str(tree.map_structure(lambda s: s.shape, symbols)).replace("'", "")


def _dtypes(symbols: Any) -> str:
    return ", ".join(dict.fromkeys(s.dtype for s in tree.flatten(symbols)))
