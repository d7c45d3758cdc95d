"""Graph: the calls that lead from input symbols to output symbols, in an order to redo them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..core import tree
from .symbol import Node, Symbol


class Graph:
    """The part of a graph of symbols between some inputs and some outputs.

    Args:
        inputs: Nest of symbols.
        outputs: Nest of symbols that depend on nothing but them.

    Attributes:
        nodes: The calls, each after those whose results it takes.
        operations: What is called, each once: the operations of `nodes` and the entrances, from
            inputs towards outputs; Keras's order, by the length of the longest way to an output.

    Raises:
        ValueError: An output cannot be computed from the inputs; the message tells what is missing.
    """

    def __init__(self, inputs: Any, outputs: Any):
        self.inputs, self.outputs = inputs, outputs
        self.flat_inputs: list[Symbol] = _symbols(inputs, "inputs")
        self.flat_outputs: list[Symbol] = _symbols(outputs, "outputs")
        if len({id(s) for s in self.flat_inputs}) != len(self.flat_inputs):
            raise ValueError(
                "Each input of a model must be a symbol of its own. Received: one symbol twice in "
                f"inputs={inputs!r}."
            )
        self.nodes = _ordered(self.flat_outputs, self.flat_inputs)
        self.operations = _by_depth(self.nodes, self.flat_inputs, self.flat_outputs)

    def __call__(self, values: Iterable[Any]) -> Any:
        """The nest of outputs for values of the inputs, in the order of `flat_inputs`."""
        known = {id(s): v for s, v in zip(self.flat_inputs, values, strict=True)}

        def value(leaf: Any) -> Any:
            return known[id(leaf)] if isinstance(leaf, Symbol) else leaf

        for node in self.nodes:
            args, kwargs = tree.map_structure(value, (node.args, node.kwargs))
            results = tree.flatten(node.operation(*args, **kwargs))
            for symbol, result in zip(node.outputs, results, strict=True):
                known[id(symbol)] = result
        return tree.map_structure(value, self.outputs)

    def __reduce__(self) -> tuple[Any, ...]:
        """How copies and pickles are made: as a flat list, for graphs may be deep."""
        made = [symbol for node in self.nodes for symbol in node.outputs]
        symbols = [*self.flat_inputs, *made]
        places = {id(symbol): Place(at) for at, symbol in enumerate(symbols)}

        def placed(leaf: Any) -> Any:
            return places[id(leaf)] if isinstance(leaf, Symbol) else leaf

        for node in self.nodes:
            _ = node.operation.name  # given at the first question: both must have the same
        calls = [
            (n.operation, *tree.map_structure(placed, (n.args, n.kwargs)), len(n.outputs))
            for n in self.nodes
        ]
        nests = tree.map_structure(placed, (self.inputs, self.outputs))
        return _from_list, ([_plain(symbol) for symbol in symbols], calls, nests)


class Place:
    """Stands for a symbol of a graph in a list of all of them."""

    def __init__(self, at: int):
        self.at = at


def _plain(symbol: Symbol) -> Symbol:
    """A symbol that does not know what made it."""
    plain = Symbol(symbol.shape, symbol.dtype, symbol.name, index=symbol.index)
    plain.layer = symbol.layer
    if symbol.mask is not None:
        plain.mask = Symbol(symbol.mask.shape, symbol.mask.dtype, symbol.mask.name)
    return plain


def _from_list(symbols: list[Symbol], calls: list[tuple], nests: tuple) -> Graph:
    """The graph that `Graph.__reduce__` took apart."""

    def symbol(leaf: Any) -> Any:
        return symbols[leaf.at] if isinstance(leaf, Place) else leaf

    at = len(symbols) - sum(count for *_, count in calls)
    for operation, args, kwargs, count in calls:
        args, kwargs = tree.map_structure(symbol, (args, kwargs))
        node = Node(operation, args, kwargs, symbols[at : at + count])
        for made in node.outputs:
            made.node = node
        at += count
    return Graph(*tree.map_structure(symbol, nests))


def inputs_of(node: Node) -> list[Symbol]:
    """The symbols that a call takes, in order."""
    leaves = tree.flatten((node.args, node.kwargs))
    return [leaf for leaf in leaves if isinstance(leaf, Symbol)]


def _symbols(nest: Any, argument: str) -> list[Symbol]:
    leaves = tree.flatten(nest)
    wrong = [leaf for leaf in leaves if not isinstance(leaf, Symbol)]
    if wrong or not leaves:
        raise ValueError(
            f"`{argument}` of a model must be symbols, made by `Input` and by calling layers on "
            f"them. Received: {_told(wrong[0]) if wrong else repr(nest)}"
        )
    return leaves


def _told(value: Any) -> str:
    """What something that is no symbol is, with what was probably meant."""
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        return f"{type(value).__name__} of shape {tuple(value.shape)}. Data are given to `fit`."
    if callable(value) and hasattr(value, "name"):
        return f"{value!r}. Call it on a symbol: its result is what the model needs."
    return f"{value!r}."


def _ordered(outputs: list[Symbol], inputs: list[Symbol]) -> list[Node]:
    """The nodes between inputs and outputs, each after those that it needs."""
    given = {id(s) for s in inputs}
    done: dict[int, Node] = {}
    waiting: list[tuple[Symbol, Symbol, bool]] = [(s, s, False) for s in reversed(outputs)]
    while waiting:  # a stack of its own: graphs may be deeper than Python's
        symbol, output, entered = waiting.pop()
        node = symbol.node
        if id(symbol) in given or (node is not None and id(node) in done):
            continue
        if node is None:
            raise _unreachable(symbol, output, inputs)
        if entered:
            done[id(node)] = node
            continue
        waiting.append((symbol, output, True))
        waiting += [(s, output, False) for s in reversed(inputs_of(node))]
    return list(done.values())


def _unreachable(symbol: Symbol, output: Symbol, inputs: list[Symbol]) -> ValueError:
    names = ", ".join(repr(s.name) for s in inputs)
    maker = output.node.operation.name if output.node is not None else output.name
    return ValueError(
        f"The output of '{maker}', of shape {output.shape}, cannot be computed from the inputs "
        f"({names}): it also depends on '{symbol.name}' of shape {symbol.shape}, which is not one "
        "of them. Add it to `inputs`, or connect the output differently."
    )


def _by_depth(nodes: list[Node], inputs: list[Symbol], outputs: list[Symbol]) -> list[Any]:
    """Operations by the longest way to an output, longest first; ties in the order of a search
    that goes from the outputs down."""
    order = _search_order(inputs, outputs)
    depth: dict[int, int] = {}  # of operations
    node_depth: dict[int, int] = {}
    source = {id(s): s.layer for s in inputs if s.layer is not None}
    operations: dict[int, Any] = {id(layer): layer for layer in source.values()}
    for node in reversed(nodes):
        here = max(node_depth.get(id(node), 0), depth.get(id(node.operation), 0))
        operations[id(node.operation)] = node.operation
        depth[id(node.operation)] = here
        for symbol in inputs_of(node):
            if id(symbol) in source:
                layer = source[id(symbol)]
                depth[id(layer)] = max(depth.get(id(layer), 0), here + 1)
            elif symbol.node is not None:
                before = node_depth.get(id(symbol.node), 0)
                node_depth[id(symbol.node)] = max(before, here + 1)
    ranked = sorted(operations, key=lambda k: (-depth.get(k, 0), order.get(k, len(order))))
    return [operations[k] for k in ranked]


def _search_order(inputs: list[Symbol], outputs: list[Symbol]) -> dict[int, int]:
    """Number of each operation in the order in which a depth-first search first meets it."""
    given = {id(s) for s in inputs}
    order: dict[int, int] = {}
    seen: set[int] = set()
    waiting = list(reversed(outputs))
    while waiting:
        symbol = waiting.pop()
        entrance = id(symbol) in given
        operation = symbol.layer if entrance else symbol.node.operation  # type: ignore[union-attr]
        order.setdefault(id(operation), len(order))
        if entrance or id(symbol.node) in seen:
            continue
        seen.add(id(symbol.node))
        waiting += reversed(inputs_of(symbol.node))  # type: ignore[arg-type]
    return order
