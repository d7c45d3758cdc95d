"""Products: `dense` (product, bias and activation in one pass), `matmul` and what it gives."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import kernels
from ..autodiff.primitive import Primitive
from ..autodiff.spec import Spec, as_array, broadcast, is_float, result_dtype
from ..graph.abstract import symbolic
from . import elementwise as e
from . import reduce
from .core import cast
from .core import ndim as _ndim
from .shapes import diagonal, reshape, stack, transpose, unstack

NO_BIAS = {name: np.empty(0, name) for name in ("float32", "float64")}
ACTIVATION_CODES = {"linear": 0, "relu": 1, "sigmoid": 2, "tanh": 3}


def _gemm(
    x: np.ndarray,
    y: np.ndarray,
    out: np.ndarray,
    ta: bool,
    tb: bool,
    bias: Any = None,
    act: int = 0,
) -> Any:
    """The launch of one product of matrices."""
    m, n = out.shape
    k = x.shape[0] if ta else x.shape[1]
    tasks = kernels.gemm_tasks(m, n, k, kernels.num_threads())
    bias = NO_BIAS[out.dtype.name] if bias is None else bias
    return kernels.launch("gemm", x, y, bias, out, int(ta), int(tb), act, 0, tasks=tasks)


def _rows(x: np.ndarray) -> np.ndarray:
    """All leading axes as one."""
    return x.reshape(-1, x.shape[-1]) if x.size else x.reshape(math.prod(x.shape[:-1]), x.shape[-1])


# --- matmul of matrices, and of stacks of matrices -----------------------------------------------


def _matmul_spec(x: Spec, y: Spec, ta: bool, tb: bool) -> Spec:
    m, k = x.shape[-2:][::-1] if ta else x.shape[-2:]
    k2, n = y.shape[-2:][::-1] if tb else y.shape[-2:]
    if k != k2:
        raise ValueError(
            f"matmul needs inner dimensions that agree. Received: shapes {x.shape} and {y.shape}."
        )
    return Spec((*broadcast(x.shape[:-2], y.shape[:-2]), m, n), x.dtype)


def _matmul_forward(ins: list, outs: list, ta: bool, tb: bool) -> list:
    x, y, out = *ins, outs[0]
    if x.ndim == y.ndim == 2:
        return [_gemm(x, y, out, ta, tb)]
    if y.ndim == 2 and not ta:  # one matrix for the whole stack: a single tall product
        return [_gemm(_rows(x), y, _rows(out), False, tb)]
    batch = out.shape[:-2]
    xs = np.broadcast_to(x, (*batch, *x.shape[-2:]))
    ys = np.broadcast_to(y, (*batch, *y.shape[-2:]))
    return [_gemm(xs[i], ys[i], out[i], ta, tb) for i in np.ndindex(batch)]


def _matmul_pull(g: Any, ins: Any, outs: Any, needed: Any, ta: bool, tb: bool) -> list:
    x, y = ins
    dx = dy = None
    if needed[0]:
        dx = _matmul(y, g, ta=tb, tb=True) if ta else _matmul(g, y, ta=False, tb=not tb)
        dx = _sum_stack(dx, x)
    if needed[1]:
        if y.ndim == 2 and x.ndim > 2 and not ta and not tb:
            dy = _matmul(_flat_rows(x), _flat_rows(g), ta=True, tb=False)
        else:
            dy = _matmul(g, x, ta=True, tb=ta) if tb else _matmul(x, g, ta=not ta, tb=False)
            dy = _sum_stack(dy, y)
    return [dx, dy]


def _flat_rows(x: Any) -> Any:
    return reshape(x, (math.prod(x.shape[:-1]), x.shape[-1]))


def _sum_stack(g: Any, like: Any) -> Any:
    """Undo the broadcasting of stacks."""
    shape = tuple(like.shape)
    if tuple(g.shape) == shape:
        return g
    extra = len(g.shape) - len(shape)
    axes = [
        *range(extra),
        *(i + extra for i, n in enumerate(shape[:-2]) if n == 1 and g.shape[i + extra] != 1),
    ]
    return reshape(reduce.sum(g, axis=axes), shape)


_matmul = Primitive("matmul", _matmul_spec, _matmul_forward, _matmul_pull)


def _floats(*xs: Any) -> list[Any]:
    """Inputs as tensors of one float type."""
    xs = tuple(x if hasattr(x, "dtype") else as_array(x) for x in xs)
    dtype = result_dtype(*[np.dtype(x.dtype).name for x in xs])
    if not is_float(dtype):
        dtype = as_array(0.0).dtype.name
    if dtype not in NO_BIAS:
        dtype = "float32"
    return [x if np.dtype(x.dtype).name == dtype else cast(x, dtype) for x in xs]


@symbolic
def matmul(x1: Any, x2: Any) -> Any:
    """Matrix product with numpy's rules for vectors and stacks.

    Integers are multiplied as integers, in floating point they are exact up to 2**24.
    """
    integers = not any(is_float(np.dtype(x.dtype).name) for x in (x1, x2) if hasattr(x, "dtype"))
    dtypes = [np.dtype(x.dtype).name for x in (x1, x2) if hasattr(x, "dtype")]
    x, y = _floats(x1, x2)
    if _ndim(x) == 0 or _ndim(y) == 0:
        raise ValueError(
            f"matmul needs at least one dimension. Received: shapes {x.shape} and {y.shape}."
        )
    left = reshape(x, (1, -1)) if _ndim(x) == 1 else x
    right = reshape(y, (-1, 1)) if _ndim(y) == 1 else y
    out = _matmul(left, right, ta=False, tb=False)
    shape = list(out.shape)
    if _ndim(y) == 1:
        del shape[-1]
    if _ndim(x) == 1:
        del shape[-1 if _ndim(y) == 1 else -2]
    out = out if len(shape) == len(out.shape) else reshape(out, shape)
    return cast(out, result_dtype(*dtypes)) if integers and dtypes else out


@symbolic
def dot(x1: Any, x2: Any) -> Any:
    """Product over the last axis of `x1` and the second to last of `x2`, as numpy's `dot`."""
    if _ndim(x1) == 0 or _ndim(x2) == 0:
        return e.multiply(x1, x2)
    if _ndim(x2) <= 2:
        return matmul(x1, x2)
    return tensordot(x1, x2, axes=[[-1], [-2]])


