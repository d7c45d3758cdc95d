"""`resolve`: what users and files write for a layer, a loss or an initializer, made an object."""

from typing import Any

from .catalog import (
    custom_object_scope,
    find,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    names_of,
    register,
    register_keras_serializable,
    unknown,
)
from .serialize import deserialize

__all__ = [
    "custom_object_scope",
    "find",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "names_of",
    "register",
    "register_keras_serializable",
    "resolve",
]


def resolve(kind: str, spec: Any, **kwargs: Any) -> Any:
    """The object of `kind` that `spec` stands for.

    None stays None; an object or function is returned as it is; a class is instantiated; a name
    gives a new instance (built with `kwargs`) or the function of that name, custom objects first;
    a config dict is deserialized. Raises ValueError, with the nearest known name, otherwise.

    >>> @register("schedules", "flat")
    ... class Flat:
    ...     pass
    >>> type(resolve("schedules", "flat")).__name__
    'Flat'
    """
    if spec is None:
        return None
    if isinstance(spec, str):
        found = _by_name(kind, spec)
        return found(**kwargs) if isinstance(found, type) else found
    if isinstance(spec, dict):
        return deserialize(spec, kind=kind)
    if isinstance(spec, type):
        return spec(**kwargs)
    if callable(spec) or hasattr(spec, "get_config"):
        return spec
    raise unknown(kind, spec)


def _by_name(kind: str, name: str) -> Any:
    found = get_registered_object(name)
    found = find(kind, name) if found is None else found
    if found is None:
        raise unknown(kind, name)
    return found
