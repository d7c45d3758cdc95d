"""Does `y` fit the output and the loss? Asked once, before work; answered with what to do."""

import math
import warnings

import numpy as np

from .inputs import Shape, align_rank, fits

__all__ = ["align_target", "target_kind"]

_KINDS = {
    "labels": ["sparse_categorical_crossentropy"],
    "one_hot": [
        "categorical_crossentropy",
        "categorical_focal_crossentropy",
        "categorical_hinge",
    ],
    "binary": ["binary_crossentropy", "binary_focal_crossentropy", "bce"],
    "same": [
        *("mean_squared_error", "mean_absolute_error", "mean_absolute_percentage_error"),
        *("mean_squared_logarithmic_error", "cosine_similarity", "kl_divergence", "poisson"),
        *("huber", "log_cosh", "hinge", "squared_hinge", "dice", "tversky"),
        *("mse", "mae", "mape", "msle", "kld", "logcosh", "kullback_leibler_divergence"),
    ],
}
_KIND_OF = {name: kind for kind, names in _KINDS.items() for name in names}


def target_kind(loss: str | None) -> str | None:
    """What a loss of this name takes as `y`, or None for a loss that is not known.

    "labels": class indices; "one_hot": rows of class probabilities; "binary": values from 0 to 1 in
    the shape of the output; "same": any values in the shape of the output.
    """
    return None if loss is None else _KIND_OF.get(loss)


def align_target(
    y: np.ndarray,
    shape: Shape,
    loss: str | None,
    *,
    name: str = "y",
    ignore_class: int | None = None,
) -> np.ndarray:
    """`y` in the rank that a loss of this name takes beside an output of this shape.

    "labels" come back without a last axis of size 1, other targets in the rank of the output; for
    an unknown loss `y` is returned as it is. Raises ValueError for labels out of range, one-hot
    rows given to a sparse loss and the reverse, and shapes that would have to be broadcast.
    `ignore_class` is a label that may occur outside the range.

    >>> align_target(np.array([0.0, 1.0]), (None, 1), "mean_squared_error").shape
    (2, 1)
    """
    kind, shape = target_kind(loss), tuple(shape)
    if kind is None:
        return y
    if kind == "labels":
        return _align_labels(y, shape, name, ignore_class)
    if kind == "one_hot":
        return _align_one_hot(y, shape, name, str(loss))
    y = _align_same(y, shape, name, str(loss))
    if kind == "binary":
        _check_binary(y, name)
    return y


def _align_labels(y: np.ndarray, shape: Shape, name: str, ignore_class: int | None) -> np.ndarray:
    classes = shape[-1]
    if classes == 1:
        raise ValueError(
            "A sparse categorical loss needs one output per class. Received: an output of shape "
            f"{shape}. For two classes use loss='binary_crossentropy' with a sigmoid; for more "
            "give the last layer one unit per class and a softmax."
        )
    if y.ndim == len(shape) and y.shape[-1] == classes:
        raise ValueError(
            "A sparse categorical loss takes class indices, one integer per sample. Received: "
            f"`{name}` of shape {y.shape}, which looks like one-hot rows for {classes} classes. "
            f"Use loss='categorical_crossentropy', or pass `np.argmax({name}, axis=-1)`."
        )
    labels = align_rank(y, shape[:-1])
    if not fits(labels.shape, shape[:-1]):
        raise ValueError(
            f"Class indices for an output of shape {shape} must have the shape {shape[:-1]}. "
            f"Received: `{name}` of shape {y.shape}. {_shape_advice(y, shape, name)}"
        )
    _check_labels(labels, math.inf if classes is None else classes, name, ignore_class)
    return labels


