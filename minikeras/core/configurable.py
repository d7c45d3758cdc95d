"""`Configurable`: configs are read off constructor signatures; no class writes its `get_config`."""

import inspect
import types
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from . import tree
from .serialize import deserialize, serialize, serialize_function

__all__ = ["Configurable"]

_OURS = __name__.partition(".")[0]


class Configurable:
    """A base class whose config is its constructor's arguments, each kept on `self` under its name.

    Signatures are read from the most basic class down, as far up as `**kwargs` (or `*args,
    **kwargs`) leads. A class that overrides `get_config` answers for its own arguments.
    `_config_skip` names arguments that a class leaves out, `_config_optional` those left out while
    None.

    >>> class Scale(Configurable):
    ...     def __init__(self, factor=2.0, axes=(1, 2)):
    ...         self.factor, self.axes = factor, axes
    >>> Scale(3.0).get_config()
    {'factor': 3.0, 'axes': (1, 2)}
    >>> Scale.from_config({"factor": 5.0}).factor
    5.0
    """

    _config_skip: frozenset[str] | tuple[str, ...] = ()
    _config_optional: frozenset[str] | tuple[str, ...] = ()

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values and records.

        Raises TypeError naming the argument that cannot be read back.
        """
        config: dict[str, Any] = {}
        for cls, name in _arguments(type(self)):
            if name in cls.__dict__.get("_config_skip", ()):
                continue
            value = self._config_value(cls, name)
            if value is None and name in cls.__dict__.get("_config_optional", ()):
                continue
            config[name] = value
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """A new object from what `get_config` returned."""
        if _owner_of_get_config(cls).__module__.partition(".")[0] != _OURS:
            return cls(**config)  # who writes the config by hand also reads it by hand
        return cls(**{name: _revive(value) for name, value in config.items()})

    def _config_argument(self, name: str) -> Any:
        """The value of one constructor argument; override where it is kept under another name."""
        return getattr(self, name)

    def _config_value(self, cls: type, name: str) -> Any:
        try:
            value = self._config_argument(name)
        except AttributeError:
            raise TypeError(
                f"{type(self).__name__}.get_config() cannot read its argument {name!r} back: "
                f"{cls.__name__}.__init__ does not keep it. Store it as `self.{name}`, or write "
                "`get_config` yourself."
            ) from None
        try:
            return _plain(value, _is_ours(cls))
        except TypeError as error:
            raise TypeError(
                f"{type(self).__name__}.get_config() cannot write its argument {name!r}: {error}"
            ) from error


def _arguments(cls: type) -> Iterator[tuple[type, str]]:
    """(class, argument) of every constructor, the most basic class first, each argument once."""
    levels: list[tuple[type, tuple[str, ...]]] = []
    answered = _answered(cls)
    for base in cls.__mro__:
        if "__init__" not in base.__dict__ or base is object:
            continue
        names, passes_on = _signature(base)
        if base not in answered:
            levels.append((base, names))
        if not passes_on:
            break
    seen: dict[str, type] = {}
    for base, names in levels:  # the most derived class that names an argument decides about it
        for name in names:
            seen.setdefault(name, base)
    for _, names in reversed(levels):
        for name in names:
            if name in seen:
                yield seen.pop(name), name


def _answered(cls: type) -> list[type]:
    """The classes whose own `get_config`, on its way up to ours, has spoken for them."""
    line = cls.__mro__[: cls.__mro__.index(Configurable)]
    writers = [at for at, base in enumerate(line) if "get_config" in base.__dict__]
    return list(line[writers[0] : writers[-1] + 1]) if writers else []


@lru_cache(maxsize=1024)
def _signature(cls: type) -> tuple[tuple[str, ...], bool]:
    """The named arguments of a constructor, and whether it hands further ones up by `**kwargs`."""
    names = []
    parameters = list(inspect.signature(cls.__init__).parameters.values())[1:]
    passes_on = any(p.kind is p.VAR_KEYWORD for p in parameters)
    for parameter in parameters:
        if parameter.kind is parameter.VAR_KEYWORD:
            continue
        if parameter.kind is parameter.VAR_POSITIONAL:
            if passes_on and parameter.name == "args":
                continue  # `*args, **kwargs` as a whole goes to the class above, which names them
            raise TypeError(
                f"{cls.__name__}.__init__ takes *{parameter.name}, which a config cannot hold. "
                "Name the arguments, or write `get_config`."
            )
        else:
            names.append(parameter.name)
    return tuple(names), passes_on


def _plain(value: Any, ours: bool) -> Any:
    """A value as configs hold it; our own constructors take functions by their bare names."""
    if isinstance(value, types.FunctionType) and ours:
        return serialize_function(value)
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        value = tuple(value)
    return serialize(value)


def _revive(value: Any) -> Any:
    """Records that name their module become objects; the rest is left to the constructor."""
    if isinstance(value, dict) and {"class_name", "config"} <= value.keys():
        special = str(value["class_name"]).startswith("__")
        return deserialize(value) if "module" in value or special else value
    if tree.is_nested(value):
        children = value.items() if isinstance(value, dict) else enumerate(value)
        return tree.rebuild(value, {key: _revive(child) for key, child in children})
    return value


def _owner_of_get_config(cls: type) -> type:
    return next(base for base in cls.__mro__ if "get_config" in base.__dict__)


def _is_ours(cls: type) -> bool:
    return cls.__module__.partition(".")[0] == _OURS
