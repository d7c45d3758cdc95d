"""Batches as `(x, y, sample_weight)`, and back."""

from typing import Any

__all__ = ["pack_x_y_sample_weight", "unpack_batch", "unpack_x_y_sample_weight"]


def unpack_x_y_sample_weight(data: Any) -> tuple[Any, Any, Any]:
    """`(x, y, sample_weight)` of a tuple (or list) of up to three; what is missing is None.

    Anything else (an array, a dict of arrays) is `x` alone. Raises ValueError for a tuple that is
    empty or longer.

    >>> unpack_x_y_sample_weight(([1], [2]))
    ([1], [2], None)
    """
    if not isinstance(data, list | tuple):
        return data, None, None
    if not 1 <= len(data) <= 3:
        raise ValueError(
            "Data must be `x`, `(x,)`, `(x, y)` or `(x, y, sample_weight)`. "
            f"Received: a {type(data).__name__} of length {len(data)}."
        )
    x, y, sample_weight = (*data, None, None)[:3]
    return x, y, sample_weight


def pack_x_y_sample_weight(x: Any, y: Any = None, sample_weight: Any = None) -> Any:
    """The tuple that `fit` takes as one batch; a single input without targets stays as it is.

    >>> pack_x_y_sample_weight([1.0], [2.0])
    ([1.0], [2.0])
    """
    if y is None:
        return (x,) if isinstance(x, list | tuple) else x
    return (x, y) if sample_weight is None else (x, y, sample_weight)


def unpack_batch(batch: Any, owner: str) -> tuple[Any, Any, Any]:
    """`(x, y, sample_weight)` of what `owner` (named in messages) gave as one batch."""
    expected = f"{owner} must give batches `(x, y)`, `(x, y, sample_weight)` or `x`."
    if batch is None or isinstance(batch, str | bytes | int | float):
        raise TypeError(f"{expected} Received: {batch!r}. Give whole batches of arrays.")
    if isinstance(batch, list | tuple) and not 1 <= len(batch) <= 3:
        advice = "For several inputs put their arrays in a tuple or dict of their own, as `x`."
        raise ValueError(
            f"{expected} Received: a {type(batch).__name__} of length {len(batch)}. {advice}"
        )
    return unpack_x_y_sample_weight(batch)
