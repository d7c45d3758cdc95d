"""A loss that is no number any more, and what the model tells of the cause."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np


def warn_if_diverged(epoch: int, logs: dict[str, Any], model: Any) -> bool:
    """Warn when a loss in the logs of an epoch is NaN or infinite; whether that was so.

    Args:
        epoch: The epoch, counted from 0.
        logs: Its logs.
        model: The model, whose weights and learning rate tell the likely causes.
    """
    for name in ("loss", "val_loss"):
        value = logs.get(name, 0.0)
        if np.ndim(value) == 0 and not math.isfinite(value):
            warnings.warn(
                f"The {name} of epoch {epoch + 1} is {float(value)}. {_advice(model)}", stacklevel=2
            )
            return True
    return False


def _advice(model: Any) -> str:
    spoiled = [v.path for v in model.trainable_variables if not np.isfinite(v.numpy()).all()]
    rate = getattr(model.optimizer, "learning_rate", None)
    now = "" if rate is None else f" (now {float(rate):g})"
    causes = (
        "NaN or infinite values among inputs, targets and weights of samples; a logarithm or "
        "quotient of zero in a loss or layer of your own"
    )
    if not spoiled:
        return f"All weights are finite, so look for: {causes}."
    return (
        f"Weights are no numbers any more (the first in {spoiled[0]!r}): going on is of no use. "
        f"Try a smaller learning rate{now}, clipnorm=1.0 in the optimizer, inputs scaled to a "
        f"range like -1 to 1; look for: {causes}. TerminateOnNaN stops at the batch of its origin."
    )
