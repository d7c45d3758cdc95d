"""Nests: lists, tuples, named tuples and dicts of leaves, taken apart and put together again.

Leaves of a dict come in the order of its sorted keys (an `OrderedDict` keeps its own order);
`None` is a leaf.
"""

from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Any

__all__ = [
    "MAP_TO_NONE",
    "assert_same_paths",
    "assert_same_structure",
    "flatten",
    "flatten_with_path",
    "is_nested",
    "lists_to_tuples",
    "map_shape_structure",
    "map_structure",
    "map_structure_up_to",
    "pack_sequence_as",
    "traverse",
    "unflatten_as",
]


class MAP_TO_NONE:  # noqa: N801 - the public name in Keras
    """What a function given to `traverse` returns to put None in a place."""


def is_nested(structure: Any) -> bool:
    """Whether this is a list, tuple or dict (also an empty one), rather than a leaf."""
    return isinstance(structure, list | tuple | dict)


def flatten(structure: Any) -> list[Any]:
    """The leaves from left to right.

    >>> flatten({"b": [1, (2, None)], "a": 3})
    [3, 1, 2, None]
    """
    return [leaf for _, leaf in _leaves(structure, ())]


def flatten_with_path(structure: Any) -> list[tuple[tuple, Any]]:
    """Pairs of path (keys and indices from the root) and leaf, in the order of `flatten`."""
    return list(_leaves(structure, ()))


def map_structure(function: Callable, *structures: Any) -> Any:
    """The nest of `function(leaf of the first, leaf of the second, ...)`; all nests must agree.

    >>> map_structure(lambda a, b: a + b, {"x": 1, "y": [2]}, {"x": 10, "y": [20]})
    {'x': 11, 'y': [22]}
    """
    if not structures:
        raise ValueError("map_structure needs at least one structure.")
    for other in structures[1:]:
        _compare(structures[0], other, (), "map_structure")
    return _map(function, structures)


def map_structure_up_to(shallow: Any, function: Callable, *structures: Any) -> Any:
    """As `map_structure`, but what lies below a leaf of `shallow` is handed over whole."""
    rows = [_parts_up_to(shallow, structure, "map_structure_up_to") for structure in structures]
    results = [function(*parts) for parts in zip(*rows, strict=True)]
    return unflatten_as(shallow, results)


def map_shape_structure(function: Callable, structure: Any) -> Any:
    """The nest of `function(shape)`, where a list or tuple of sizes counts as one leaf."""
    if _is_shape(structure):
        return function(structure)
    if not is_nested(structure):
        raise ValueError(f"A nest of shapes was expected. Received: {structure!r}.")
    children = [(key, map_shape_structure(function, child)) for key, child in _items(structure)]
    return rebuild(structure, dict(children))


def pack_sequence_as(structure: Any, flat_sequence: Iterable[Any]) -> Any:
    """The nest shaped as `structure` with the leaves of `flat_sequence`, in `flatten`'s order."""
    leaves = list(flat_sequence)
    wanted = len(flatten(structure))
    if len(leaves) != wanted:
        raise ValueError(f"The structure has {wanted} leaves. Received: {len(leaves)} values.")
    return unflatten_as(structure, leaves)


def unflatten_as(structure: Any, leaves: Iterable[Any]) -> Any:
    """As `pack_sequence_as`, for leaves known to be as many as needed."""
    return _unflatten(structure, iter(leaves))


def assert_same_structure(a: Any, b: Any) -> None:
    """Raise a ValueError naming the first place where two nests differ in type, length or keys."""
    _compare(a, b, (), "assert_same_structure")


def assert_same_paths(a: Any, b: Any) -> None:
    """Raise a ValueError unless both nests have leaves at the same paths (lists match tuples)."""
    left, right = ([path for path, _ in flatten_with_path(tree)] for tree in (a, b))
    if left != right:
        missing = set(left) ^ set(right)
        raise ValueError(
            f"The structures have leaves at different paths: {sorted(missing, key=str)}."
        )


def traverse(function: Callable, structure: Any, top_down: bool = True) -> Any:
    """Replace sub-nests and leaves by `function(part)` where that is not None.

    Top-down a replaced part is not entered; bottom-up the children are replaced first.
    Return `MAP_TO_NONE` to put None in a place.
    """
    replaced = function(structure) if top_down else None
    if replaced is not None:
        return _none_or(replaced)
    if is_nested(structure):
        children = {key: traverse(function, child, top_down) for key, child in _items(structure)}
        structure = rebuild(structure, children)
    replaced = None if top_down else function(structure)
    return structure if replaced is None else _none_or(replaced)


