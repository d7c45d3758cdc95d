"""A nest of plain values and arrays as what a file holds: one JSON value and numbered arrays."""

from typing import Any

import numpy as np

__all__ = ["flatten_state", "unflatten_state"]

KEY = "run"
_ARRAY, _PAIRS, _TUPLE = "__array__", "__pairs__", "__tuple__"


def flatten_state(state: Any) -> dict[str, Any]:
    """The nest as a JSON value under "run" and its arrays under "run_0", "run_1", ...

    Dicts keep their keys (numbers too), tuples stay tuples, numpy scalars become Python's.
    Raises TypeError for anything but numbers, text, None, arrays, lists, tuples and dicts.

    >>> sorted(flatten_state({"best": 0.5, "weights": [np.zeros(2)]}))
    ['run', 'run_0']
    """
    arrays: list[np.ndarray] = []
    return {KEY: _plain(state, arrays), **{f"{KEY}_{i}": a for i, a in enumerate(arrays)}}


def unflatten_state(stored: dict[str, Any]) -> Any:
    """The nest that `flatten_state` took apart, None if there is none."""
    return _nested(stored.get(KEY), stored)


def _plain(value: Any, arrays: list[np.ndarray]) -> Any:
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        arrays.append(value)
        return {_ARRAY: len(arrays) - 1}
    if isinstance(value, list):
        return [_plain(v, arrays) for v in value]
    if isinstance(value, tuple):
        return {_TUPLE: [_plain(v, arrays) for v in value]}
    if isinstance(value, dict):
        return {_PAIRS: [[_plain(k, arrays), _plain(v, arrays)] for k, v in value.items()]}
    raise TypeError(
        "The state of a run is made of numbers, text, None, numpy arrays, lists, tuples and dicts. "
        f"Received: {value!r} (of type {type(value).__name__})."
    )


def _nested(value: Any, stored: dict[str, Any]) -> Any:
    if isinstance(value, list):
        return [_nested(v, stored) for v in value]
    if not isinstance(value, dict):
        return value
    if _ARRAY in value:
        return stored[f"{KEY}_{value[_ARRAY]}"]
    if _TUPLE in value:
        return tuple(_nested(v, stored) for v in value[_TUPLE])
    return {_nested(k, stored): _nested(v, stored) for k, v in value[_PAIRS]}
