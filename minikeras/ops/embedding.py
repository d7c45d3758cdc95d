"""Rows of a table, looked up by number."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import kernels
from ..autodiff.primitive import Primitive, parts
from ..autodiff.spec import Spec, as_array
from ..graph.abstract import symbolic
from .core import cast
from .shapes import getitem

NUMBERS = {"int32": "int32", "int64": "int64", "float32": "float", "float64": "float"}


def _specs(table: Spec, ids: Spec) -> list[Spec]:
    """The rows, and their numbers as indices that count from the beginning."""
    return [Spec((*ids.shape, table.shape[1]), table.dtype), Spec((ids.size,), "int64")]


def _bytes(rows: np.ndarray) -> np.ndarray:
    return rows.view(np.uint8)


def _forward(ins: list, outs: list) -> list:
    table, ids = ins
    y, index = outs
    kernel = f"row_numbers_{NUMBERS[ids.dtype.name]}"
    rows = y.reshape(index.size, table.shape[1])
    return [
        kernels.launch(kernel, ids.reshape(-1), len(table), index, tasks=parts(ids.size)),
        kernels.launch("gather_rows", _bytes(table), index, 0, _bytes(rows), tasks=parts(y.size)),
    ]


def column_tasks(width: int, numbers: int) -> int:
    """Parts in which columns are summed: whole cache lines, and enough work for each."""
    return max(1, min(width // 32, parts(numbers, 4096)))


def _grad(ins: list, outs: list, rows: int) -> list:
    g, index = ins
    table = outs[0]
    width = table.shape[1]
    return [
        kernels.launch("clear", table.reshape(-1), tasks=parts(table.size)),
        kernels.launch(
            "add_rows", g.reshape(-1, width), index, table, tasks=column_tasks(width, g.size)
        ),
    ]


gradient = Primitive(
    "embedding_grad", lambda g, index, rows: Spec((rows, g.shape[-1]), g.dtype), _grad
)


def _pull(g: Any, ins: Any, outs: Any, needed: Any) -> list:
    return [gradient(g, outs[1], rows=ins[0].shape[0]) if needed[0] else None, None]


def _composite(table: Any, ids: Any) -> Any:
    return getitem(table, cast(ids, "int64"))


_embedding = Primitive("embedding", _specs, _forward, _pull, composite=_composite)


@symbolic
def embedding(table: Any, ids: Any) -> Any:
    """The rows of a table (rows, width) that numbers of any shape mean: (\\*shape, width).

    Floats are cut to whole numbers; negative numbers count from the end.

    Raises:
        ValueError: A number is no row of the table.

    >>> import numpy as np
    >>> from minikeras.ops.embedding import embedding
    >>> embedding(np.float32([[1, 2], [3, 4]]), [1, 0, -1])
    array([[3., 4.],
           [1., 2.],
           [3., 4.]], dtype=float32)
    """
    ids = ids if hasattr(ids, "dtype") else as_array(ids)
    if np.dtype(ids.dtype).name not in NUMBERS:
        ids = cast(ids, "int64")
    try:
        return _embedding(table, ids)
    except kernels.KernelError:
        raise ValueError(_no_rows(np.asarray(ids), table.shape[0])) from None


def _no_rows(ids: np.ndarray, rows: int) -> str:
    with np.errstate(invalid="ignore"):
        wrong = np.unique(ids[~((ids < rows) & (ids > -rows - 1))])
    listed = ", ".join(f"{number:g}" for number in wrong[:5])
    return (
        f"Numbers that are looked up in a table of {rows} rows (an Embedding's input_dim) must lie "
        f"between 0 and {rows - 1}; negative ones count from the end. "
        f"Received: {listed}{' and others' if len(wrong) > 5 else ''}."
    )
