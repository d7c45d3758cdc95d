"""Older homes of helpers for data (keras.preprocessing)."""

from ..data.sequences import timeseries_dataset_from_array
from . import sequence

__all__ = ["sequence", "timeseries_dataset_from_array"]
