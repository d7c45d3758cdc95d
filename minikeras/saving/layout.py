"""Where the state of each layer lies in a weights file: Keras's layout, by walking attributes.

A layer is anything with `trainable_weights`. Its own variables go to `<path>/vars`; the layers it
holds are found in its attributes, sorted, private names last. A model lists them in `layers`, which
comes first, unless it sets `_owns_layers = False` because they are its attributes. `_bookkeeping`
of a class names attributes that are not looked at. Layer names play no role.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from ..core.names import to_snake_case
from ..core.walk import attributes, private_last

__all__ = ["holders", "is_layer", "legacy_weights", "own_variables"]


def holders(model: Any) -> list[tuple[str, Any]]:
    """(path, layer) of the model (at "") and of every layer in it, each at its first path."""
    found: list[tuple[str, Any]] = []
    seen: set[int] = set()

    def visit(path: str, layer: Any) -> None:
        if id(layer) in seen:
            return
        seen.add(id(layer))
        found.append((path, layer))
        for name, child in _children(layer):
            visit(f"{path}/{name}" if path else name, child)

    visit("", model)
    return found


def own_variables(layer: Any) -> list[Any]:
    """The weights of a layer without those of the layers it holds."""
    inner = {id(weight) for _, child in _children(layer) for weight in child.weights}
    return [weight for weight in layer.weights if id(weight) not in inner]


def legacy_weights(layer: Any) -> list[Any]:
    """All weights of a layer in the order of HDF5 files of old: trainable ones first."""
    return [*layer.trainable_weights, *layer.non_trainable_weights]


def is_layer(value: Any) -> bool:
    """Whether an object has weights of its own to save."""
    return hasattr(type(value), "trainable_weights")


def _children(owner: Any) -> Iterator[tuple[str, Any]]:
    for name, value in _parts(owner):
        if is_layer(value):
            yield name, value
        elif isinstance(value, list | tuple | dict):
            for tail, layer in _contained(value, set()):
                yield f"{name}/{tail}", layer


def _parts(owner: Any) -> list[tuple[str, Any]]:
    found = attributes(owner, _bookkeeping, private_last)
    if not hasattr(type(owner), "layers"):
        return found
    listed = ("layers", list(owner.layers))
    if getattr(owner, "_owns_layers", True):
        return [listed, *found]
    return sorted([listed, *found], key=lambda part: private_last(part[0]))


def _bookkeeping(owner: Any) -> Iterable[str]:
    return {name for cls in type(owner).__mro__ for name in cls.__dict__.get("_bookkeeping", ())}


def _contained(container: Any, seen: set[int]) -> Iterator[tuple[str, Any]]:
    """(name, layer) in a container: snake case of the class, counted; inner containers likewise."""
    if id(container) in seen:
        return
    seen.add(id(container))
    counts: dict[str, int] = {}
    for value in container.values() if isinstance(container, dict) else container:
        if is_layer(value):
            yield _counted(to_snake_case(type(value).__name__), counts), value
        elif isinstance(value, list | tuple | dict):
            name = _counted("container", counts)
            for tail, layer in _contained(value, seen):
                yield f"{name}/{tail}", layer


def _counted(name: str, counts: dict[str, int]) -> str:
    number = counts.get(name, 0)
    counts[name] = number + 1
    return f"{name}_{number}" if number else name
