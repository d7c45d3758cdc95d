"""Symbol: a value of which only shape and dtype are known (Keras's KerasTensor)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from ..autodiff.primitive import Primitive
from ..autodiff.spec import Spec, as_array
from ..autodiff.tensor import Tensor
from ..core import tree
from ..core.names import auto_name

# Unknown dimensions are filled with two different primes; what changes with them is unknown too.
# They lie apart, so that what takes wide steps over them changes as well.
FILLS = (1009, 4001)


class Symbol:
    """A value that does not exist yet: shape (None where unknown) and dtype.

    Attributes:
        node: The call that made it (None for an input).
        index: Which output of that call it is.
    """

    __slots__ = ("dtype", "index", "layer", "mask", "name", "node", "shape")
    __array_ufunc__ = None
    priority = 2

    def __init__(
        self,
        shape: Sequence[int | None],
        dtype: str = "float32",
        name: str | None = None,
        node: Node | None = None,
        index: int = 0,
    ):
        self.shape = tuple(None if n is None else int(n) for n in shape)
        self.dtype = dtype
        self.name = name or auto_name("keras_tensor")
        self.node = node
        self.index = index
        self.mask: Any = None
        self.layer: Any = None  # the InputLayer of an input

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def _keras_mask(self) -> Any:
        return self.mask

    def _refuse(self, what: str, advice: str) -> TypeError:
        return TypeError(
            f"{what} '{self.name}' of shape {self.shape}, which has no value: it stands for what "
            f"is given later. {advice}"
        )

    def _no_value(self, *_: Any, **__: Any) -> Any:
        raise self._refuse(
            "A number, or an array for a function of numpy, was asked of the symbol",
            "Use the functions of minikeras.ops, or write a layer around those of numpy.",
        )

    __float__ = __int__ = __index__ = __array__ = numpy = item = _no_value

    def __bool__(self) -> bool:
        raise self._refuse(
            "A Python `if`, `while`, `and`, `or` or `not` asked for the truth of the symbol",
            "Use ops.where or ops.cond.",
        )

    def __iter__(self) -> Any:
        raise self._refuse("A Python loop ran over the symbol", "Use ops.unstack or x[:, i].")

    def __len__(self) -> int:
        raise self._refuse("len() was asked of the symbol", "Use x.shape[0] or ops.shape(x)[0].")

    def __setitem__(self, key: Any, value: Any) -> None:
        raise self._refuse(
            "A part was to be assigned to the symbol",
            "Use ops.where, ops.slice_update or ops.scatter_update, which give a new one.",
        )

    def __repr__(self) -> str:
        return f"<Symbol shape={self.shape}, dtype={self.dtype}, name={self.name}>"

    @staticmethod
    def __primitive__(primitive: Primitive, args: tuple, static: dict) -> Any:
        return apply(primitive, args, static)


class Operation:
    """A function that is called on symbols outside of layers: a step of a graph with a name."""

    __slots__ = ("_name", "function")

    def __init__(self, function: Callable[..., Any]):
        self.function = function
        self._name: str | None = None

    @property
    def name(self) -> str:
        if self._name is None:  # given when somebody asks: most such steps are inside of layers
            plain = getattr(self.function, "name", None) or self.function.__name__
            self._name = auto_name({"getitem": "get_item"}.get(plain, plain))
        return self._name

    @name.setter
    def name(self, name: str) -> None:
        self._name = name

    @property
    def given_name(self) -> str | None:
        """The name, if it has been given yet."""
        return self._name

    @property
    def kind(self) -> str:
        """What kind of step it is, as class names are written: "LeakyRelu"."""
        plain = getattr(self.function, "name", None) or self.function.__name__
        return "".join(word.capitalize() for word in plain.split("_")).replace("Getitem", "GetItem")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<Operation name={self.name}>"


def keep_name(result: Any, name: str) -> None:
    """Give the step that made `result` the name that it had elsewhere, in a file or a model."""
    node = tree.flatten(result)[0].node
    if node is not None and isinstance(node.operation, Operation):
        node.operation.name = name


class Node(NamedTuple):
    """One call that made symbols: the operation, what it was given and what it gave."""

    operation: Any
    args: tuple
    kwargs: dict
    outputs: list[Symbol]


def _filled(value: Any, fill: int) -> Any:
    if value is None:
        return None
    if not hasattr(value, "dtype"):
        value = as_array(value)
    dtype = value.dtype if isinstance(value.dtype, str) else value.dtype.name
    return Spec(tuple(fill if n is None else n for n in value.shape), dtype)


@contextmanager
def unknown_in_messages() -> Iterator[None]:
    """Errors raised in the block say None where they name what stands for an unknown dimension."""
    try:
        yield
    except Exception as error:
        words = re.compile("|".join(rf"\b{fill}\b" for fill in FILLS))
        error.args = tuple(words.sub("None", a) if isinstance(a, str) else a for a in error.args)
        raise


def infer(specs: Callable[..., Sequence[Spec]], values: Sequence[Any]) -> list[tuple[tuple, str]]:
    """(shape, dtype) of each output of `specs`, where inputs may have unknown dimensions."""
    with unknown_in_messages():
        first, second = (specs([_filled(v, fill) for v in values]) for fill in FILLS)
    return [
        (tuple(a if a == b else None for a, b in zip(x.shape, y.shape, strict=True)), x.dtype)
        for x, y in zip(first, second, strict=True)
    ]


def apply(primitive: Primitive, args: tuple, static: dict) -> Any:
    """The symbols that a primitive makes of symbols; nothing is computed."""
    found = infer(lambda specs: primitive.specs(specs, static), args)[: primitive.outputs]
    node = Node(Operation(primitive), args, static, [])
    node.outputs.extend(
        Symbol(s, d, auto_name("keras_tensor"), node, i) for i, (s, d) in enumerate(found)
    )
    return primitive.visible(node.outputs)


def is_symbolic(value: Any) -> bool:
    """Whether a nest holds a symbol."""
    return any(isinstance(leaf, Symbol) for leaf in tree.flatten(value))


def is_traced(value: Any) -> bool:
    """Whether a nest holds a tensor or a symbol."""
    return any(isinstance(leaf, Tensor | Symbol) for leaf in tree.flatten(value))
