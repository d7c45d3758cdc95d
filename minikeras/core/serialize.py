"""Objects to plain records and back: the JSON form in which Keras files describe models.

A record is {"module", "class_name", "config", "registered_name"}. Built-ins carry their public path
and no registered name; custom objects are found by registered name. Nothing named in a record is
imported.
"""

import inspect
import types
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np

from . import catalog
from .settings import standardize_dtype

__all__ = ["add_special", "deserialize", "function_name", "serialize", "serialize_function"]

PLAIN = (str, int, float, bool)

# class name of a special record -> how to read its config; and (type, class name, how to write it)
_readers: dict[str, Callable[[dict], Any]] = {}
_writers: list[tuple[Any, str, Callable[[Any], dict]]] = []
_shared: ContextVar[dict[Any, Any] | None] = ContextVar("shared_objects", default=None)
_written: ContextVar[dict[int, tuple[int, Any]] | None] = ContextVar("written", default=None)
SHARED = "shared_object_id"


def add_special(
    class_name: str, type_: type, write: Callable[[Any], dict], read: Callable[[dict], Any]
) -> None:
    """Teach records a value that is not an object with a config, such as a symbolic tensor."""
    _writers.append((type_, class_name, write))
    _readers[class_name] = read


def serialize(obj: Any) -> Any:
    """The record of an object; plain values, lists, tuples and dicts stay what they are.

    A layer that occurs several times, as one that another layer holds, has the same
    `shared_object_id` in all its records, so that it becomes one layer again.

    Raises TypeError for what no file can hold: lambdas, and objects without `get_config`.

    >>> serialize({"shape": (2, None), "rows": slice(1, None)})["rows"]["class_name"]
    '__slice__'
    """
    if _written.get() is not None:
        return _record(obj)
    token = _written.set({})
    try:
        record = _record(obj)
    finally:
        _written.reset(token)
    counts = Counter(found[SHARED] for found in _numbered(record))
    for found in _numbered(record):
        if counts[found[SHARED]] == 1:
            del found[SHARED]
    return record


def _record(obj: Any) -> Any:
    """The record of a part of what `serialize` was given."""
    if obj is None or type(obj) in PLAIN:
        return obj
    if isinstance(obj, list | tuple):
        items = [_record(item) for item in obj]
        return tuple(items) if isinstance(obj, tuple) else items
    if isinstance(obj, dict):
        return {key: _record(value) for key, value in obj.items()}
    if isinstance(obj, np.generic) or (isinstance(obj, np.ndarray) and obj.ndim == 0):
        return obj.item()
    for type_, class_name, write in _writers:
        if isinstance(obj, type_):
            return {"class_name": class_name, "config": write(obj)}
    if isinstance(obj, np.dtype):
        return standardize_dtype(obj)
    if isinstance(obj, PLAIN):  # a subclass, as of an enumeration
        return next(base(obj) for base in PLAIN if isinstance(obj, base))
    if isinstance(obj, types.FunctionType | types.BuiltinFunctionType):
        return _function_record(obj)
    return _object_record(obj)


def _numbered(record: Any) -> Iterator[dict]:
    """The records of objects that have a number, whichever depth they are at."""
    if isinstance(record, list | tuple):
        for item in record:
            yield from _numbered(item)
    elif isinstance(record, dict):
        for value in record.values():
            yield from _numbered(value)
        if "class_name" in record and SHARED in record:
            yield record


def serialize_function(function: Any) -> Any:
    """The bare name of a built-in function ("relu"), as configs hold it; else its record."""
    name = function_name(function)
    return serialize(function) if name is None else name


def function_name(function: Any) -> str | None:
    """The name of a built-in function, or None for anything else."""
    if isinstance(function, type):
        return None
    path = catalog.public_path(function)
    return path[1] if path else None


def deserialize(
    record: Any,
    custom_objects: Mapping[str, Any] | None = None,
    safe_mode: bool = True,
    kind: str | None = None,
) -> Any:
    """The object that a record describes; plain values, lists and dicts of records likewise.

    `custom_objects` (name to class or function) are in force while it is read. `kind` ("layers")
    says where to look up records of old files, which name no module. Code in a record is refused,
    whatever `safe_mode` says. Raises ValueError or TypeError with the reason.

    >>> deserialize({"class_name": "__slice__", "config": {"start": 1, "stop": None, "step": None}})
    slice(1, None, None)
    """
    with catalog.custom_object_scope(custom_objects or {}), _sharing():
        try:
            return _read(record, kind)
        except RecursionError:
            raise ValueError("The configuration is nested too deeply to be read.") from None


