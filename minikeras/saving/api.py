"""Saving and loading whole models and weights: what `model.save` and `load_model` do.

The extension decides the format: `.keras` (archive), `.h5` and `.hdf5` (the older single file), and
`.weights.h5` (weights only). What cannot be saved is found before any file is touched.
"""

import io
import json
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ..core.catalog import custom_object_scope
from ..core.limits import value_budget
from ..core.serialize import deserialize, serialize
from . import archive, assets, legacy, weights
from .assign import Plan
from .dialects import modern_compile_config, modern_model_config
from .files import is_stream, local_path, replace
from .hdf5 import Reader, reading

__all__ = ["load_model", "load_weights", "read_extra", "save_model", "save_weights"]

HDF5 = (".h5", ".hdf5")
WEIGHTS = ".weights.h5"
# Beside its weights a model may hold small variables: seeds, counters, the totals of metrics.
SPARE_VALUES = 2**20


def save_model(
    model: Any,
    filepath: Any,
    overwrite: bool = True,
    zipped: bool | None = None,
    include_optimizer: bool = True,
    save_format: str | None = None,
) -> None:
    """Save a model: its config, weights, compile arguments and the state of its optimizer.

    Args:
        model: The model.
        filepath: A path ending in `.keras`, `.h5` or `.hdf5`, or an open binary file (`.keras`).
        overwrite: Whether a file that exists is replaced; otherwise FileExistsError is raised.
        zipped: Only True is supported: archives are written as single files.
        include_optimizer: Whether to save how the model was compiled, and the optimizer's state.
        save_format: "keras" or "h5", if given, must agree with the extension.

    Raises TypeError naming what cannot be saved, ValueError for another extension, OSError when the
    disk refuses; in each case a file that was there before is unchanged.
    """
    if zipped is False:
        raise ValueError("Only single-file archives are written. Leave out `zipped=False`.")
    if is_stream(filepath):
        _archive_writer(model, include_optimizer)(filepath)
        return
    path = _new_path(filepath, (".keras", *HDF5), overwrite)
    _check_format(save_format, path)
    if path.endswith(".keras"):
        replace(path, _archive_writer(model, include_optimizer))
        return
    if path.endswith(WEIGHTS):
        raise ValueError(
            f"A name that ends in `{WEIGHTS}` is for weights alone: use `save_weights`, or end the "
            f"name in `.keras` or `.h5`. Received: {path!r}."
        )
    _refuse_assets(model, path)
    optimizer = _optimizer(model) if include_optimizer else None
    replace(path, _image_writer(legacy.model_image(model, optimizer, _extra(model))))


def load_model(
    filepath: Any,
    custom_objects: dict[str, Any] | None = None,
    compile: bool = True,
    safe_mode: bool = True,
) -> Any:
    """The model saved in a `.keras`, `.h5` or `.hdf5` file, ready to go on training.

    Args:
        filepath: A path, or an open binary file with a `.keras` archive.
        custom_objects: Classes and functions of yours that the file names, by name.
        compile: Whether to compile the model as it was and to load the optimizer's state.
        safe_mode: For compatibility: code in files is never run, whatever this says.

    Raises FileNotFoundError, PermissionError, or ValueError naming the file and what is wrong with
    it, and TypeError for a class that is not known here.

    >>> import tempfile, minikeras as keras
    >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_model(model, f"{folder}/two.keras")
    ...     copy = load_model(f"{folder}/two.keras")
    >>> copy.output_shape
    (None, 2)
    """
    del safe_mode
    with custom_object_scope(custom_objects or {}):
        if is_stream(filepath):
            return _load_archive(io.BytesIO(filepath.read()), "the open file", compile)
        path = local_path(filepath)
        if path.endswith(HDF5):
            return _load_legacy(path, compile)
        if path.endswith(".keras") or os.path.isfile(os.path.join(path, archive.CONFIG)):
            return _load_archive(path, repr(path), compile)
    raise _wrong_extension(path, (".keras", *HDF5))