@symbolic
def tensordot(x1: Any, x2: Any, axes: Any = 2) -> Any:
    """Product summed over the given axes of both arrays."""
    n1, n2 = _ndim(x1), _ndim(x2)
    if isinstance(axes, int):
        left, right = list(range(n1 - axes, n1)), list(range(axes))
    else:
        left, right = ([a] if isinstance(a, int) else list(a) for a in axes)
        left, right = [a % n1 for a in left], [a % n2 for a in right]
    keep1 = [a for a in range(n1) if a not in left]
    keep2 = [a for a in range(n2) if a not in right]
    inner = math.prod(x1.shape[a] for a in left)
    a = reshape(transpose(x1, keep1 + left), (-1, inner))
    b = reshape(transpose(x2, right + keep2), (inner, -1))
    shape = [x1.shape[a] for a in keep1] + [x2.shape[a] for a in keep2]
    return reshape(matmul(a, b), shape)


@symbolic
def outer(x1: Any, x2: Any) -> Any:
    return e.multiply(reshape(x1, (-1, 1)), reshape(x2, (1, -1)))


@symbolic
def einsum(subscripts: str, *operands: Any) -> Any:
    """Einstein summation of one or two operands, without repeated letters in one operand."""
    subscripts = subscripts.replace(" ", "")
    inputs, _, output = subscripts.partition("->")
    terms = inputs.split(",")
    if "..." in subscripts or len(terms) != len(operands) or len(operands) > 2:
        raise ValueError(
            "einsum takes one or two operands and no ellipsis. "
            f"Received: '{subscripts}' with {len(operands)} operands."
        )
    if not subscripts.count("->"):
        letters = "".join(terms)
        output = "".join(sorted(c for c in set(letters) if letters.count(c) == 1))
    if len(terms) == 1:
        return _einsum_one(terms[0], output, *operands)
    return _einsum_two(terms[0], terms[1], output, *operands)


