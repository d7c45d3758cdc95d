"""Images as networks trained on ImageNet expect them, and the names of its classes."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from ..core import settings
from ..core.validate import one_of, positive_int
from ..datasets._download import DownloadError, get_file
from ..ops import elementwise as e
from ..ops import shapes
from ..ops.core import floating

__all__ = ["decode_predictions", "preprocess_input"]

ORIGIN = "https://storage.googleapis.com/download.tensorflow.org/data/imagenet_class_index.json"
MD5 = "c2c37ea517e94d9795004a39431a14cb"
CLASSES = 1000
MODES = ("caffe", "tf", "torch")

# red, green, blue, over ImageNet: means on the scale of 0 to 255, and of 0 to 1 with deviations
_MEANS_255 = (123.68, 116.779, 103.939)
_MEANS, _DEVIATIONS = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def preprocess_input(x: Any, data_format: str | None = None, mode: str = "caffe") -> Any:
    """Images (..., rows, columns, 3), values 0 to 255, on the scale that a network expects.

    Args:
        x: Images, red first: an array, which is left as it is, or a symbol.
        data_format: 'channels_last' or 'channels_first'; by default as configured.
        mode: 'caffe': blue first, less the means of ImageNet; 'tf': -1 to 1; 'torch': 0 to 1, less
            the means, over the deviations.

    Example:

    >>> import numpy as np
    >>> preprocess_input(np.float32([[[[0, 51, 255]]]]), mode="tf")
    array([[[[-1. , -0.6,  1. ]]]], dtype=float32)
    """
    one_of(mode, MODES, "mode", "preprocess_input")
    order = settings.data_format_of(data_format, "preprocess_input")
    x = floating(x)
    axis = len(x.shape) - (1 if order == "channels_last" else 3)
    if len(x.shape) not in (3, 4) or x.shape[axis] != 3:
        raise ValueError(
            "preprocess_input takes images of 3 channels, with 3 dimensions or 4. "
            f"Received: shape {tuple(x.shape)}, data_format={order!r}."
        )
    if mode == "tf":
        return e.subtract(e.divide(x, 127.5), 1.0)

    def row(numbers: Any) -> Any:
        numbers = np.asarray(numbers, np.dtype(x.dtype))
        return numbers if order == "channels_last" else numbers.reshape(3, 1, 1)

    if mode == "caffe":
        return e.subtract(shapes.flip(x, axis), row(_MEANS_255[::-1]))
    return e.divide(e.subtract(e.divide(x, 255.0), row(_MEANS)), row(_DEVIATIONS))


def decode_predictions(
    preds: Any, top: int = 5, class_index: str | os.PathLike[str] | None = None
) -> list[list[tuple[str, str, float]]]:
    """The likeliest classes of ImageNet, with their names.

    Args:
        preds: (samples, 1000), as the networks of this room give with their classifier.
        top: How many classes for each sample.
        class_index: The file of names, JSON ``{"0": ["n01440764", "tench"], ...}``; by default the
            one in Keras's cache, to which it is downloaded when it is not there.

    Returns:
        For each sample a list of (WordNet identifier, name, probability), likeliest first.

    Raises:
        ValueError: predictions of another shape, or a file of another kind.
        OSError: no names to be had.

    >>> decode_predictions(model.predict(images), top=3)  # doctest: +SKIP
    """
    preds, top = np.asarray(preds), positive_int(top, "top", "decode_predictions")
    if preds.ndim != 2 or preds.shape[1] != CLASSES:
        raise ValueError(
            f"decode_predictions takes predictions of shape (samples, {CLASSES}). "
            f"Received: shape {preds.shape}."
        )
    names = _names(class_index)
    best = np.argsort(-preds, axis=1, kind="stable")[:, :top]
    return [[(*names[k], row[k]) for k in chosen] for chosen, row in zip(best, preds, strict=True)]


def _names(path: Any) -> list[tuple[str, str]]:
    """WordNet identifier and name of each class."""
    path = Path(path).expanduser() if path is not None else _fetched()
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        names = [tuple(content[str(k)]) for k in range(CLASSES)]
        if any(len(name) != 2 for name in names):
            raise ValueError("entries of another length than 2")
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"Expected {path} to hold names as JSON, {{'0': [identifier, name], ...}} for "
            f"{CLASSES} classes. Received: {error!r}."
        ) from error
    return names


def _fetched() -> Path:
    try:
        return get_file("imagenet_class_index.json", ORIGIN, MD5, cache_subdir="models")
    except DownloadError as error:
        raise DownloadError(
            f"{error} Without a network: fetch {ORIGIN} elsewhere and pass its path as "
            "`class_index`."
        ) from error