@contextmanager
def _sharing() -> Iterator[None]:
    """One map of shared objects for the outermost call, seen by the calls that it leads to."""
    if _shared.get() is not None:
        yield
        return
    token = _shared.set({})
    try:
        yield
    finally:
        _shared.reset(token)


def _function_record(function: Any) -> dict:
    name = function_name(function) or catalog.get_registered_name(function)
    if name == "<lambda>":
        raise TypeError(
            "A lambda cannot be saved: its code has no name to find it by. Define it with `def`, "
            "decorate it with `register_keras_serializable()` and use that function."
        )
    return {
        "module": "builtins",
        "class_name": "function",
        "config": name,
        "registered_name": "function",
    }


def _object_record(obj: Any) -> dict:
    if isinstance(obj, type) or not hasattr(obj, "get_config"):
        what = f"the class {obj.__name__}" if isinstance(obj, type) else repr(obj)
        raise TypeError(
            f"Cannot save {what}: expected a plain value, an array, a function or an object with "
            f"`get_config`. Received: {type(obj).__name__}. Give its class a `get_config` method."
        )
    config = obj.get_config()
    if not isinstance(config, dict):
        raise TypeError(
            f"{type(obj).__name__}.get_config() must return a dict. Received: {config!r}."
        )
    record = {**_address(type(obj)), "config": serialize(config)}
    record = {key: record[key] for key in ("module", "class_name", "config", "registered_name")}
    for key in ("build_config", "compile_config"):
        read = getattr(obj, f"get_{key}", None)
        part = read() if read is not None else None
        if part is not None:
            record[key] = serialize(part)
    numbers = _written.get()
    if numbers is not None and hasattr(obj, "get_build_config"):  # it may have weights to share
        record[SHARED] = numbers.setdefault(id(obj), (len(numbers) + 1, obj))[0]
    return record


def _address(cls: type) -> dict:
    path = catalog.public_path(cls)
    if path is not None:
        module, name = path
        # what Keras does not export it addresses by its source path and repeats the name
        hidden = module.startswith("keras.src")
        return {"module": module, "class_name": name, "registered_name": name if hidden else None}
    module = None if cls.__module__ == "__main__" else cls.__module__
    return {
        "module": module,
        "class_name": cls.__name__,
        "registered_name": catalog.get_registered_name(cls),
    }


def _read(record: Any, kind: str | None = None) -> Any:
    if isinstance(record, list | tuple):
        return [_read(item, kind) for item in record]
    if isinstance(record, str):
        custom = catalog.get_registered_object(record)
        return record if custom is None else custom
    if record is None or isinstance(record, PLAIN):
        return record
    if not isinstance(record, dict):
        raise TypeError(f"A record must be a dict, list or plain value. Received: {record!r}.")
    if "class_name" not in record or "config" not in record:
        return {key: _read(value) for key, value in record.items()}
    class_name = record["class_name"]
    if not isinstance(class_name, str):
        raise TypeError(f"A record's `class_name` must be a string. Received: {class_name!r}.")
    if class_name in _readers:
        return _readers[class_name](_config(record))
    if class_name in ("__lambda__", "__typespec__"):
        raise ValueError(
            f"The file holds a {class_name.strip('_')}: code or types of another library, which "
            "are never read from files. Rebuild the model in Python and load its weights."
        )
    if class_name == "function":
        return _read_function(record, kind)
    return _read_object(record, kind)


def _config(record: dict) -> dict:
    config = {} if record["config"] is None else record["config"]
    if not isinstance(config, dict):
        raise TypeError(
            f"The config of {record['class_name']!r} must be a dict. "
            f"Received: {type(config).__name__}."
        )
    return config


def _read_function(record: dict, kind: str | None) -> Any:
    name, module = record["config"], record.get("module")
    if not isinstance(name, str):
        raise TypeError(f"A function's `config` must be its name. Received: {name!r}.")
    found = catalog.get_registered_object(name)
    if found is not None:
        return found
    kind = catalog.kind_of(module) if kind is None and isinstance(module, str) else kind
    kinds = [kind] if kind else ["activations", "losses", "metrics"]
    builtins = [found for kind in kinds if (found := catalog.find(kind, name)) is not None]
    if builtins:  # some names are held by a class only, whose instances can be called as well
        found = next((item for item in builtins if not isinstance(item, type)), builtins[0])
        return found() if isinstance(found, type) else found
    if ">" not in name:  # files of Keras up to 3.6 drop the package
        tails = {key.rpartition(">")[2]: value for key, value in catalog.custom_objects().items()}
        if name in tails:
            return tails[name]
    raise _not_found("function", name)