def _einsum_one(term: str, output: str, x: Any) -> Any:
    gone = [i for i, c in enumerate(term) if c not in output]
    x = reduce.sum(x, axis=gone) if gone else x
    term = "".join(c for c in term if c in output)
    return transpose(x, [term.index(c) for c in output])


def _einsum_two(a: str, b: str, output: str, x: Any, y: Any) -> Any:
    """Sum out what only one operand has, then a (batched) matrix product."""
    keep_a = "".join(c for c in a if c in b or c in output)
    keep_b = "".join(c for c in b if c in a or c in output)
    x, y = _einsum_one(a, keep_a, x), _einsum_one(b, keep_b, y)
    batch = [c for c in keep_a if c in keep_b and c in output]
    inner = [c for c in keep_a if c in keep_b and c not in output]
    left = [c for c in keep_a if c not in keep_b]
    right = [c for c in keep_b if c not in keep_a]
    size = {
        c: n for term, z in ((keep_a, x), (keep_b, y)) for c, n in zip(term, z.shape, strict=True)
    }

    def extent(letters: Sequence[str]) -> int:
        return math.prod(size[c] for c in letters)

    x = reshape(
        _einsum_one(keep_a, "".join(batch + left + inner), x),
        (extent(batch), extent(left), extent(inner)),
    )
    y = reshape(
        _einsum_one(keep_b, "".join(batch + inner + right), y),
        (extent(batch), extent(inner), extent(right)),
    )
    out = reshape(matmul(x, y), [size[c] for c in batch + left + right])
    return _einsum_one("".join(batch + left + right), output, out)


def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """Vector norm (Euclidean by default, also 1, 2, inf) over axes."""
    if ord in (None, 2, "euclidean", "fro"):
        return e.sqrt(reduce.sum(e.square(x), axis, keepdims))
    if ord == 1:
        return reduce.sum(e.absolute(x), axis, keepdims)
    if ord == float("inf"):
        return reduce.max(e.absolute(x), axis, keepdims)
    if isinstance(ord, int | float):
        return e.power(reduce.sum(e.power(e.absolute(x), ord), axis, keepdims), 1 / ord)
    raise ValueError(f"ord must be None, 'euclidean', 'fro' or a number. Received: ord={ord!r}.")


def inner(x1: Any, x2: Any) -> Any:
    """Sum of products over the last axes of both arrays."""
    if _ndim(x1) == 0 or _ndim(x2) == 0:
        return e.multiply(x1, x2)
    return tensordot(x1, x2, axes=[[-1], [-1]])


def vdot(x1: Any, x2: Any) -> Any:
    """Sum of products of all elements."""
    return reduce.sum(e.multiply(reshape(x1, (-1,)), reshape(x2, (-1,))))


