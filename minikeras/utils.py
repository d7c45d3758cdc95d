"""Helpers for data and for reproducible runs (keras.utils)."""

from __future__ import annotations

from typing import Any

import numpy as np

from .backend import clear_session, is_keras_tensor
from .callbacks.progbar import Progbar
from .core.registry import (
    custom_object_scope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
)
from .core.seeds import set_random_seed
from .core.serialize import deserialize as deserialize_keras_object
from .core.serialize import serialize as serialize_keras_object
from .core.settings import (
    disable_interactive_logging,
    enable_interactive_logging,
    is_interactive_logging_enabled,
    standardize_dtype,
)
from .core.validate import positive_int
from .data.dataset import PyDataset
from .data.directories import text_dataset_from_directory
from .data.halves import split_dataset
from .data.packing import pack_x_y_sample_weight, unpack_x_y_sample_weight
from .data.sequences import pad_sequences, timeseries_dataset_from_array
from .datasets._fetching import get_file
from .models.batch_statistics import recompute_batch_statistics
from .models.retraining import Retrained, early_stop_and_retrain
from .preprocessing.image import (
    array_to_img,
    image_dataset_from_directory,
    img_to_array,
    load_img,
    save_img,
)
from .visualization.plot import model_to_dot, plot_model

Sequence = PyDataset  # its name in Keras 2
CustomObjectScope = custom_object_scope


def to_categorical(x: Any, num_classes: int | None = None) -> np.ndarray:
    """One-hot rows (float32) of class indices; a last axis of size 1 is dropped first.

    >>> from minikeras.utils import to_categorical
    >>> to_categorical([0, 2], 3)
    array([[1., 0., 0.],
           [0., 0., 1.]], dtype=float32)
    """
    labels = _class_indices(x)
    if labels.ndim > 1 and labels.shape[-1] == 1:
        labels = labels.reshape(labels.shape[:-1])
    if num_classes is None:
        classes = int(labels.max(initial=-1)) + 1
    else:
        classes = positive_int(num_classes, "num_classes", "to_categorical")
    if labels.size and (labels.min() < 0 or labels.max() >= classes):
        raise ValueError(
            f"Class indices must lie between 0 and {classes - 1}. Received: values from "
            f"{labels.min()} to {labels.max()}."
        )
    result = np.zeros((labels.size, classes), np.float32)
    result[np.arange(labels.size), labels.reshape(-1)] = 1
    return result.reshape(*labels.shape, classes)


def _class_indices(x: Any) -> np.ndarray:
    labels = np.asarray(x)
    if labels.dtype.kind not in "biuf" or not np.array_equal(labels, np.rint(labels)):
        raise ValueError(
            "to_categorical takes class indices, which are whole numbers. "
            f"Received: {labels.dtype} values."
        )
    return labels.astype(np.int64)


def normalize(x: Any, axis: int = -1, order: int = 2) -> np.ndarray:
    """`x` divided by its norm along an axis (unchanged where the norm is 0)."""
    norms = np.atleast_1d(np.linalg.norm(x, order, axis))
    norms[norms == 0] = 1
    return np.asarray(x) / np.expand_dims(norms, axis)


__all__ = [
    "CustomObjectScope",
    "Progbar",
    "Retrained",
    "PyDataset",
    "Sequence",
    "array_to_img",
    "image_dataset_from_directory",
    "img_to_array",
    "load_img",
    "save_img",
    "text_dataset_from_directory",
    "clear_session",
    "custom_object_scope",
    "deserialize_keras_object",
    "disable_interactive_logging",
    "early_stop_and_retrain",
    "enable_interactive_logging",
    "get_custom_objects",
    "get_file",
    "get_registered_name",
    "get_registered_object",
    "is_interactive_logging_enabled",
    "is_keras_tensor",
    "model_to_dot",
    "normalize",
    "pack_x_y_sample_weight",
    "pad_sequences",
    "plot_model",
    "recompute_batch_statistics",
    "register_keras_serializable",
    "serialize_keras_object",
    "set_random_seed",
    "split_dataset",
    "standardize_dtype",
    "timeseries_dataset_from_array",
    "to_categorical",
    "unpack_x_y_sample_weight",
]