def _read_object(record: dict, kind: str | None) -> Any:
    config, shared = _config(record), _shared.get()
    identity = record.get(SHARED)
    if isinstance(identity, int) and shared is not None and identity in shared:
        return shared[identity]
    cls = _find_class(record, kind)
    if not hasattr(cls, "from_config"):
        return _without_config(cls, record)
    try:
        instance = cls.from_config(config)
    except TypeError as error:
        error.add_note(f"(while reading {record['class_name']!r} from its config)")
        raise
    _finish(instance, record)
    if isinstance(identity, int) and shared is not None:
        shared[identity] = instance
    return instance


def _without_config(cls: Any, record: dict) -> Any:
    if inspect.isfunction(cls):  # a custom function given under a class's name
        return cls
    raise TypeError(
        f"{record['class_name']!r} cannot be rebuilt: {cls!r} has no `from_config`. "
        "Derive it from a class of this library, or add the method."
    )


def _finish(instance: Any, record: dict) -> None:
    """Build and compile as the record says, where the class knows how."""
    build, compile_ = record.get("build_config"), record.get("compile_config")
    if build and hasattr(instance, "build_from_config") and not getattr(instance, "built", False):
        instance.build_from_config(build)
    if compile_ and hasattr(instance, "compile_from_config"):
        instance.compile_from_config(compile_)


def _find_class(record: dict, kind: str | None) -> Any:
    name, module = record["class_name"], record.get("module")
    registered = record.get("registered_name")
    for custom in (registered, name if registered is None and module is None else None):
        found = catalog.get_registered_object(custom) if isinstance(custom, str) else None
        if found is not None:
            return found
    found = _builtin(name, module, kind)
    if found is None:
        found = catalog.get_registered_object(name)  # custom_objects={"MyLayer": MyLayer}
    elif registered not in (None, name, f"Custom>{name}"):
        raise ValueError(
            f"The record names the built-in {module}.{name} but registers it as {registered!r}. "
            "The file is damaged or not to be trusted."
        )
    if found is None:
        raise _not_found("class", name, registered)
    return found


def _builtin(name: str, module: Any, kind: str | None) -> Any:
    name = name.removeprefix("Custom>")  # tf.keras since 2.11 writes its own optimizers so
    if isinstance(module, str):
        found = catalog.find_by_path(module, name)
        return found if isinstance(found, type) else None
    if kind is not None:
        return catalog.find(kind, name)
    return catalog.find_by_path("keras", name)


def _not_found(what: str, name: str, registered: str | None = None) -> TypeError:
    custom = sorted(catalog.custom_objects())
    every = [word for kind in catalog.KINDS for word in catalog.names_of(kind)]
    called = f" (registered as {registered!r})" if registered not in (None, name) else ""
    return TypeError(
        f"Could not find the {what} {name!r}{called}.{catalog.suggest(name, [*every, *custom])} "
        "If it is yours, decorate it with `register_keras_serializable()` and import its module "
        "first, or pass it in `custom_objects`."
    )


def _write_array(array: np.ndarray) -> dict:
    return {"value": array.tolist(), "dtype": standardize_dtype(array.dtype)}


def _read_array(config: dict) -> np.ndarray:
    dtype = config.get("dtype")
    # names only: numpy also reads descriptions such as "(1000000,)f8" or "O"
    if not isinstance(dtype, str) or standardize_dtype(dtype) in ("string", "bfloat16"):
        raise ValueError(f"An array in a file must be of numbers. Received: dtype={dtype!r}.")
    return np.array(config.get("value"), dtype=dtype)


def _write_slice(part: slice) -> dict:
    return {name: serialize(getattr(part, name)) for name in ("start", "stop", "step")}


def _read_slice(config: dict) -> slice:
    return slice(*(_read(config.get(name)) for name in ("start", "stop", "step")))


add_special("__numpy__", np.ndarray, _write_array, _read_array)
_readers["__tensor__"] = _read_array
add_special("__slice__", slice, _write_slice, _read_slice)
add_special("__ellipsis__", type(Ellipsis), lambda _: {}, lambda _: Ellipsis)
add_special(
    "__bytes__",
    bytes,
    lambda value: {"value": value.decode("utf-8")},
    lambda config: str(config.get("value")).encode("utf-8"),
)