def trace(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """Sum of the diagonal."""
    return reduce.sum(diagonal(x, offset, axis1, axis2), -1)


def cross(
    x1: Any, x2: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: Any = None
) -> Any:
    """Vector product of vectors with 3 elements."""
    if axis is not None:
        axisa = axisb = axisc = axis
    a = unstack(x1, axis=axisa)
    b = unstack(x2, axis=axisb)
    if len(a) != 3 or len(b) != 3:
        raise ValueError(f"cross takes vectors of 3 elements. Received: {len(a)} and {len(b)}.")
    parts = [
        e.subtract(e.multiply(a[i], b[j]), e.multiply(a[j], b[i]))
        for i, j in ((1, 2), (2, 0), (0, 1))
    ]
    return stack(parts, axisc)


# --- dense ---------------------------------------------------------------------------------------


def _dense_spec(x: Spec, kernel: Spec, bias: Spec | None, activation: str) -> Spec:
    if x.shape[-1] != kernel.shape[0]:
        raise ValueError(
            f"dense needs inputs with {kernel.shape[0]} features. Received: shape {x.shape}."
        )
    return Spec((*x.shape[:-1], kernel.shape[1]), x.dtype)


def _dense_forward(ins: list, outs: list, activation: str) -> list:
    x, kernel, bias = ins
    return [
        _gemm(_rows(x), kernel, _rows(outs[0]), False, False, bias, ACTIVATION_CODES[activation])
    ]


def _dense_pull(g: Any, ins: Any, outs: Any, needed: Any, activation: str) -> list:
    x, kernel, bias = ins
    g2, y2 = _flat_rows(g), _flat_rows(outs[0])
    want_bias = bias is not None and needed[2]
    if activation == "linear":
        dz, db = g2, column_sum(g2) if want_bias else None
    else:
        dz, db = activation_grad_bias(g2, y2, activation=activation)
    dk = _matmul(_flat_rows(x), dz, ta=True, tb=False) if needed[1] else None
    dx = reshape(_matmul(dz, kernel, ta=False, tb=True), tuple(x.shape)) if needed[0] else None
    return [dx, dk, db if want_bias else None]


def _dense_composite(x: Any, kernel: Any, bias: Any, activation: str) -> Any:
    y = matmul(x, kernel)
    y = y if bias is None else e.add(y, bias)
    if activation == "relu":
        return e.where(e.less_equal(y, 0.0), 0.0, y)
    if activation == "sigmoid":
        return e.reciprocal(e.add(e.exp(e.negative(y)), 1.0))
    if activation == "tanh":
        positive = e.reciprocal(e.add(e.exp(e.multiply(y, -2.0)), 1.0))
        return e.subtract(e.multiply(positive, 2.0), 1.0)
    return y


dense_primitive = Primitive(
    "dense", _dense_spec, _dense_forward, _dense_pull, composite=_dense_composite
)


def _column_tasks(columns: int, rows: int) -> int:
    """Parts of a pass that is split by columns: cache-line groups, only where there is work.

    No more than threads: memory is read the slower the narrower the strips are.
    """
    return max(1, min(columns // 64, rows * columns // 8192, kernels.num_threads()))


activation_grad_bias = Primitive(
    "activation_grad_bias",
    lambda g, y, activation: (y, Spec((y.shape[1],), y.dtype)),
    lambda ins, outs, activation: [
        kernels.launch(
            "activation_grad_bias",
            *ins,
            *outs,
            ACTIVATION_CODES[activation],
            tasks=_column_tasks(ins[0].shape[1], ins[0].shape[0]),
        )
    ],
    outputs=2,
)

column_sum = Primitive(
    "column_sum",
    lambda x: Spec((x.shape[1],), x.dtype),
    lambda ins, outs: [
        kernels.launch(
            "column_sum", *ins, *outs, tasks=_column_tasks(ins[0].shape[1], ins[0].shape[0])
        )
    ],
    composite=lambda x: reduce.sum(x, axis=0),
)


@symbolic
def dense(x: Any, kernel: Any, bias: Any = None, activation: str = "linear") -> Any:
    """``activation(x @ kernel + bias)`` over the last axis, in one pass.

    Args:
        x: (..., features).
        kernel: (features, units).
        bias: (units,) or None.
        activation: 'linear', 'relu', 'sigmoid' or 'tanh'.
    """
    if activation not in ACTIVATION_CODES:
        raise ValueError(
            f"activation must be one of {sorted(ACTIVATION_CODES)}. Received: {activation!r}."
        )
    given = [x, kernel] if bias is None else [x, kernel, bias]
    x, kernel, *rest = _floats(*given)
    return dense_primitive(x, kernel, rest[0] if rest else None, activation=activation)
