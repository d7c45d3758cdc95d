"""Losses of sequences that are not aligned with their labels."""

from __future__ import annotations

from typing import Any

from ..core.registry import register
from ..ops.core import convert_to_tensor
from ..ops.core import ndim as _ndim
from ..ops.ctc import ctc_loss
from .loss import FunctionLoss, saved_without_dtype


@register("losses")
def ctc(y_true: Any, y_pred: Any) -> Any:
    """Connectionist temporal classification loss (Graves et al. 2006), one number per sample.

    Minus the log-probability of the labels over all ways to lay them along the frames, with blanks
    (class 0) between them; where the frames are too few it is about 1e5.

    Args:
        y_true: Labels from 1 on, (batch, labels), filled up with 0.
        y_pred: Logits, (batch, frames, classes), class 0 being the blank.

    >>> import numpy as np
    >>> ctc(np.array([[1]]), np.log(np.float32([[[0.5, 0.5], [0.5, 0.5]]])))  # -log(3/4)
    array([0.2876821], dtype=float32)
    """
    y_true, y_pred = convert_to_tensor(y_true), convert_to_tensor(y_pred)
    if _ndim(y_true) != 2 or _ndim(y_pred) != 3 or y_true.shape[0] != y_pred.shape[0]:
        raise ValueError(
            "ctc needs labels `y_true` of shape (batch, labels) and logits `y_pred` of shape "
            f"(batch, frames, classes). Received: y_true of shape {tuple(y_true.shape)} and y_pred "
            f"of shape {tuple(y_pred.shape)}."
        )
    return ctc_loss(y_true, y_pred, None, None, mask_index=0)


ctc.takes_labels = True  # type: ignore[attr-defined]


@register("losses")
@saved_without_dtype
class CTC(FunctionLoss):
    """Connectionist temporal classification: see `ctc`.

    >>> import numpy as np
    >>> float(CTC()(np.array([[1, 2]]), np.zeros((1, 3, 3), "float32"))) # doctest: +ELLIPSIS
    1.686...
    """

    function = ctc
    takes_labels = True

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "ctc",
        dtype: Any = None,
    ):
        super().__init__(name, reduction, dtype)
