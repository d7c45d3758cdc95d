"""What the recurrent networks over whole sequences have in common: checks, products, steps."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import kernels
from ..autodiff.spec import Spec
from . import elementwise as e
from .core import cast, convert_to_tensor
from .core import ndim as _ndim
from .linalg import (
    _flat_rows,
    _floats,
    _gemm,
    _matmul,
    _rows,
)
from .shapes import expand_dims, getitem, reshape, stack

MOST_UNITS = 1 << 15


_ENOUGH = 1 << 17  # multiplications that are worth a task of their own
_ENOUGH_OF_A_STEP = 1 << 15  # those that are worth sharing each step
_KEPT = 3 << 20  # bytes of weights that a thread can keep all by itself


def tasks_of(sequence: np.ndarray, weights: int) -> int:
    """Tasks of a walk through sequences: each has rows of the batch for itself."""
    batch, steps, _ = sequence.shape
    work = batch * steps * weights // _ENOUGH
    return max(1, min(batch, kernels.num_threads(), work))


def walk(name: str, other: str, x: np.ndarray, recurrent: np.ndarray, *arguments: Any) -> Any:
    """The launch of a walk through sequences.

    Args:
        name: The kernel whose tasks share the rows.
        other: The one whose tasks share the units, for fewer rows than threads.
    """
    batch, steps, _ = x.shape
    parts = min(kernels.num_threads(), batch * recurrent.size // _ENOUGH_OF_A_STEP)
    if parts > batch and steps > 0 and recurrent.nbytes <= _KEPT:
        turns = kernels.turns(parts)
        given = (turns, kernels.yields(), recurrent, *arguments)
        return kernels.launch(other, *given, tasks=parts)
    return kernels.launch(name, recurrent, *arguments, tasks=tasks_of(x, recurrent.size))


def absent(array: np.ndarray | None, like: np.ndarray, rank: int) -> np.ndarray:
    """What kernels take for an array; one of size 0 stands for none."""
    return np.empty((0,) * rank, like.dtype) if array is None else array


def flags_or_none(mask: np.ndarray | None) -> np.ndarray:
    return np.empty((0, 0), np.uint8) if mask is None else mask.view(np.uint8)


def project(x: np.ndarray, kernel: np.ndarray, bias: Any, gates: np.ndarray) -> Any:
    """The launch of the product of all steps with the input weights."""
    return _gemm(_rows(x), kernel, _rows(gates), False, False, bias)


def input_pull(x: Any, kernel: Any, dz: Any, of_x: bool, of_kernel: bool) -> tuple[Any, Any]:
    """Gradients for an input and its weights, where asked for, from that for their product."""
    dx = None
    if of_x:
        dx = reshape(_matmul(_flat_rows(dz), kernel, ta=False, tb=True), tuple(x.shape))
    return dx, weights_grad(x, dz) if of_kernel else None


def weights_grad(x: Any, dz: Any) -> Any:
    """Gradient for the weights that x was multiplied with."""
    return _matmul(_flat_rows(x), _flat_rows(dz), ta=True, tb=False)


def state_spec(x: Spec, units: int) -> Spec:
    return Spec((x.shape[0], units), x.dtype)


def sequence_spec(x: Spec, width: int) -> Spec:
    return Spec((*x.shape[:2], width), x.dtype)


def sums_spec(dz: Spec, width: int | None = None) -> Spec:
    """Sums over the steps of each row, of which the gradient for a bias is made."""
    return Spec((dz.shape[0], width or dz.shape[2]), dz.dtype)


def order_of(x: Any, backwards: bool) -> list[int]:
    """The steps in the order of processing."""
    steps = range(x.shape[1])
    return list(reversed(steps)) if backwards else list(steps)


def step_of(x: Any, t: int) -> Any:
    return getitem(x, (slice(None), t))


def columns_of(x: Any, units: int, first: int, count: int = 1) -> Any:
    """Columns of some gates."""
    return getitem(x, (..., slice(first * units, (first + count) * units)))


def times(h: Any, keep: Any) -> Any:
    return h if keep is None else e.multiply(h, keep)


def kept_where(mask: Any, t: int, new: Any, old: Any) -> Any:
    return new if mask is None else e.where(expand_dims(step_of(mask, t), -1), new, old)


def stacked(outputs: list, h: Any) -> Any:
    if outputs:
        return stack(outputs, 1)
    return reshape(h, (h.shape[0], 1, h.shape[1]))[:, :0]


def check_shapes(
    owner: str, gates: int, x: Any, states: dict, kernel: Any, recurrent: Any, bias: Any,
    bias_shape: tuple, mask: Any, keep: Any,
) -> None:  # fmt: skip
    """Raise unless all shapes belong together."""
    if _ndim(x) != 3 or _ndim(recurrent) != 2:
        raise ValueError(
            f"{owner} needs inputs of shape (batch, steps, features) and a matrix of recurrent "
            f"weights. Received: shapes {tuple(x.shape)} and {tuple(recurrent.shape)}."
        )
    (batch, steps, features), units = x.shape, recurrent.shape[0]
    expected = {
        "kernel": (kernel, (features, gates * units)),
        "recurrent_kernel": (recurrent, (units, gates * units)),
        "bias": (bias, bias_shape),
        "mask": (mask, (batch, steps)),
        "recurrent_mask": (keep, (batch, units)),
        **{name: (state, (batch, units)) for name, state in states.items()},
    }
    for name, (value, shape) in expected.items():
        if value is not None and tuple(value.shape) != shape:
            raise ValueError(
                f"{owner}: for inputs of shape {tuple(x.shape)} and {units} units, `{name}` must "
                f"have shape {shape}. Received: shape {tuple(value.shape)}."
            )
    if not 1 <= units <= MOST_UNITS:
        raise ValueError(f"{owner} works with 1 to {MOST_UNITS} units. Received: {units} units.")


def floats_of(*values: Any) -> list[Any]:
    """Floats of one type; None stays None."""
    floats = iter(_floats(*[v for v in values if v is not None]))
    return [None if v is None else next(floats) for v in values]


def factors_of(keep: Any, x: Any) -> Any:
    """Factors of states, which follow the dtype of the inputs."""
    return None if keep is None else cast(convert_to_tensor(keep), np.dtype(x.dtype).name)


def as_flags(mask: Any) -> Any:
    return None if mask is None else cast(convert_to_tensor(mask), "bool")
