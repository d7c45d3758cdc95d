"""What did the user pass as data: arrays, an iterable of batches, or batches by index?"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..core import tree
from .dataset import PyDataset

__all__ = ["data_kind"]


def data_kind(x: Any, name: str = "x") -> str:
    """ "arrays", "indexed" (a `PyDataset` or its like) or "stream" (any other iterable of batches).

    Raises TypeError for what is no data, saying what to do.

    >>> data_kind([[1.0, 2.0]]), data_kind(iter([])), data_kind(PyDataset())
    ('arrays', 'stream', 'indexed')
    """
    if type(x) is np.ndarray or tree.is_nested(x) or hasattr(x, "__array__"):
        return "arrays"
    if hasattr(x, "tocoo") or (hasattr(x, "shape") and hasattr(x, "dtype")):
        return "arrays"  # or so much like one that its message is that of arrays (sparse matrices)
    if x is None:
        raise ValueError(f"`{name}` must hold the data. Received: None.")
    if isinstance(x, PyDataset) or _looks_indexed(x):
        return "indexed"
    if isinstance(x, Mapping):
        raise TypeError(
            f"`{name}` must be an array, or a dict of arrays by the names of the inputs. Received: "
            f"{type(x).__name__} with the keys {', '.join(map(repr, list(x)[:5]))}. Pick from it, "
            f"as in `{name}=data[{next(iter(x), 'x')!r}]`."
        )
    if isinstance(x, str | bytes):
        raise TypeError(f"`{name}` must hold data, not text. Received: {x!r}. Load the file first.")
    if hasattr(x, "__iter__") and not isinstance(x, type):
        return "stream"
    raise TypeError(
        f"`{name}` must be an array (or a nest of arrays), a generator or another iterable of "
        f"batches, or a PyDataset. Received: {type(x).__name__}.{_advice(x)}"
    )


def _looks_indexed(x: Any) -> bool:
    """Whether it is somebody else's PyDataset (Keras's, for example)."""
    return hasattr(x, "__getitem__") and hasattr(x, "on_epoch_end") and not isinstance(x, type)


def _advice(x: Any) -> str:
    if isinstance(x, type):
        return f" Create an object of it: `{x.__name__}(...)`."
    if callable(x):
        return f" Call it: `{getattr(x, '__name__', 'it')}()`."
    if hasattr(x, "__getitem__") and hasattr(x, "__len__"):
        return " For a data set of single samples use a loader that makes batches of them."
    return ""