def _check_labels(labels: np.ndarray, classes: float, name: str, ignore_class: int | None) -> None:
    used = labels if ignore_class is None else labels[labels != ignore_class]
    if used.size == 0:
        return
    if used.dtype.kind == "f" and not np.array_equal(used, np.rint(used)):
        raise ValueError(
            f"Class indices must be whole numbers. Received: `{name}` with values such as "
            f"{used[used != np.rint(used)][0]:g}. For a regression use loss='mean_squared_error'."
        )
    low, high = int(used.min()), int(used.max())
    if low < 0 or high >= classes:
        count = np.count_nonzero((used < 0) | (used >= classes))
        raise ValueError(
            f"Class indices must lie between 0 and {classes - 1:g}, as the model has {classes:g} "
            f"outputs. Received: `{name}` with values from {low} to {high}, {count} of {used.size} "
            f"out of range. {_advice(low, high, classes, name)}"
        )


def _advice(low: int, high: int, classes: float, name: str) -> str:
    if low < 0:
        return "Number the classes from 0."
    if low == 1 and high == classes:
        return f"Classes are counted from 0: pass `{name} - 1`."
    return f"Give the last layer {high + 1} units, or number the classes from 0."


def _align_one_hot(y: np.ndarray, shape: Shape, name: str, loss: str) -> np.ndarray:
    classes = shape[-1]
    if fits(y.shape, shape):
        if classes == 1 and loss == "categorical_crossentropy":
            warnings.warn(
                "loss='categorical_crossentropy' of a single output is always 0: nothing is "
                "learned. For two classes use loss='binary_crossentropy' with a sigmoid.",
                UserWarning,
                stacklevel=4,
            )
        return y
    expected = f"loss={loss!r} takes one-hot rows of shape {shape}."
    if fits(y.shape, shape[:-1]) or fits(y.shape, (*shape[:-1], 1)):
        raise ValueError(
            f"{expected} Received: `{name}` of shape {y.shape}, which looks like class indices. "
            "Use loss='sparse_categorical_crossentropy', or pass "
            f"`utils.to_categorical({name}, {classes})`."
        )
    raise ValueError(
        f"{expected} Received: `{name}` of shape {y.shape}. Give the last layer as many units as "
        f"`{name}` has columns."
    )


def _align_same(y: np.ndarray, shape: Shape, name: str, loss: str) -> np.ndarray:
    aligned = align_rank(y, shape)
    if fits(aligned.shape, shape):
        return aligned
    units = shape[-1]
    if units != 1 and (y.ndim == len(shape) - 1 or y.shape[-1] == 1):
        advice = (
            f"If these are class indices pass `utils.to_categorical({name}, {units})`, or use "
            "loss='sparse_categorical_crossentropy'; otherwise give the last layer 1 unit."
        )
    elif y.ndim == len(shape):
        advice = f"Give the last layer {y.shape[-1]} units, or pass as many columns as it has."
    else:
        advice = _shape_advice(y, shape, name)
    raise ValueError(
        f"loss={loss!r} compares `{name}` with an output of shape {shape} value by value, nothing "
        f"is broadcast. Received: `{name}` of shape {y.shape}. {advice}"
    )


def _shape_advice(y: np.ndarray, shape: Shape, name: str) -> str:
    if y.ndim < len(shape):
        return (
            "The output has more dimensions than the targets: is a Flatten() missing before the "
            "Dense layers?"
        )
    return f"Reshape `{name}`, or change the last layer."


def _check_binary(y: np.ndarray, name: str) -> None:
    low, high = y.min(initial=0), y.max(initial=0)
    if (low >= 0 and high <= 1.001) or np.isnan(low):  # scaled data may pass 1 by rounding
        return
    text = (
        "Binary cross entropy takes values between 0 and 1. "
        f"Received: `{name}` with values from {low:g} to {high:g}."
    )
    if y.dtype.kind == "f":
        warnings.warn(f"{text} The loss has no lower bound then.", UserWarning, stacklevel=4)
        return
    advice = {
        (-1, 1): f"For labels -1 and 1 pass `({name} + 1) / 2`.",
        (0, 255): f"For pixels pass `{name} / 255`.",
    }.get((int(low), int(high)), "For more than two classes use a categorical loss.")
    raise ValueError(f"{text} {advice}")
