"""What users call data (arrays, lists of numbers, tables and tensors of other libraries) as plain
arrays.

The dtypes that leave here are few: the default float type, int64, int32 and uint8. An array that
already has one of them, C-contiguous and aligned, is kept as it is: not a byte of it is copied.
"""

import numbers
from collections.abc import Callable
from typing import Any

import numpy as np

from ..core import settings, tree
from ..core.text import as_text, is_text

__all__ = [
    "count_samples",
    "float_dtype",
    "is_number_list",
    "kept_dtype",
    "named_leaves",
    "to_array",
    "to_array_or_text",
    "to_nest",
]

# Other integer types go to the smallest kept type that holds all their values.
_INTEGERS = {
    **{"bool": "uint8", "uint8": "uint8"},
    **{"int8": "int32", "int16": "int32", "uint16": "int32", "int32": "int32"},
    **{"uint32": "int64", "int64": "int64", "uint64": "int64"},
}
_EXTRA_FLOATS = ("bfloat16", "float8")  # of ml_dtypes; numpy gives them the kind of raw bytes
_NOT_NUMBERS = {
    "O": "mixed Python objects. Convert its columns to numbers first, as in "
    "`table.astype('float32')`; text needs an encoding, a missing value a number",
    "U": "text. Encode it as numbers first",
    "S": "bytes. Encode it as numbers first",
    "c": "complex numbers. Pass real and imaginary parts as separate features",
    "M": "dates. Convert them to numbers first",
    "m": "time spans. Convert them to numbers first",
}


def float_dtype() -> str:
    """The float type that data is brought to: the default one where kernels exist for it."""
    return "float64" if settings.floatx() == "float64" else "float32"


def kept_dtype(dtype: np.dtype, shape: tuple[int, ...], name: str) -> str:
    """The dtype that an array (of this shape, for messages) has after `to_array`.

    Raises ValueError for one that does not hold numbers.
    """
    if dtype.kind == "f" or dtype.name.startswith(_EXTRA_FLOATS):
        return float_dtype()
    if dtype.kind not in "biu":
        what = _NOT_NUMBERS.get(dtype.kind, "values that are not numbers")
        raise ValueError(
            f"`{name}` must hold numbers. Received an array of shape {shape} and dtype "
            f"{dtype}, which holds {what}."
        )
    return _INTEGERS[dtype.name]


def to_array(value: Any, name: str = "x") -> np.ndarray:
    """One array-like as a C-contiguous numpy array with at least one axis.

    Takes arrays, lists of numbers, and whatever offers `__array__` (pandas, torch, jax). Floats
    become the default float type. Raises TypeError for what is no array, ValueError for what holds
    no numbers.

    >>> to_array([[1, 2.5], [3, 4]]).dtype
    dtype('float32')
    """
    array = _as_numpy(value, name)
    if array.ndim == 0:
        raise ValueError(
            f"`{name}` must be an array whose first axis counts the samples. "
            f"Received one number: {value!r}. Put it in a list."
        )
    kind = np.dtype(str) if array.dtype == object and is_text(array) else array.dtype
    dtype = kept_dtype(kind, array.shape, name)
    if dtype == "int64" and array.dtype == np.uint64 and array.size and array.max() >= 2**63:
        raise ValueError(
            f"`{name}` holds integers of 2**63 and more, which int64 cannot hold. Received: dtype "
            f"uint64, largest value {array.max()}. Convert it to float first."
        )
    return np.require(array, dtype, ["C_CONTIGUOUS", "ALIGNED"])


def to_array_or_text(value: Any, name: str = "x") -> np.ndarray:
    """As `to_array`, but text stays text: an array of `str` objects.

    >>> to_array_or_text(["to be", "or not"])
    array(['to be', 'or not'], dtype=object)
    """
    array = _as_numpy(value, name)
    text = is_text(array)
    if array.dtype == object and not text:  # perhaps text with missing values
        text = any(isinstance(item, str | bytes) for item in array.flat)
    return as_text(array, name) if array.ndim and text else to_array(array, name)


