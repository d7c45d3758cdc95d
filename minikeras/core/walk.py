"""Finding what objects hold by walking their attributes and the containers in them.

The walk knows no class of ours: the caller says what to collect, what to enter, and what to skip.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any

__all__ = ["attributes", "members", "private_last", "walk"]

_CONTAINERS = (list, tuple, dict)

Skip = Callable[[Any], Iterable[str]]


def walk(
    root: Any,
    wanted: Callable[[Any], bool],
    enter: Callable[[Any], bool],
    skip: Skip = lambda owner: (),
    key: Callable[[str], Any] | None = None,
) -> Iterator[tuple[tuple, Any]]:
    """Yield (path, value) of every `wanted` value below `root`, each once, at its first path.

    Attributes of `root` and of every value that `enter` accepts are followed in the order of their
    creation, or sorted by `key` (see `private_last`); lists, tuples and dicts are looked into.
    `skip(owner)` names attributes of `owner` that are bookkeeping. A path holds attribute names,
    indices and dict keys.

    >>> class Box:
    ...     def __init__(self, *items): self.items, self.lid = list(items), 1.5
    >>> list(walk(Box(2.5, Box()), lambda v: isinstance(v, float), lambda v: isinstance(v, Box)))
    [(('items', 0), 2.5), (('items', 1, 'lid'), 1.5), (('lid',), 1.5)]
    """
    seen = {id(root)}
    yield from _below(root, (), wanted, enter, skip, key, seen)


def members(owner: Any, wanted: Callable[[Any], bool], skip: Skip = lambda owner: ()) -> list[Any]:
    """The `wanted` values that `owner` holds itself, in attributes or in containers there."""
    found: list[Any] = []
    hidden = frozenset(skip(owner))
    own = [value for name, value in _variables(owner) if name not in hidden]
    _collect(own, wanted, {id(owner)}, found)
    return found


def attributes(
    owner: Any, skip: Skip = lambda owner: (), key: Callable[[str], Any] | None = None
) -> list[tuple[str, Any]]:
    """(name, value) of the attributes set on `owner`, without those that `skip(owner)` names."""
    hidden = frozenset(skip(owner))
    pairs = [(name, value) for name, value in _variables(owner) if name not in hidden]
    return pairs if key is None else sorted(pairs, key=lambda pair: key(pair[0]))


def private_last(name: str) -> str:
    """The sort key of Keras's weight files: by name, those with a leading underscore at the end."""
    return f"~{name}" if name.startswith("_") else name


def _below(
    owner: Any, path: tuple, wanted: Callable, enter: Callable, skip: Skip, key: Any, seen: set[int]
) -> Iterator[tuple[tuple, Any]]:
    for name, value in _parts(owner, skip, key):
        here = (*path, name)
        collect, open_ = wanted(value), _is_container(value) or enter(value)
        if not (collect or open_):
            continue
        # the interpreter shares small numbers and strings: only objects with parts count as one
        if open_ or hasattr(value, "__dict__"):
            if id(value) in seen:
                continue
            seen.add(id(value))
        if collect:
            yield here, value
        if open_:
            yield from _below(value, here, wanted, enter, skip, key, seen)


def _collect(values: Iterable[Any], wanted: Callable, seen: set[int], found: list[Any]) -> None:
    """As `_below` where only containers are entered; asked so often that it has to be quick."""
    for value in values:
        collect, container = wanted(value), isinstance(value, _CONTAINERS)
        if not (collect or container):
            continue
        if container or hasattr(value, "__dict__"):
            if id(value) in seen:
                continue
            seen.add(id(value))
        if collect:
            found.append(value)
        if container:
            inner = list(value.values()) if isinstance(value, dict) else value
            _collect(inner, wanted, seen, found)


def _parts(owner: Any, skip: Skip, key: Any) -> Iterable[tuple[Any, Any]]:
    if isinstance(owner, dict):
        return list(owner.items())
    return enumerate(owner) if isinstance(owner, list | tuple) else attributes(owner, skip, key)


def _variables(owner: Any) -> list[tuple[str, Any]]:
    """Attributes kept in `__dict__` and in slots."""
    pairs = list(getattr(owner, "__dict__", {}).items())
    slots = _slots_of(type(owner))
    return pairs + [(name, getattr(owner, name)) for name in slots if hasattr(owner, name)]


@lru_cache(maxsize=1024)
def _slots_of(kind: type) -> list[str]:
    found: list[str] = []
    for cls in kind.__mro__:
        slots = cls.__dict__.get("__slots__", ())
        found += (slots,) if isinstance(slots, str) else slots
    return [name for name in found if name not in ("__dict__", "__weakref__")]


def _is_container(value: Any) -> bool:
    return isinstance(value, _CONTAINERS)
