"""Dtype policies (keras.dtype_policies)."""

from .core.dtype_policy import DTypePolicy, get
from .core.serialize import deserialize, serialize

__all__ = ["DTypePolicy", "deserialize", "get", "serialize"]
