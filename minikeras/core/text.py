"""Arrays of text: of objects that are all `str`, whatever they were given as."""

from typing import Any

import numpy as np

__all__ = ["SYMBOL_DTYPE", "as_text", "is_text", "symbol_dtype"]

SYMBOL_DTYPE = "string"  # what symbols and inputs of models call it, as in Keras


def is_text(value: Any) -> bool:
    """Whether an array holds text: `str` or `bytes`, of numpy's own types or as objects.

    >>> is_text(np.array(["a", "bc"])), is_text(np.array(["a"], object)), is_text(np.ones(2))
    (True, True, False)
    """
    kind = getattr(getattr(value, "dtype", None), "kind", "")
    if kind != "O":
        return kind in ("U", "S", "T")
    flat = np.asarray(value).reshape(-1)
    return len(flat) > 0 and isinstance(flat[0], str | bytes)


def as_text(value: Any, name: str = "inputs", encoding: str = "utf-8") -> np.ndarray:
    """Text, or lists or an array of it, as an array of `str` objects; bytes are decoded.

    Raises ValueError for what is no text, for lists of different lengths, and for bytes that the
    encoding does not know.

    >>> as_text([["to be"], [b"or not"]])
    array([['to be'],
           ['or not']], dtype=object)
    """
    array = value if isinstance(value, np.ndarray) else np.asarray(value, dtype=object)
    if array.dtype.kind in "UST":
        array = array.astype(object)
    elif array.dtype.kind != "O":
        raise ValueError(
            f"`{name}` must hold text. Received: an array of {array.dtype} of shape {array.shape}."
        )
    found = {type(item) for item in array.reshape(-1)}
    if found <= {str}:
        return array
    wrong = [kind for kind in found if not issubclass(kind, str | bytes)]
    if wrong:
        if list in wrong or tuple in wrong:
            raise ValueError(
                f"`{name}` must be text in lists of one length. Received: lists of different "
                "lengths."
            )
        raise ValueError(
            f"`{name}` must hold text. Received: also values of type {wrong[0].__name__}."
        )
    return _decoded(array, name, encoding)


def symbol_dtype(dtype: str) -> str:
    """What symbols call the dtype of an array.

    >>> symbol_dtype("object"), symbol_dtype("int64")
    ('string', 'int64')
    """
    return SYMBOL_DTYPE if dtype == "object" or dtype.startswith(("str", "bytes")) else dtype


def _decoded(array: np.ndarray, name: str, encoding: str) -> np.ndarray:
    try:
        flat = [
            item.decode(encoding) if isinstance(item, bytes) else str(item) for item in array.flat
        ]
    except UnicodeDecodeError as error:
        raise ValueError(
            f"`{name}` holds bytes that are no {encoding} text: {error}. Name their encoding."
        ) from error
    result = np.empty(len(flat), object)
    result[:] = flat
    return result.reshape(array.shape)
