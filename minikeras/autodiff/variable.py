"""Variable: the only place where state lives."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.names import auto_name, path_of
from ..core.versioned import Changes
from .context import NotReplayableError, context
from .primitive import Primitive
from .spec import Spec, as_array
from .tensor import Tensor, apply


class Variable:
    """An array that persists between calls: a weight, a moving average, a counter.

    Its buffer is allocated once and keeps its address; `assign`, `set_weights` and loading copy
    into it.

    Args:
        initializer: An array (or anything numpy reads as one), or a function of (shape, dtype).
        shape: Shape for an initializer function.
        dtype: Dtype name; defaults to the array's, or `floatx()`.
        trainable: Whether `fit` may change it by gradients.
        name: Display name.

    Example:

    >>> from minikeras import Variable
    >>> v = Variable([1.0, 2.0], name="v")
    >>> v.assign([3.0, 4.0]).numpy()
    array([3., 4.], dtype=float32)
    """

    __array_ufunc__ = None
    priority = 0

    def __init__(
        self,
        initializer: Any,
        shape: Any = None,
        dtype: str | None = None,
        trainable: bool = True,
        name: str | None = None,
    ):
        if callable(initializer):
            if shape is None:
                raise ValueError("Variable needs a `shape` when the initializer is a function.")
            initial = initializer(tuple(shape), dtype=dtype)
            initial = initial.value if isinstance(initial, Tensor) else initial
        else:
            initial = initializer
        array = as_array(getattr(initial, "_buffer", initial))
        own = getattr(initializer, "fresh", False)  # an array that nobody else holds
        self._buffer = np.array(
            array, dtype=dtype or array.dtype, order="C", copy=None if own else True
        )
        self._trainable = trainable
        self.name = name or auto_name("variable")
        self.path = path_of(self.name)
        self.regularizer: Any = None
        self.constraint: Any = None
        self.learnable = trainable  # what it was made as; `trainable` may be switched off and on
        self.decays = True  # False: excluded from weight decay
        self.is_table = False  # True: a step may use few of its rows

    @property
    def trainable(self) -> bool:
        """Whether `fit` may change it by gradients."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        if value != self._trainable:
            self._trainable = value
            Changes.count += 1

    @property
    def shape(self) -> tuple[int, ...]:
        return self._buffer.shape

    @property
    def dtype(self) -> str:
        return self._buffer.dtype.name

    @property
    def ndim(self) -> int:
        return self._buffer.ndim

    @property
    def size(self) -> int:
        return self._buffer.size

    @property
    def spec(self) -> Spec:
        return Spec(self.shape, self.dtype)

    def _storage(self) -> np.ndarray:
        """The array that reads and writes go to: the buffer, or a stateless call's private copy."""
        return self._buffer if context.scope is None else context.scope.get(id(self), self._buffer)

    @property
    def value(self) -> Any:
        """The current value: a Tensor where something records, else a copy of the array."""
        return self._tensor() if context.tracing else self._storage().copy()

    def numpy(self) -> np.ndarray:
        """A copy of the current value."""
        if context.recorder is not None and context.recorder.writes(self):
            raise NotReplayableError(
                f"Variable '{self.path}' was read after the recorded step changed it."
            )
        return self._storage().copy()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if context.recorder is not None:
            raise NotReplayableError(
                f"Variable '{self.path}' was read as a numpy array in a recorded step."
            )
        return np.array(self._storage(), dtype=dtype, copy=copy)

    def __float__(self) -> float:
        return float(self.__array__())

    def __int__(self) -> int:
        return int(self.__array__())

    def __len__(self) -> int:
        return len(self._buffer)

    def __repr__(self) -> str:
        what = f"shape={self.shape}, dtype={self.dtype}, value={self._buffer}"
        return f"<Variable path={self.path}, {what}>"

    def _tensor(self) -> Tensor:
        """The Tensor of the current value, the same one until the Variable is assigned."""
        entry = context.lifted.get(id(self))
        if entry is None:
            recorder = context.recorder
            tensor = Tensor(self._storage()) if recorder is None else recorder.variable(self)
            entry = context.lifted[id(self)] = (self, tensor)
        return entry[1]

    def assign(self, value: Any) -> Variable:
        """Copy `value` into the buffer. The shapes must be equal (a scalar fills)."""
        value = value if hasattr(value, "shape") else as_array(value)
        shape = tuple(value.shape)
        if shape != self.shape and shape != ():
            raise ValueError(
                f"Variable '{self.path}' has shape {self.shape} and cannot take a value of another "
                f"shape. Received: {shape}."
            )
        if context.recorder is not None:
            assign(self, value)
        else:
            self.before_write()
            np.copyto(self._storage(), _array(value), casting="unsafe")
        return self

    def assign_add(self, value: Any) -> Variable:
        return self.assign(self + value)  # type: ignore[operator]

    def assign_sub(self, value: Any) -> Variable:
        return self.assign(self - value)  # type: ignore[operator]

    def before_write(self) -> None:
        """Give tensors that were read earlier their own copy, so that they keep what they saw."""
        entry = context.lifted.pop(id(self), None)
        storage = self._storage()
        if entry is not None and entry[1]._value is storage:
            entry[1]._value = storage.copy()

    @staticmethod
    def __primitive__(primitive: Primitive, args: tuple, static: dict) -> Any:
        if context.tracing:
            return apply(primitive, args, static)
        arrays = [a._storage() if isinstance(a, Variable) else a for a in args]
        if primitive.view:  # a result must not change when the Variable does
            arrays = [a.copy() for a in arrays]
        return primitive.visible(primitive.execute(arrays, static))


def _array(value: Any) -> np.ndarray:
    if isinstance(value, Tensor):
        return value.value
    return value._storage() if isinstance(value, Variable) else as_array(value)


def _copy_into(ins: list[np.ndarray], outs: list[np.ndarray]) -> None:
    np.copyto(ins[0], ins[1], casting="unsafe")


assign = Primitive("assign", lambda *ins: (), _copy_into, outputs=0, host=True, writes=(0,))