def lists_to_tuples(structure: Any) -> Any:
    """The same nest with tuples in place of lists."""
    return traverse(lambda part: tuple(part) if isinstance(part, list) else None, structure, False)


def _items(structure: Any) -> list[tuple[Any, Any]]:
    """(key or index, child) in leaf order."""
    if not isinstance(structure, dict):
        return list(enumerate(structure))
    if isinstance(structure, OrderedDict):
        return list(structure.items())
    try:
        return [(key, structure[key]) for key in sorted(structure)]
    except TypeError:  # keys that cannot be compared keep the order they came in
        return list(structure.items())


def rebuild(structure: Any, children: dict) -> Any:
    """A container like `structure` with other children, given by key or index."""
    if isinstance(structure, dict):
        pairs = [(key, children[key]) for key in structure]
        if isinstance(structure, defaultdict):
            return defaultdict(structure.default_factory, pairs)
        return OrderedDict(pairs) if isinstance(structure, OrderedDict) else dict(pairs)
    values = [children[index] for index in range(len(structure))]
    if hasattr(structure, "_fields"):
        return type(structure)(*values)
    return tuple(values) if isinstance(structure, tuple) else values


def _leaves(structure: Any, path: tuple) -> Iterator[tuple[tuple, Any]]:
    if not is_nested(structure):
        yield path, structure
        return
    for key, child in _items(structure):
        yield from _leaves(child, (*path, key))


def _unflatten(structure: Any, leaves: Iterator) -> Any:
    if not is_nested(structure):
        return next(leaves)
    return rebuild(structure, {key: _unflatten(child, leaves) for key, child in _items(structure)})


def _map(function: Callable, structures: tuple) -> Any:
    if not is_nested(structures[0]):
        return function(*structures)
    # by key, not by position: an OrderedDict and a dict may list the same keys differently
    parts = [dict(_items(structure)) for structure in structures]
    mapped = {key: _map(function, tuple(part[key] for part in parts)) for key in parts[0]}
    return rebuild(structures[0], mapped)


def _compare(a: Any, b: Any, path: tuple, caller: str) -> None:
    place = "".join(f"[{key!r}]" for key in path) or "the root"
    if _kind(a) is not _kind(b):
        raise _mismatch(caller, place, _describe(a), _describe(b))
    if not is_nested(a):
        return
    left, right = dict(_items(a)), dict(_items(b))
    if left.keys() != right.keys():
        raise _mismatch(caller, place, _keys(a), _keys(b))
    for key, child in left.items():
        _compare(child, right[key], (*path, key), caller)


def _mismatch(caller: str, place: str, expected: str, received: str) -> ValueError:
    return ValueError(
        f"{caller}: the nested structures differ at {place}: "
        f"expected {expected}. Received: {received}."
    )


def _parts_up_to(shallow: Any, structure: Any, caller: str) -> list[Any]:
    if not is_nested(shallow):
        return [structure]
    keys, parts = dict(_items(shallow)), dict(_items(structure)) if is_nested(structure) else {}
    if keys.keys() != parts.keys():
        raise ValueError(f"{caller}: expected {_describe(shallow)}. Received: {structure!r}.")
    return [leaf for key in keys for leaf in _parts_up_to(keys[key], parts[key], caller)]


def _kind(structure: Any) -> Any:
    if not is_nested(structure):
        return None
    if hasattr(structure, "_fields"):
        return type(structure)
    return next(base for base in (dict, list, tuple) if isinstance(structure, base))


def _describe(structure: Any) -> str:
    return (
        f"a {type(structure).__name__} with {_keys(structure)}"
        if is_nested(structure)
        else "a leaf"
    )


def _keys(structure: Any) -> str:
    if isinstance(structure, dict):
        return f"keys {sorted(structure, key=str)}"
    return f"{len(structure)} entries"


def _is_shape(structure: Any) -> bool:
    return isinstance(structure, list | tuple) and all(
        size is None or isinstance(size, int) for size in structure
    )


def _none_or(value: Any) -> Any:
    return None if value is MAP_TO_NONE or isinstance(value, MAP_TO_NONE) else value