def save_weights(model: Any, filepath: Any, overwrite: bool = True) -> None:
    """Save the weights of a built model, and the state of its optimizer, to a `.weights.h5` file.

    Another name in `.h5` or `.hdf5` gives the older layout, by layer name, without the optimizer.
    """
    path = _new_path(filepath, (WEIGHTS, *HDF5), overwrite)
    _require_built(model, "saved")
    if path.endswith(WEIGHTS):
        image = weights.weights_image(model, _optimizer(model), _extra(model))
    else:
        image = legacy.weights_only_image(model)
    replace(path, _image_writer(image))


def load_weights(
    model: Any, filepath: Any, skip_mismatch: bool = False, by_name: bool = False
) -> None:
    """Load weights into a built model from a `.weights.h5`, `.h5`, `.hdf5` or `.keras` file.

    Args:
        model: The model.
        filepath: The path.
        skip_mismatch: Whether layers that do not fit are left as they are, with a warning.
        by_name: Match layers by name instead of by place; only for files of the older layout.

    Raises ValueError naming layer, variable, expected and found shape; nothing is assigned then.
    """
    path = local_path(filepath)
    _require_built(model, "loaded")
    if path.endswith(".keras"):
        source: Any = archive.read_weights_member(path, repr(path))
    elif path.endswith(HDF5):
        source = path
    else:
        raise _wrong_extension(path, (WEIGHTS, ".keras", *HDF5))
    with reading(source, repr(path)) as reader:
        plan = Plan(repr(path), skip_mismatch)
        if legacy.is_legacy(reader):
            plan_layers = legacy.plan_by_name if by_name else legacy.plan_by_position
            plan_layers(reader, model, plan)
        elif by_name:
            raise ValueError(
                f"`by_name=True` needs a file of the older `.h5` layout, which holds layer names. "
                f"Received: {path!r}."
            )
        else:
            weights.plan_weights(reader, model, plan, _optimizer(model))
        plan.carry_out()
        _restore_extra(model, reader)


def _archive_writer(model: Any, include_optimizer: bool) -> Callable[[Any], None]:
    """What writes the archive of a model; everything that can fail but the disk has been done."""
    if not model.built:
        warnings.warn(
            "The model is saved before it was built: the file holds no weights. "
            "Call it on data, or `build` it, first.",
            stacklevel=4,
        )
    record = serialize(model)
    if not include_optimizer:
        record.pop("compile_config", None)
    optimizer = _optimizer(model) if include_optimizer else None
    try:
        config = json.dumps(record)
    except TypeError as error:
        raise TypeError(
            f"The configuration of the model cannot be saved as JSON: {error}."
        ) from None
    image = weights.weights_image(model, optimizer, _extra(model))
    files = assets.collect(model)
    return lambda file: archive.write_archive(file, config, image, files)


def _refuse_assets(model: Any, path: str) -> None:
    """The older format has no room for files that layers keep."""
    files = assets.collect(model)
    if files:
        raise ValueError(
            f"The model cannot be saved to {path!r}: the older format has no place for "
            f"{', '.join(files)}. End the name in `.keras`."
        )


def _image_writer(image: io.BytesIO) -> Callable[[Any], None]:
    return lambda file: file.write(image.getbuffer())


def _load_archive(source: Any, name: str, compile_: bool) -> Any:
    config, image, files = archive.read_archive(source, name)
    record = _parsed(config, name)
    with reading(image, name) as reader:
        compile_config = record.pop("compile_config", None)
        model = _model(reader, record, ("optimizer", weights.EXTRA))
        plan = Plan(name)
        with _rebuilding(name):
            if compile_ and compile_config:
                model.compile_from_config(compile_config)
            weights.plan_weights(reader, model, plan, _optimizer(model) if compile_ else None)
        plan.carry_out()
        assets.distribute(model, files)
        _restore_extra(model, reader)
    return model


