"""Weights files in Keras 3's layout, `<path of layer>/vars/<number>`, also inside archives.

A further group `minikeras`, which Keras does not look at, holds what Keras does not save.
"""

import io
import json
from typing import Any

import numpy as np

from .assign import Plan
from .hdf5 import Reader, in_memory
from .layout import holders, own_variables
from .optimizer_state import plan_state

__all__ = ["plan_weights", "read_extra", "weights_image", "write_extra"]

EXTRA = "minikeras"


def weights_image(
    model: Any, optimizer: Any = None, extra: dict[str, Any] | None = None
) -> io.BytesIO:
    """The weights file of a model, in memory; with the state of `optimizer` unless it is None."""
    with in_memory() as (file, buffer):
        for path, layer in holders(model):
            _write_vars(file, path, layer.name, _state(layer))
        for path, part in _optimizers(optimizer):
            _write_vars(file, path, part.name, _numbered(part.variables))
        write_extra(file, extra)
    return buffer


def plan_weights(reader: Reader, model: Any, plan: Plan, optimizer: Any = None) -> None:
    """Add the state in a weights file to `plan`: layers first, then that of `optimizer`, if any."""
    for path, layer in holders(model):
        group = _vars_group(reader, path)
        keys = [] if group is None else reader.keys(group)
        if _customised(layer, "load_own_variables"):
            store = {key: reader.stored(key, group).read() for key in keys}
            plan.actions.append(lambda layer=layer, store=store: layer.load_own_variables(store))
        else:
            stored = [reader.stored(key, group) for key in keys]
            plan.add(f"layer {layer.name!r}", own_variables(layer), stored)
    for path, part in _optimizers(optimizer):
        group = reader.group(f"{path}/vars")
        keys = [] if group is None else reader.keys(group)
        stored = [reader.stored(key, group) for key in keys]
        plan_state(plan, part, stored, model.trainable_variables)


def write_extra(file: Any, extra: dict[str, Any] | None) -> None:
    """Store arrays as datasets and everything else as one JSON text; nothing for an empty dict."""
    if not extra:
        return
    group = file.create_group(EXTRA)
    arrays = {key: value for key, value in extra.items() if isinstance(value, np.ndarray)}
    for key, array in arrays.items():
        group[key] = array
    rest = {key: value for key, value in extra.items() if key not in arrays}
    group.attrs["json"] = json.dumps(rest)


def read_extra(reader: Reader) -> dict[str, Any]:
    """What `write_extra` stored, {} if nothing."""
    group = reader.group(EXTRA)
    if group is None:
        return {}
    extra = json.loads(reader.text("json", group) or "{}")
    if not isinstance(extra, dict):
        raise ValueError(f"{reader.name}: the group {EXTRA!r} is damaged.")
    return {**extra, **{key: reader.stored(key, group).read() for key in reader.keys(group)}}


def _state(layer: Any) -> dict[str, np.ndarray]:
    """What a layer saves: its own variables by number, or what its own method stores."""
    if _customised(layer, "save_own_variables"):
        store: dict[str, Any] = {}
        layer.save_own_variables(store)
        return {str(key): np.asarray(value) for key, value in store.items()}
    return _numbered(own_variables(layer))


def _numbered(variables: list[Any]) -> dict[str, np.ndarray]:
    return {str(number): variable.numpy() for number, variable in enumerate(variables)}


def _write_vars(file: Any, path: str, name: str, values: dict[str, np.ndarray]) -> None:
    group = file.create_group(f"{path}/vars" if path else "vars")
    group.attrs["name"] = name
    for key, value in values.items():
        group[key] = value


def _vars_group(reader: Reader, path: str) -> Any:
    group = reader.group(f"{path}/vars" if path else "vars")
    if group is None and path:  # files of Keras 2.13 and 2.14
        parts = ["_layer_checkpoint_dependencies" if p == "layers" else p for p in path.split("/")]
        group = reader.group("/".join([*parts, "vars"]))
    return group


def _optimizers(optimizer: Any) -> list[tuple[str, Any]]:
    """The optimizer and the one it wraps, if it does, with their places in the file."""
    found, path = [], "optimizer"
    while optimizer is not None:
        found.append((path, optimizer))
        optimizer, path = getattr(optimizer, "inner_optimizer", None), f"{path}/inner_optimizer"
    return found


def _customised(layer: Any, method: str) -> bool:
    """Whether a layer has its own way to save or load what is not a plain variable."""
    found = getattr(type(layer), method, None)
    return found is not None and not getattr(found, "is_usual", False)
