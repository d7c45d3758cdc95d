"""Models and weights in Keras's own files: `.keras`, `.weights.h5`, and the older `.h5`."""

from ..core.catalog import (
    custom_object_scope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
)
from ..core.serialize import deserialize as deserialize_keras_object
from ..core.serialize import serialize as serialize_keras_object
from .api import load_model, load_weights, read_extra, save_model, save_weights

CustomObjectScope = custom_object_scope

__all__ = [
    "CustomObjectScope",
    "custom_object_scope",
    "deserialize_keras_object",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "load_model",
    "load_weights",
    "read_extra",
    "register_keras_serializable",
    "save_model",
    "save_weights",
    "serialize_keras_object",
]