def to_nest(value: Any, name: str = "x", convert: Callable[[Any, str], Any] = to_array) -> Any:
    """A nest (list, tuple, dict) of array-likes as the same nest of arrays; None stays None.

    A list of numbers, or of lists of numbers, is one array; a list of arrays is a nest. `convert`
    makes the array of a leaf and its name.
    """
    if not tree.is_nested(value):
        return None if value is None else convert(value, name)
    value = tree.traverse(
        lambda part: _as_numpy(part, name) if is_number_list(part) else None, value
    )
    arrays = [
        None if leaf is None else convert(leaf, leaf_name)
        for leaf_name, leaf in named_leaves(value, name)
    ]
    if not arrays:
        raise ValueError(f"`{name}` must hold at least one array. Received: {value!r}.")
    return tree.unflatten_as(value, arrays)


def named_leaves(nest: Any, name: str) -> list[tuple[str, Any]]:
    """Pairs of a name to show in messages, such as `x['image']`, and a leaf, in `tree.flatten`'s
    order.

    >>> [leaf_name for leaf_name, leaf in named_leaves({"a": 1, "b": [2]}, "x")]
    ["x['a']", "x['b'][0]"]
    """
    return [
        (name + "".join(f"[{key!r}]" for key in path), leaf)
        for path, leaf in tree.flatten_with_path(nest)
    ]


def count_samples(parts: dict[str, Any]) -> int:
    """The number of samples in nests of arrays, given by name: first axes must agree, not be 0."""
    sizes = [
        (leaf_name, len(leaf))
        for name, nest in parts.items()
        for leaf_name, leaf in named_leaves(nest, name)
        if leaf is not None
    ]
    if not sizes:
        raise ValueError("`x` must hold at least one array. Received: only None.")
    counts = {count for _, count in sizes}
    if len(counts) == 1 and counts != {0}:
        return counts.pop()
    listed = ", ".join(f"{name} {count}" for name, count in sizes)
    if len(counts) > 1:
        raise ValueError(
            "All arrays must have the same number of samples (their first axis). "
            f"Received: {listed}. Check how they were loaded or sliced."
        )
    raise ValueError(f"The data is empty: at least one sample is needed. Received: {listed}.")


def is_number_list(part: Any) -> bool:
    """Whether a part of a nest is a list of numbers (or of lists of them): one array, no nest."""
    if not isinstance(part, list | tuple):
        return False
    first = part
    while isinstance(first, list | tuple) and first:
        first = first[0]
    return isinstance(first, numbers.Number | str | bytes | np.generic) or part == []


def _as_numpy(value: Any, name: str) -> np.ndarray:
    if type(value) is np.ndarray:
        return value
    _refuse_look_alikes(value, name)
    for step in ("detach", "cpu"):  # torch: out of the graph, off the accelerator
        if hasattr(value, step) and hasattr(value, "__array__"):
            value = getattr(value, step)()
    if not isinstance(value, list | tuple | numbers.Number) and not hasattr(value, "__array__"):
        raise TypeError(
            f"`{name}` must be an array, a list of numbers, or an object that numpy can convert "
            f"(pandas, torch, jax). Received an object of type {type(value).__name__}."
        )
    try:
        return np.asarray(value)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"`{name}` could not be made an array: {error}. Rows of different lengths must be "
            "padded to one length first."
        ) from error


def _refuse_look_alikes(value: Any, name: str) -> None:
    """Arrays that numpy would convert to something else than what they mean."""
    if np.ma.isMaskedArray(value) and np.ma.is_masked(value):
        raise ValueError(
            f"`{name}` is a masked array with masked entries, which a model cannot leave out. "
            f"Replace them first, as in `{name}.filled(0)`."
        )
    if hasattr(value, "tocoo"):
        raise TypeError(
            f"`{name}` is a sparse matrix ({type(value).__name__}), which is not supported. "
            f"Make it dense with `{name}.toarray()`."
        )
