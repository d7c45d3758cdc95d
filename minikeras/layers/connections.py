"""How layers are connected in a graph of symbols: a node for each call on symbols."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..core import tree
from ..core.names import auto_name
from ..graph.symbol import Node, Symbol
from .call_context import call_context


def connect(layer: Any, args: tuple, kwargs: dict[str, Any], outputs: Any) -> Any:
    """Symbols like `outputs` that say of themselves that this call of `layer` made them."""
    node = Node(layer, args, kwargs, [])

    def made(symbol: Any) -> Any:
        if not isinstance(symbol, Symbol):
            return symbol
        one = Symbol(symbol.shape, symbol.dtype, auto_name("keras_tensor"), node, len(node.outputs))
        one.mask = symbol.mask
        node.outputs.append(one)
        return one

    outputs = tree.map_structure(made, outputs)
    note(node)
    return outputs


def note(node: Node) -> None:
    """Let a layer know of a call of it."""
    node.operation.__dict__.setdefault("_nodes", []).append(node)


@contextmanager
def only_shapes() -> Iterator[None]:
    """Within the block calls on symbols leave no trace in the layers: only shapes are asked for."""
    before, call_context.connects = call_context.connects, False
    try:
        yield
    finally:
        call_context.connects = before


class Connected:
    """What a layer knows of its place in a graph: the symbols of its first call."""

    name: str

    @property
    def input(self) -> Any:
        """The symbol(s) that the layer was first called on."""
        node = self._first_node("input")
        return node.args[0] if node.args else next(iter(node.kwargs.values()))

    @property
    def output(self) -> Any:
        """The symbol(s) that the layer's first call gave."""
        node = self._first_node("output")
        return node.outputs[0] if len(node.outputs) == 1 else node.outputs

    def _first_node(self, what: str) -> Node:
        nodes = self.__dict__.get("_nodes")
        if not nodes:
            raise AttributeError(unconnected(self, what))
        return nodes[0]


def unconnected(layer: Any, what: str) -> str:
    """The message for a layer that no graph holds."""
    return (
        f"Layer '{layer.name}' has no {what} yet: it was not called on symbols. Call it on an "
        "`Input`, or add it to a model that starts with one."
    )