def _load_legacy(path: str, compile_: bool) -> Any:
    with reading(path, repr(path)) as reader:
        config, training = legacy.read_configs(reader)
        record = _parsed(config, reader.name)
        model = _model(reader, record, ("optimizer_weights", weights.EXTRA))
        plan = Plan(repr(path))
        legacy.plan_by_position(reader, model, plan)
        if compile_ and training is not None:
            with _rebuilding(reader.name):
                compile_config = modern_compile_config(_json(training, reader.name))
                model.compile_from_config(compile_config)
                legacy.plan_optimizer(reader, model, plan)
        plan.carry_out()
        _restore_extra(model, reader)
    return model


def _model(reader: Reader, record: dict[str, Any], state: tuple[str, ...]) -> Any:
    """The model of a record, which may take no more memory than the file has values for."""
    with value_budget(reader.values(state) + SPARE_VALUES), _rebuilding(reader.name):
        model = deserialize(modern_model_config(record), kind="layers")
    if not hasattr(type(model), "layers"):
        raise ValueError(f"{reader.name} holds a {type(model).__name__}, not a model.")
    return model


@contextmanager
def _rebuilding(name: str) -> Iterator[None]:
    """What a class raises when its config lacks something becomes an error about the file."""
    try:
        yield
    except RecursionError:
        raise ValueError(f"{name}: the configuration is nested too deeply.") from None
    except (AttributeError, LookupError) as error:
        raise ValueError(
            f"{name}: the configuration is damaged, or does not suit its classes: "
            f"{type(error).__name__}: {error}."
        ) from error


def _json(text: str | bytes, name: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{name}: the configuration is damaged: {error}.") from None


def _parsed(config: str | bytes, name: str) -> dict[str, Any]:
    record = _json(config, name)
    if not isinstance(record, dict) or "class_name" not in record or "config" not in record:
        raise ValueError(f"{name}: the configuration describes no model.")
    return record


def _optimizer(model: Any) -> Any:
    """The optimizer of a compiled model, else None."""
    return getattr(model, "optimizer", None)


def _extra(model: Any) -> dict[str, Any] | None:
    """What a model wants kept beyond Keras's own format: arrays and JSON values by name."""
    save = getattr(model, "_extra_state", None)
    return None if save is None else save()


def read_extra(filepath: Any) -> dict[str, Any]:
    """What a weights file holds beyond Keras's format: arrays and JSON values by name."""
    path = local_path(filepath)
    with reading(path, repr(path)) as reader:
        return weights.read_extra(reader)


def _restore_extra(model: Any, reader: Reader) -> None:
    restore = getattr(model, "_restore_extra_state", None)
    extra = weights.read_extra(reader) if restore is not None else {}
    if restore is not None and extra:
        restore(extra)


def _require_built(model: Any, what: str) -> None:
    if not model.built:
        raise ValueError(
            f"Weights can be {what} only once the model is built. "
            "Call it on data, or `build` it, first."
        )


def _new_path(filepath: Any, extensions: tuple[str, ...], overwrite: bool) -> str:
    path = local_path(filepath)
    if not path.endswith(extensions):
        raise _wrong_extension(path, extensions)
    if not overwrite and os.path.exists(path):
        raise FileExistsError(f"{path!r} exists, and `overwrite=False`. Choose another name.")
    return path


def _check_format(save_format: str | None, path: str) -> None:
    wanted = "keras" if path.endswith(".keras") else "h5"
    if save_format not in (None, wanted, {"h5": "hdf5"}.get(wanted)):
        raise ValueError(
            f"`save_format` must agree with the extension of the file. Received: "
            f"save_format={save_format!r} for {path!r}. Leave it out."
        )


def _wrong_extension(path: str, extensions: tuple[str, ...]) -> ValueError:
    return ValueError(
        f"The name of the file must end in {' or '.join(f'`{e}`' for e in extensions)}, "
        f"which decides the format. Received: {path!r}."
    )
