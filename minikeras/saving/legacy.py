"""HDF5 files of old (`.h5`): config in attributes, weights by layer name, loaded by position.

They are written as Keras 3 writes them, and read as Keras 2 and 3 wrote them.
"""

import io
import json
from typing import Any

from ..core import catalog
from ..core.names import to_snake_case
from ..core.serialize import serialize
from .archive import KERAS_VERSION
from .assign import Plan
from .hdf5 import Reader, in_memory, write_names
from .layout import legacy_weights, own_variables
from .optimizer_state import plan_named_state, plan_state
from .weights import write_extra

__all__ = [
    "is_legacy",
    "model_image",
    "plan_by_name",
    "plan_by_position",
    "plan_optimizer",
    "read_configs",
    "weights_only_image",
]

BACKEND = "numpy"
TOP = "top_level_model_weights"


def model_image(
    model: Any, optimizer: Any = None, extra: dict[str, Any] | None = None
) -> io.BytesIO:
    """The `.h5` file of a whole model, in memory; with its optimizer unless that is None."""
    attributes = {"model_config": _json(_bare_record(serialize(model)))}
    if optimizer is not None:
        attributes["training_config"] = _json(_training_config(model, optimizer))
    with in_memory() as (file, buffer):
        file.attrs["keras_version"], file.attrs["backend"] = KERAS_VERSION, BACKEND
        for key, text in attributes.items():
            file.attrs[key] = text
        _write_layers(file.create_group("model_weights"), model)
        if optimizer is not None and optimizer.variables:
            group = file.create_group("optimizer_weights")
            _write_weights(group, optimizer.variables, f"{optimizer.name}/")
        write_extra(file, extra)
    return buffer


def weights_only_image(model: Any) -> io.BytesIO:
    """The `.h5` file of the weights alone, in memory."""
    with in_memory() as (file, buffer):
        _write_layers(file, model)
    return buffer


def read_configs(reader: Reader) -> tuple[str, str | None]:
    """The JSON texts of the model and of how it was compiled (None if it was not)."""
    text = reader.text("model_config")
    if text is None:
        raise ValueError(
            f"{reader.name} holds no model, only weights at most. Build the model in Python and "
            "call `model.load_weights` with this file."
        )
    return text, reader.text("training_config")


def is_legacy(reader: Reader) -> bool:
    """Whether the weights in this file are laid out by layer name."""
    return _weights_group(reader) is not None


def plan_by_position(reader: Reader, model: Any, plan: Plan) -> None:
    """Add the weights to `plan`: layers with weights are matched in order, whatever their names."""
    group = _required_group(reader)
    names = reader.names("layer_names", group)
    saved = [(name, paths) for name in names if (paths := _paths(reader, group, name))]
    layers = [layer for layer in model.layers if layer.weights]
    if len(saved) != len(layers):
        raise ValueError(
            f"{reader.name} does not fit the model: expected {len(layers)} layers with weights "
            f"{[layer.name for layer in layers]}, found {len(saved)}: "
            f"{[name for name, _ in saved]}. Nothing was loaded."
        )
    for layer, (name, paths) in zip(layers, saved, strict=True):
        owner = f"layer {layer.name!r}" + (f" ({name!r} in the file)" if layer.name != name else "")
        _plan(reader, reader.group(name, group), paths, owner, legacy_weights(layer), plan)
    _plan_top(reader, group, model, plan)


def plan_by_name(reader: Reader, model: Any, plan: Plan) -> None:
    """Add to `plan` the weights of those layers whose names the file holds."""
    group = _required_group(reader)
    layers = {layer.name: layer for layer in model.layers}
    for name in reader.names("layer_names", group):
        if name in layers:
            paths, variables = _paths(reader, group, name), legacy_weights(layers[name])
            _plan(reader, reader.group(name, group), paths, f"layer {name!r}", variables, plan)
    _plan_top(reader, group, model, plan)


def plan_optimizer(reader: Reader, model: Any, plan: Plan) -> None:
    """Add the state of the model's optimizer to `plan`, from files of Keras 3 and of Keras 2."""
    group, optimizer = reader.group("optimizer_weights"), model.optimizer
    if group is None or optimizer is None:
        return
    names = reader.names("weight_names", group)
    stored = [reader.stored(name, group) for name in names]
    if any(name.endswith(":0") for name in names):  # TensorFlow's Keras 2 orders them otherwise
        plan_named_state(plan, optimizer, names, stored, model.trainable_variables)
    else:
        plan_state(plan, optimizer, stored, model.trainable_variables)


def _weights_group(reader: Reader) -> Any:
    for group in (reader.root, reader.group("model_weights")):
        if group is not None and reader.has_names("layer_names", group):
            return group
    return None


def _required_group(reader: Reader) -> Any:
    group = _weights_group(reader)
    if group is None:
        raise ValueError(f"{reader.name} holds no names of layers: it is damaged or cut short.")
    return group


