"""Tensor: a value that remembers where it came from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .context import NotReplayableError, context
from .spec import Spec, spec_of

if TYPE_CHECKING:
    from .primitive import Primitive


class Tensor:
    """An array under a tape or a program.

    Under a tape `value` is the numpy array. While a program is recorded nothing is computed:
    `value` is None and only `shape` and `dtype` are known, so reading numbers out of it raises
    `NotReplayableError` (the function then runs eagerly).
    """

    __slots__ = ("_value", "mask", "slot", "spec")
    __array_ufunc__ = None  # numpy operators hand over to ours
    priority = 1

    def __init__(self, value: np.ndarray | None, spec: Spec | None = None, slot: Any = None):
        self._value = value
        self.spec = spec_of(value) if spec is None else spec
        self.slot = slot
        self.mask: Any = None

    @property
    def shape(self) -> tuple[int, ...]:
        return self.spec.shape

    @property
    def dtype(self) -> str:
        return self.spec.dtype

    @property
    def ndim(self) -> int:
        return len(self.spec.shape)

    @property
    def size(self) -> int:
        return self.spec.size

    @property
    def _keras_mask(self) -> Any:
        return self.mask

    @property
    def known(self) -> bool:
        """Whether there is a value that holds for good: not while a step is recorded."""
        return self.slot is None and self._value is not None

    @property
    def value(self) -> np.ndarray:
        if self._value is None:
            raise NotReplayableError(
                "The value of a traced tensor was read while a step was being recorded. Use "
                "minikeras.ops on it, or compile with run_eagerly=True."
            )
        return self._value

    def numpy(self) -> np.ndarray:
        return self.value

    def item(self) -> Any:
        return self.value.item()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.value, dtype=dtype, copy=copy)

    def __float__(self) -> float:
        return float(self.value)

    def __int__(self) -> int:
        return int(self.value)

    def __index__(self) -> int:
        return self.value.__index__()

    def __bool__(self) -> bool:
        if self._value is None:
            raise NotReplayableError(
                "A Python `if`, `while`, `and`, `or` or `not` asked for the truth of a traced "
                "tensor, whose value is not known yet. Use ops.where or ops.cond, or compile with "
                "run_eagerly=True."
            )
        return bool(self.value)

    def __setitem__(self, key: Any, value: Any) -> None:
        raise TypeError(
            f"A part was to be assigned to a tensor of shape {self.shape}, which cannot change. "
            "Use ops.where, ops.slice_update or ops.scatter_update, which give a new one."
        )

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("A scalar tensor has no length.")
        return self.shape[0]

    def __iter__(self):
        return (self[i] for i in range(len(self)))  # type: ignore[index]

    def __repr__(self) -> str:
        what = "traced" if self._value is None else repr(self._value)
        return f"<Tensor shape={self.shape} dtype={self.dtype} {what}>"

    @staticmethod
    def __primitive__(primitive: Primitive, args: tuple, static: dict) -> Any:
        return apply(primitive, args, static)


def _eager(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.value
    if hasattr(value, "before_write"):
        value.before_write()
        return value._storage()
    return value


def lift(value: Any) -> Any:
    """The Tensor that stands for a Variable here; anything else unchanged."""
    to_tensor = getattr(value, "_tensor", None)
    return value if to_tensor is None else to_tensor()


def apply(primitive: Primitive, args: tuple, static: dict) -> Any:
    """Apply a primitive where something records: compute it or note it, and tell the tapes."""
    if len(context.tapes) > 1 and primitive.composite is not None:
        return primitive.composite(*args, **static)
    ins = [a if k in primitive.writes else lift(a) for k, a in enumerate(args)]
    if context.recorder is not None:
        outs = context.recorder.apply(primitive, ins, static)
    else:
        values = [_eager(i) for i in ins]
        if primitive.view and any(tensor is ins[0] for _, tensor in context.lifted.values()):
            values[0] = values[0].copy()  # a view of a Variable would change with it
        outs = [Tensor(a) for a in primitive.execute(values, static)]
    for tape in context.tapes:
        tape.record(primitive, ins, outs, static)
    return primitive.visible(outs)
