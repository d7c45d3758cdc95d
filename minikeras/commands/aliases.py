"""`keras` and `tensorflow.keras` as names of this library, for the process that runs a script.

`install` puts a finder in front of Python's own. It answers for these two packages only, with the
modules that Keras documents; nothing is written to disk and no other process sees it.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any

from . import legacy_backend, tensorflow

__all__ = ["KERAS_VERSION", "install", "remove"]

KERAS_VERSION = "3.15.0"  # whose names and numbers these are
TENSORFLOW_VERSION = "2.20.0"
OURS = __name__.partition(".")[0]
ROOTS = ("keras", "tensorflow")

# The modules that Keras 3 documents, whether this library has them or not.
DOCUMENTED = (
    *("activations", "applications", "backend", "callbacks", "config", "constraints", "datasets"),
    *("distribution", "dtype_policies", "export", "initializers", "layers", "losses", "metrics"),
    *("mixed_precision", "models", "ops", "optimizers", "preprocessing", "quantizers", "random"),
    *("regularizers", "saving", "tree", "utils", "visualization", "wrappers"),
    *("optimizers.schedules", "preprocessing.image", "preprocessing.sequence"),
    *(f"datasets.{name}" for name in ("boston_housing", "california_housing", "cifar10")),
    *(f"datasets.{name}" for name in ("cifar100", "fashion_mnist", "imdb", "mnist", "reuters")),
    *(f"ops.{name}" for name in ("image", "linalg", "nn", "numpy")),
    *("utils.bounding_boxes", "utils.legacy"),
)
EXTRA = ("datasets.digits",)


class Stand(ModuleType):
    """A package of another name, with this library's public names and some of its own.

    Args:
        name: Its full name.
        own: Names that differ.
    """

    def __init__(self, name: str, own: dict[str, Any]):
        super().__init__(name, f"{OURS} under the name of {name}.")
        self.__path__: list[str] = []
        self.__dict__.update(own)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name not in _public():
            raise AttributeError(_missing(f"{self.__name__}.{name}"))
        return getattr(sys.modules[OURS], name)

    def __dir__(self) -> list[str]:
        return sorted({*self.__dict__, *_public()})


def _public() -> list[str]:
    return sys.modules[OURS].__all__


class _Finder(importlib.abc.MetaPathFinder):
    """Finds the modules of `ROOTS`."""

    def __init__(self) -> None:
        here = f"{OURS}.{sys.modules[OURS].__version__}"
        version = f"{KERAS_VERSION}+{here}"
        own = {"__version__": version, "version": lambda: version}
        self.keras = Stand("keras", own)
        # TensorFlow still documents the functions of the former backend room
        tf_keras = Stand("tensorflow.keras", {**own, "backend": legacy_backend.module()})
        self.tf_keras = tf_keras
        self.tensorflow = tensorflow.module(self.tf_keras, f"{TENSORFLOW_VERSION}+{here}")

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: Any = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname.partition(".")[0] not in ROOTS:
            return None
        module = self._module(fullname)
        package = hasattr(module, "__path__")
        return importlib.machinery.ModuleSpec(fullname, _Ready(module), is_package=package)

    def _module(self, fullname: str) -> ModuleType:
        root, _, rest = fullname.partition(".")
        if root == "tensorflow":
            if rest and rest.partition(".")[0] != "keras":
                return self._part_of_tensorflow(fullname, rest)
            rest = rest.partition(".")[2]
            if fullname == "tensorflow":
                return self.tensorflow
            if rest == "backend":
                return self.tf_keras.backend
        if not rest:
            return self.keras if root == "keras" else self.tf_keras
        return _room(rest, fullname)

    def _part_of_tensorflow(self, fullname: str, rest: str) -> ModuleType:
        found: Any = self.tensorflow
        for name in rest.split("."):
            found = getattr(found, name, None)
        if not isinstance(found, ModuleType):
            raise ImportError(tensorflow.missing(fullname.replace("tensorflow", "tf", 1)))
        return found


class _Ready(importlib.abc.Loader):
    """Gives a module that exists already, and leaves it as it is."""

    def __init__(self, module: ModuleType):
        self._ready, self._spec = module, module.__spec__

    def create_module(self, spec: Any) -> ModuleType:
        return self._ready

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self._spec


def _room(rest: str, fullname: str) -> ModuleType:
    """The module of ours behind ``keras.<rest>``."""
    if rest not in (*DOCUMENTED, *EXTRA):
        raise ImportError(_missing(fullname))
    try:
        return importlib.import_module(f"minikeras.{rest}")
    except ModuleNotFoundError as error:
        if not str(error.name).startswith(OURS):
            raise
    # a module that is only an attribute, as `optimizers.schedules` may be
    found: Any = sys.modules[OURS]
    for name in rest.split("."):
        found = getattr(found, name, None)
    if not isinstance(found, ModuleType):
        raise ImportError(_missing(fullname))
    return found


def _missing(fullname: str) -> str:
    """Why there is no such module or name, and where to look."""
    rest = fullname.removeprefix("tensorflow.").partition(".")[2]
    if rest in DOCUMENTED:
        return f"{OURS} has no {fullname}. It has: {', '.join(sorted(_public()))}."
    parent = rest
    while parent and parent not in DOCUMENTED:
        parent = parent.rpartition(".")[0]
    where = f"keras.{parent}" if parent else f"keras: {', '.join(sorted(_public()))}"
    return f"{fullname} is not among what Keras 3 documents. Import from {where}."


def install() -> _Finder:
    """Let `keras` and `tensorflow` mean this library in this process.

    Raises:
        RuntimeError: Another package of that name has been imported already.
    """
    for root in ROOTS:
        if root in sys.modules:
            raise RuntimeError(f"{root} has been imported already: {sys.modules[root]!r}.")
    finder = _Finder()
    sys.meta_path.insert(0, finder)
    return finder


def remove(finder: _Finder) -> None:
    """Undo `install`."""
    sys.meta_path.remove(finder)
    for name in [n for n in sys.modules if n.partition(".")[0] in ROOTS]:
        del sys.modules[name]