def _paths(reader: Reader, group: Any, layer: str) -> list[str]:
    inner = reader.group(layer, group)
    if inner is None:
        raise ValueError(f"{reader.name} names the layer {layer!r} but holds no group for it.")
    return reader.names("weight_names", inner)


def _plan(
    reader: Reader, group: Any, paths: list[str], owner: str, variables: list[Any], plan: Plan
) -> None:
    plan.add(owner, variables, [reader.stored(path, group) for path in paths])


def _plan_top(reader: Reader, group: Any, model: Any, plan: Plan) -> None:
    top = reader.group(TOP, group)
    if top is not None:
        paths, variables = reader.names("weight_names", top), own_variables(model)
        _plan(reader, top, paths, "the model itself", variables, plan)


def _write_layers(group: Any, model: Any) -> None:
    names = [layer.name for layer in model.layers]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ValueError(
            f"An .h5 file holds each layer once, by name. Received: a model with '{twice}' twice. "
            "Save it as .keras, or its weights as .weights.h5."
        )
    write_names(group, "layer_names", names)
    group.attrs["backend"] = BACKEND.encode()
    group.attrs["keras_version"] = KERAS_VERSION.encode()
    for layer in model.layers:
        _write_weights(group.create_group(layer.name), legacy_weights(layer))
    _write_weights(group.create_group(TOP), own_variables(model))


def _write_weights(group: Any, variables: list[Any], prefix: str = "") -> None:
    paths = _distinct([prefix + v.path.removeprefix(prefix) for v in variables])
    write_names(group, "weight_names", paths)
    for path, variable in zip(paths, variables, strict=True):
        group[path] = variable.numpy()


def _distinct(paths: list[str]) -> list[str]:
    """The same paths, made different from one another and from each other's folders."""
    taken: set[str] = set()
    result = []
    for path in paths:
        name, number = path, 0
        while name in taken or any(other.startswith(f"{name}/") for other in taken):
            number += 1
            name = f"{path}_{number}"
        taken.add(name)
        result.append(name)
    return result


def _json(value: Any) -> bytes:
    return json.dumps(value).encode("utf-8")


def _bare_record(record: dict) -> dict:
    """A record without its module; a custom class goes by its registered name.

    Steps of a graph that are functions keep theirs, since nothing else tells them from layers.
    """
    if str(record.get("module") or "").startswith("keras.src.ops"):
        return record
    bare = {"class_name": _own_name(record), "config": _stripped(record)["config"]}
    kept = {key: record[key] for key in ("name", "inbound_nodes") if key in record}
    return {**bare, **kept}


def _own_name(record: dict) -> str:
    """The name of a class itself, which for few is not the one under which it is public."""
    name = record.get("registered_name") or record["class_name"]
    member = catalog.find_by_path(record.get("module") or "", name)
    return member.__name__ if isinstance(member, type) else name


def _stripped(value: Any) -> Any:
    """A record whose models, at whatever depth, hold bare records of their layers."""
    if isinstance(value, list):
        return [_stripped(item) for item in value]
    if not isinstance(value, dict):
        return value
    if _is_model(value):
        config = value["config"]
        layers = [_bare_record(record) for record in config["layers"]]
        return {**value, "config": {**config, "layers": layers}}
    return {key: _stripped(item) for key, item in value.items()}


def _is_model(record: dict) -> bool:
    """Whether a record is of a model, not of a layer that holds layers, whose records stay."""
    config = record.get("config")
    if not isinstance(config, dict) or not isinstance(config.get("layers"), list):
        return False
    signs = {"input_layers", "build_input_shape"} & config.keys()
    return bool(signs) or record.get("class_name") == "Sequential"


def _training_config(model: Any, optimizer: Any) -> dict[str, Any]:
    config = dict(model.get_compile_config() or {})
    config.pop("optimizer", None)
    for key, value in config.items():
        if key in ("loss", "metrics", "weighted_metrics"):
            config[key] = _bare_objects(value, "losses" if key == "loss" else None)
    return {**config, "optimizer_config": _bare_record(serialize(optimizer))}


def _bare_objects(value: Any, kind: str | None) -> Any:
    """Losses and metrics as old files name them; losses by their long names.

    Keras cannot read its own old files when a loss goes by a short name such as "mse".
    """
    if isinstance(value, str) and kind is not None:
        return _long_name(kind, value)
    if isinstance(value, list | tuple):
        return [_bare_objects(item, kind) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get("class_name") == "function":
        return value["config"]
    if "class_name" in value and "config" in value:
        return _bare_record(value)
    return {key: _bare_objects(item, kind) for key, item in value.items()}


def _long_name(kind: str, name: str) -> str:
    member = catalog.find(kind, name)
    path = catalog.public_path(member) if member is not None else None
    if path is None:
        return name
    return to_snake_case(path[1]) if isinstance(member, type) else path[1]
