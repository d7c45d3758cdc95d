"""A loss that is no number any more, and what the model tells of the cause."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from ..core import tree

LARGEST = 2**28  # bytes of data that are searched for what is no number


def warn_if_diverged(epoch: int, logs: dict[str, Any], model: Any, data: dict[str, Any]) -> bool:
    """Warn when a loss in the logs of an epoch is NaN or infinite; whether that was so.

    Args:
        epoch: The epoch, counted from 0.
        logs: Its logs.
        model: The model, whose weights and learning rate tell the likely causes.
        data: Nests of the training data by name, as far as they are in memory.
    """
    for name in ("loss", "val_loss"):
        value = logs.get(name, 0.0)
        if np.ndim(value) == 0 and not math.isfinite(value):
            warnings.warn(
                f"The {name} of epoch {epoch + 1} is {float(value)}. "
                f"{_in_data(data) or _in_model(model)}",
                stacklevel=2,
            )
            return True
    return False


def _in_data(data: dict[str, Any]) -> str:
    """Where the data hold what is no number; "" if they do not, or are too many to look."""
    for name, nest in data.items():
        for array in tree.flatten(nest):
            if type(array) is not np.ndarray or array.dtype.kind != "f" or array.nbytes > LARGEST:
                continue
            bad = ~np.isfinite(array).reshape(len(array), -1).all(axis=1)
            if bad.any():
                return (
                    f"`{name}` holds NaN or infinite values, in {np.count_nonzero(bad)} of "
                    f"{len(array)} samples, the first in sample {np.argmax(bad)}. Remove or "
                    "replace them."
                )
    return ""


def _in_model(model: Any) -> str:
    """What the weights tell."""
    others = (
        "NaN in data that were not searched, such as those to validate on; a logarithm or quotient "
        "of zero in a loss or layer of your own"
    )
    spoiled = [v.path for v in model.trainable_variables if not np.isfinite(v.numpy()).all()]
    if not spoiled:
        return f"All weights are finite, so look for: {others}."
    rate = getattr(model.optimizer, "learning_rate", None)
    now = "" if rate is None else f" (now {float(rate):g})"
    return (
        f"Weights are no numbers any more (the first in {spoiled[0]!r}): going on is of no use. "
        f"Try a smaller learning rate{now}, clipnorm=1.0 in the optimizer, inputs scaled to a "
        f"range like -1 to 1; or look for {others}. TerminateOnNaN stops at the batch of its "
        "origin."
    )
