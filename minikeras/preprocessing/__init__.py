"""Older homes of helpers for data (keras.preprocessing)."""

from ..data.directories import text_dataset_from_directory
from ..data.sequences import timeseries_dataset_from_array
from . import image, sequence
from .image import image_dataset_from_directory

__all__ = [
    "image",
    "image_dataset_from_directory",
    "sequence",
    "text_dataset_from_directory",
    "timeseries_dataset_from_array",
]
