"""Arrays that take a mask from one layer to the next, where no model and no tape is at work."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autodiff.tensor import Tensor


class Masked(np.ndarray):
    """An array with the mask of its steps, `_keras_mask`; what is computed from it has none.

    Example:

    >>> import numpy as np, minikeras as keras
    >>> words = keras.layers.Embedding(9, 4, mask_zero=True)(np.array([[3, 5, 0]]))
    >>> words._keras_mask
    array([[ True,  True, False]])
    >>> (2 * words)._keras_mask is None
    True
    """

    _keras_mask: Any = None

    def tensor(self) -> Tensor:
        """The same numbers, and the mask where layers look for it."""
        tensor = Tensor(self.view(np.ndarray))
        tensor.mask = self._keras_mask
        return tensor


def with_mask(array: Any, mask: Any) -> Any:
    """A view of an array that says which of its steps count."""
    masked = np.asarray(array).view(Masked)
    masked._keras_mask = np.asarray(mask.value if isinstance(mask, Tensor) else mask)
    return masked


def marked(values: list[Any], masks: list[Any]) -> list[Any]:
    """Values that carry masks (of which some may be None)."""
    found = []
    for value, mask in zip(values, masks, strict=True):
        if mask is not None:
            value = value if hasattr(value, "mask") else Tensor(np.asarray(value))
            value.mask = mask
        found.append(value)
    return found
