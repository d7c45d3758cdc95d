"""The tables of names: built-in classes and functions by kind, and the user's custom objects.

Classes enter their names where they are defined (`@register("layers")`), so that files and strings
are looked up in these tables and nothing named in a file is ever imported.
"""

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any

from .names import to_snake_case
from .validate import one_of, suggest

__all__ = [
    "KINDS",
    "custom_object_scope",
    "find",
    "find_by_path",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "names_of",
    "public_path",
    "register",
    "register_keras_serializable",
]

# kind -> the public module that its members name in files, unless they say otherwise
KINDS = {
    "layers": "keras.layers",
    "losses": "keras.losses",
    "metrics": "keras.metrics",
    "optimizers": "keras.optimizers",
    "schedules": "keras.optimizers.schedules",
    "initializers": "keras.initializers",
    "regularizers": "keras.regularizers",
    "constraints": "keras.constraints",
    "activations": "keras.activations",
    "callbacks": "keras.callbacks",
    "dtype_policies": "keras",
    "operations": "keras.src.ops.numpy",
}
# the words of a module path that tell the kind; "keras.src.ops.nn" holds operations, for instance
_WORDS = {**{kind: kind for kind in KINDS}, "models": "layers", "ops": "operations"}
_ROOTS = ("keras", "tf_keras", "tensorflow")

_exact: dict[str, dict[str, Any]] = {kind: {} for kind in KINDS}
_tolerant: dict[str, dict[str, Any]] = {kind: {} for kind in KINDS}
_paths: dict[Any, tuple[str, str]] = {}
_by_path: dict[tuple[str, str], Any] = {}

_global_objects: dict[str, Any] = {}
_global_names: dict[Any, str] = {}
_scope: ContextVar[Mapping[str, Any]] = ContextVar("custom_objects", default=MappingProxyType({}))


def register(
    kind: str, *aliases: str, name: str | None = None, module: str | None = None
) -> Callable[[Any], Any]:
    """Decorator that enters a class or function under its name, its snake case, and `aliases`.

    `name` and `module` are what files say ("Dense" in "keras.layers"); they default to the object's
    own name and the public module of the kind.
    """
    one_of(kind, tuple(KINDS), "kind")

    def enter(member: Any) -> Any:
        public = name or member.__name__
        path = (module or KINDS[kind], public)
        _paths[member] = path
        _by_path[path] = member
        for word in (public, to_snake_case(public), *aliases):
            _exact[kind].setdefault(word, member)
            _tolerant[kind].setdefault(_bare(word), member)
        # an exact name always means its own object, whichever alias was there before
        _exact[kind][public] = member
        return member

    return enter


def find(kind: str, name: str) -> Any:
    """The built-in of this kind and name, letter case and underscores aside; None if unknown."""
    found = _exact[kind].get(name)
    return _tolerant[kind].get(_bare(name)) if found is None else found


def find_by_path(module: str, name: str) -> Any:
    """The built-in that a file calls `module` + `name`, or None.

    Also takes the source paths of other versions and backends ("keras.src.layers.core.dense"),
    whose words tell the kind. Nothing is imported.
    """
    found = _by_path.get((module, name))
    if found is not None:
        return found
    if module.partition(".")[0] not in _ROOTS:
        return None
    kind = kind_of(module)
    tables = _exact.values() if kind is None else (_exact[kind],)
    return next((table[name] for table in tables if name in table), None)


def kind_of(module: str) -> str | None:
    """The kind that the words of a module path tell, the last word first."""
    return next((_WORDS[word] for word in reversed(module.split(".")) if word in _WORDS), None)


def names_of(kind: str) -> list[str]:
    """All spellings of a kind, sorted; for suggestions and for tests of coverage."""
    return sorted(_exact[kind])


def public_path(member: Any) -> tuple[str, str] | None:
    """(module, name) by which files know a built-in class or function; None for other objects."""
    return _paths.get(member) if _hashable(member) else None


def unknown(kind: str, name: Any) -> ValueError:
    """The error for a name that is not in the table of `kind`."""
    what = _singular(kind)
    hint = suggest(name, [*names_of(kind), *custom_objects()])
    others = [k for k in KINDS if k != kind and isinstance(name, str) and find(k, name) is not None]
    if others:
        article = "an" if others[0][0] in "aeiou" else "a"
        hint = f" There is {article} {_singular(others[0])} of this name: are arguments swapped?"
    return ValueError(
        f"Unknown {what}.{hint} Expected a name from `{KINDS[kind]}`, an object of that kind, "
        f"a config dict, or the name of a registered custom object. Received: {name!r}."
    )


def _singular(kind: str) -> str:
    return {"losses": "loss"}.get(kind, kind.rstrip("s"))


def custom_objects() -> dict[str, Any]:
    """All custom objects now in force: the innermost scope wins over the global ones."""
    return {**_global_objects, **_scope.get()}


@contextmanager
def custom_object_scope(custom_objects: Mapping[str, Any]) -> Iterator[None]:
    """Within the block, `custom_objects` (name to class or function) are known by their names.

    >>> with custom_object_scope({"Twice": float}):
    ...     get_registered_object("Twice")
    <class 'float'>
    """
    token = _scope.set({**_scope.get(), **(custom_objects or {})})
    try:
        yield
    finally:
        _scope.reset(token)


def get_custom_objects() -> dict[str, Any]:
    """The global table of custom objects, by registered name; change it in place."""
    return _global_objects


def register_keras_serializable(
    package: str = "Custom", name: str | None = None
) -> Callable[[Any], Any]:
    """Decorator that lets files hold a class or function of yours, as "package>name".

    Raises ValueError for a class without `get_config`, since it could not be saved.

    >>> @register_keras_serializable("shapes")
    ... def double(x): return x + x
    >>> get_registered_name(double), get_registered_object("shapes>double") is double
    ('shapes>double', True)
    """

    def enter(member: Any) -> Any:
        if inspect.isclass(member) and not hasattr(member, "get_config"):
            raise ValueError(
                f"{member.__name__} cannot be registered as serializable: it has no `get_config` "
                "method. Add one that returns the constructor's arguments."
            )
        registered = f"{package}>{name or member.__name__}"
        _global_objects[registered] = member
        _global_names[member] = registered
        return member

    return enter


def get_registered_name(obj: Any) -> str:
    """The name an object was registered under, else its own `__name__`."""
    if _hashable(obj) and obj in _global_names:
        return _global_names[obj]
    return obj.__name__


def get_registered_object(
    name: str | None,
    custom_objects: Mapping[str, Any] | None = None,
    module_objects: Mapping[str, Any] | None = None,
) -> Any:
    """The custom object of this name, or None: from the argument, the scope, the global table."""
    for table in (custom_objects, _scope.get(), _global_objects, module_objects):
        if name is not None and table and name in table:
            return table[name]
    return None


def _bare(name: str) -> str:
    return name.replace("_", "").replace("-", "").lower()


def _hashable(member: Any) -> bool:
    return isinstance(member, type) or callable(member) and type(member).__hash__ is not None
