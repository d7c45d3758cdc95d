"""One table of all public functions of `ops`: inputs, numpy's result, how smooth they are."""

import itertools
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from minikeras import ops


class Case(NamedTuple):
    """`call` on `arrays` must give `expected` of the same arrays.

    `smooth`: 0 has no gradient, 1 a gradient, 2 also a gradient of the gradient.
    """

    call: Callable[..., Any]
    arrays: tuple
    expected: Callable[..., Any]
    smooth: int = 2
    symbolic: bool = True


rng = np.random.default_rng(3)
X = rng.normal(0, 1, (3, 4))
Y = rng.normal(0, 1, (3, 4))
ROW = rng.normal(0, 1, 4)
POSITIVE = rng.uniform(0.5, 2, (3, 4))
UNIT = rng.uniform(-0.9, 0.9, (3, 4))
CUBE = rng.normal(0, 1, (2, 3, 4))
WIDE = np.concatenate([X * 3, [[-7.0, -0.3, 0.4, 8.0]]])
PROBABLE = rng.dirichlet(np.ones(4), 3) * 0.9 + 0.02
SHARES = rng.dirichlet(np.ones(4), 3)
LABELS = np.array([1, 3, 0])
INTEGERS = np.array([[5, -3, 0], [7, 2, 9]], np.int32)
OTHERS = np.array([[3, 6, 2], [1, 4, 2]], np.int32)
FLAGS = np.array([[True, False, True], [False, False, True]])
MORE_FLAGS = np.array([[True, True, False], [False, True, True]])
SEQUENCE = rng.normal(0, 1, (2, 7, 3))
IMAGE = rng.normal(0, 1, (2, 5, 6, 4))
VOLUME = rng.normal(0, 1, (2, 3, 4, 5, 2))
QUERIES, KEYS, VALUES = (
    rng.normal(0, 1, (2, n, h, w)) for n, h, w in ((4, 4, 3), (5, 2, 3), (5, 2, 6))
)
TAPS1 = rng.normal(0, 1, (3, 3, 5))
TAPS2 = rng.normal(0, 1, (3, 2, 4, 6))
GROUPED = rng.normal(0, 1, (2, 3, 2, 6))
TAPS3 = rng.normal(0, 1, (2, 3, 2, 2, 3))
FRAMES = rng.normal(0, 1, (3, 4, 4))
SPECIAL = np.array([1.0, np.nan, np.inf, -np.inf, 0.0])


def case(name: str, *arrays: Any, to: Any = None, smooth: int = 2, symbolic: bool = True, **given):
    """The function `name` of ops on `arrays`, beside numpy's of that name (or `to`)."""
    numpy_function = to or getattr(np, name)
    return Case(
        lambda *values: getattr(ops, name)(*values, **given),
        arrays,
        lambda *values: numpy_function(*values, **({} if to else given)),
        smooth,
        symbolic,
    )


def whole(call: Callable, expected: Callable, *arrays: Any, smooth: int = 2, symbolic: bool = True):
    """A case in which more than arrays is passed."""
    return Case(call, arrays, expected, smooth, symbolic)


def attended(q, k, v, scale=None, seen=1):
    """Attention by its definition; each key head serves the same number of query heads."""
    k, v = (np.repeat(a, q.shape[2] // a.shape[2], 2) for a in (k, v))
    scores = np.einsum("bqhd,bkhd->bhqk", q, k) * (scale or q.shape[-1] ** -0.5)
    weights = np.exp(scores) * seen
    return np.einsum("bhqk,bkhd->bqhd", weights / weights.sum(-1, keepdims=True), v)


def unary(domain: np.ndarray, *names: str, smooth: int = 2) -> dict[str, list[Case]]:
    return {name: [case(name, domain, smooth=smooth)] for name in names}


def binary(x: np.ndarray, y: np.ndarray, *names: str, smooth: int = 2) -> dict[str, list[Case]]:
    return {
        name: [case(name, x, y, smooth=smooth), case(name, x, y[0], smooth=smooth)]
        for name in names
    }


def ctc(labels, logits, counts, frames, blank):
    """-log of the share of all ways to read the frames that give the labels."""
    losses = []
    for row, z, n, last in zip(labels, softmax(logits), counts, frames, strict=True):
        total = 0.0
        for path in itertools.product(range(z.shape[1]), repeat=int(last)):
            if [c for c, _ in itertools.groupby(path) if c != blank] == row[: int(n)].tolist():
                total += math.prod(z[f, c] for f, c in enumerate(path))
        losses.append(-math.log(total))
    return np.array(losses)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softplus(x):
    return np.logaddexp(x, 0)


def softmax(x, axis=-1):
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


erf = np.vectorize(math.erf, otypes=[float])


def elu(x, alpha=1.0):
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def one_hot(labels, classes=4):
    return (np.asarray(labels)[..., None] == np.arange(classes)).astype(float)


def windows_of(x, sizes, strides, padding, dilation=1, fill=0.0):
    """The pixels under windows: (batch, *places, *sizes, channels); Keras's zeros around."""
    rank = x.ndim - 2
    spans = [(k - 1) * dilation + 1 for k in sizes]
    around = [(0, 0)] * x.ndim
    if padding == "same":
        for a, (n, k, s) in enumerate(zip(x.shape[1:-1], spans, strides, strict=True)):
            total = max((-(-n // s) - 1) * s + k - n, 0)
            around[a + 1] = (total // 2, total - total // 2)
    x = np.pad(x, around, constant_values=fill)
    seen = np.lib.stride_tricks.sliding_window_view(x, spans, tuple(range(1, rank + 1)))
    places = tuple(slice(None, None, s) for s in strides)
    taps = (slice(None, None, dilation),) * rank
    return np.moveaxis(seen[(slice(None), *places, slice(None), *taps)], rank + 1, -1)


def convolved(x, kernel, strides, padding, dilation=1):
    rank, groups = x.ndim - 2, x.shape[-1] // kernel.shape[-2]
    seen = windows_of(x, kernel.shape[:-2], strides, padding, dilation)
    taps = list(range(rank + 1, 2 * rank + 2))
    parts = zip(np.split(seen, groups, -1), np.split(kernel, groups, -1), strict=True)
    inner = list(range(rank + 1))
    return np.concatenate([np.tensordot(a, k, (taps, inner)) for a, k in parts], -1)


def apart(x, kernel, strides, padding, dilation=1):
    seen = windows_of(x, kernel.shape[:-2], strides, padding, dilation)
    axes = tuple(range(x.ndim - 1, 2 * x.ndim - 3))
    y = (seen[..., None] * kernel).sum(axes)
    return y.reshape(*y.shape[:-2], -1)


def spread(x, size):
    """Channels as blocks of pixels, place by place."""
    depth = x.shape[-1] // size**2
    y = np.zeros((len(x), x.shape[1] * size, x.shape[2] * size, depth))
    for row, column in np.ndindex(size, size):
        first = (row * size + column) * depth
        y[:, row::size, column::size] = x[..., first : first + depth]
    return y


def gathered(x, size):
    """Blocks of pixels as channels, place by place."""
    places = np.ndindex(size, size)
    return np.concatenate([x[:, row::size, column::size] for row, column in places], -1)


def transposed(x, kernel, strides, outputs, before):
    """Each pixel of the input times the kernel, added where it falls."""
    sizes = kernel.shape[:-2]
    y = np.zeros((len(x), *[n + 20 for n in outputs], kernel.shape[-2]))
    for place in np.ndindex(*x.shape[1:-1]):
        part = np.tensordot(x[(slice(None), *place)], kernel, (1, x.ndim - 1))
        corner = [o * s - b + 10 for o, s, b in zip(place, strides, before, strict=True)]
        there = tuple(slice(c, c + k) for c, k in zip(corner, sizes, strict=True))
        y[(slice(None), *there)] += part
    return y[(slice(None), *[slice(10, 10 + n) for n in outputs])]


def divided(reduce, x, counts):
    """Adaptive pooling from its definition."""
    y = np.empty((x.shape[0], *counts, x.shape[-1]), x.dtype)
    for place in np.ndindex(*counts):
        window = tuple(
            slice(k * n // c, -(-(k + 1) * n // c))
            for k, n, c in zip(place, x.shape[1:-1], counts, strict=True)
        )
        y[(slice(None), *place)] = reduce(
            x[(slice(None), *window)], axis=tuple(range(1, x.ndim - 1))
        )
    return y


def pooled(function, x, sizes, strides, padding):
    seen = windows_of(x, sizes, strides, padding, fill=np.nan)
    return function(seen, axis=tuple(range(x.ndim - 1, 2 * x.ndim - 3)))


def cross_entropy(t, p):
    return -(t * np.log(p / p.sum(-1, keepdims=True))).sum(-1)


def norm(x, order=2, axis=-1):
    return x / np.linalg.norm(x, order, axis, keepdims=True)


def standard(x, axis=-1, eps=1e-7):
    return (x - x.mean(axis, keepdims=True)) / np.sqrt(x.var(axis, keepdims=True) + eps)


def scatter(indices, values, shape):
    out = np.zeros(shape)
    np.add.at(out, tuple(np.moveaxis(indices, -1, 0)), values)
    return out


CASES: dict[str, list[Case]] = {
    # arithmetic
    **binary(X, Y, "add", "subtract", "multiply", "maximum", "minimum", "arctan2", "logaddexp"),
    **binary(X, POSITIVE, "divide", "true_divide", "hypot"),
    **binary(X, POSITIVE, "floor_divide", "logaddexp2", smooth=0),
    **binary(POSITIVE, Y, "power"),
    **binary(
        X, Y, "equal", "not_equal", "less", "less_equal", "greater", "greater_equal", smooth=0
    ),
    "mod": [case("mod", X, POSITIVE, smooth=1)],
    "logical_and": [case("logical_and", FLAGS, MORE_FLAGS)],
    "logical_or": [case("logical_or", FLAGS, MORE_FLAGS)],
    "logical_xor": [case("logical_xor", FLAGS, MORE_FLAGS)],
    "logical_not": [case("logical_not", FLAGS)],
    "bitwise_and": [case("bitwise_and", INTEGERS, OTHERS)],
    "bitwise_or": [case("bitwise_or", INTEGERS, OTHERS)],
    "bitwise_xor": [case("bitwise_xor", INTEGERS, OTHERS)],
    "bitwise_not": [case("bitwise_not", INTEGERS, to=np.invert)],
    "bitwise_invert": [case("bitwise_invert", INTEGERS, to=np.invert)],
    "left_shift": [case("left_shift", INTEGERS, OTHERS)],
    "right_shift": [case("right_shift", INTEGERS, OTHERS)],
    "bitwise_left_shift": [case("bitwise_left_shift", INTEGERS, OTHERS, to=np.left_shift)],
    "bitwise_right_shift": [case("bitwise_right_shift", INTEGERS, OTHERS, to=np.right_shift)],
    **unary(X, "negative", "square", "exp", "exp2", "expm1", "sin", "cos", "sinh", "cosh"),
    **unary(X, "absolute", "fabs", "arcsinh", "arctan", "sinc", "deg2rad", "rad2deg"),
    **unary(X, "sign", "signbit", "floor", "ceil", "trunc", smooth=0),
    **unary(POSITIVE, "sqrt", "reciprocal", "log", "log2", "log10", "log1p", "cbrt"),
    **unary(UNIT, "arcsin", "arccos", "arctanh", "tan"),
    **unary(POSITIVE + 1, "arccosh"),
    **unary(SPECIAL, "isnan", "isinf", "isfinite", "isposinf", "isneginf", smooth=0),
    "nan_to_num": [
        case("nan_to_num", SPECIAL.astype(np.float32), smooth=0),
        case("nan_to_num", SPECIAL, smooth=0, nan=1.0, posinf=2.0, neginf=3.0),
    ],
    "abs": [case("abs", X)],
    "rsqrt": [case("rsqrt", POSITIVE, to=lambda x: 1 / np.sqrt(x))],
    "erf": [case("erf", X, to=erf)],
    "round": [
        case("round", X, smooth=0),
        case("round", X * 10, smooth=0, decimals=1),
        case("round", INTEGERS),
    ],
    "clip": [whole(lambda x: ops.clip(x, -0.5, 0.7), lambda x: np.clip(x, -0.5, 0.7), X)],
    "divide_no_nan": [
        whole(
            lambda x, y: ops.divide_no_nan(x, y),
            lambda x, y: np.where(y == 0, 0, x / np.where(y == 0, 1, y)),
            X,
            np.where(X > 0, 0, X),
            smooth=0,
        )
    ],
    "heaviside": [case("heaviside", np.round(X), Y, smooth=0)],
    "isclose": [
        case("isclose", SPECIAL, SPECIAL, smooth=0, equal_nan=True),
        case("isclose", X, X + 1e-7, smooth=0),
    ],
    "allclose": [case("allclose", X, X + 1e-7, smooth=0)],
    "select": [
        whole(
            lambda x: ops.select([x > 1, x > 0], [x, x * 2], 5.0),
            lambda x: np.select([x > 1, x > 0], [x, x * 2], 5.0),
            X,
        )
    ],
    "where": [
        whole(lambda x, y: ops.where(x > 0, x, y), lambda x, y: np.where(x > 0, x, y), X, Y),
        whole(lambda c, x: ops.where(c, x, 0.0), lambda c, x: np.where(c, x, 0), X > 0, X),
    ],
    # reductions
    **{
        name: [
            case(name, CUBE),
            case(name, CUBE, axis=1),
            case(name, CUBE, axis=(0, 2), keepdims=True),
        ]
        for name in ("sum", "mean", "max", "min", "amax", "amin", "prod", "var", "std", "ptp")
    },
    **{
        name: [case(name, FLAGS), case(name, FLAGS, axis=1, keepdims=True)]
        for name in ("all", "any")
    },
    **{
        name: [case(name, CUBE, smooth=0), case(name, CUBE, smooth=0, axis=1)]
        for name in ("argmax", "argmin")
    },
    "argsort": [case("argsort", X, smooth=0), case("argsort", X, smooth=0, axis=0)],
    "sort": [case("sort", X), case("sort", X, axis=0)],
    "cumsum": [case("cumsum", X), case("cumsum", X, axis=1)],
    "cumprod": [case("cumprod", X), case("cumprod", X, axis=0)],
    "median": [case("median", X), case("median", X, axis=0)],
    "quantile": [
        whole(lambda x: ops.quantile(x, 0.3), lambda x: np.quantile(x, 0.3), X),
        whole(
            lambda x: ops.quantile(x, [0.1, 0.9], 1, keepdims=True),
            lambda x: np.quantile(x, [0.1, 0.9], 1, keepdims=True),
            X,
        ),
    ],
    "percentile": [whole(lambda x: ops.percentile(x, 30, 1), lambda x: np.percentile(x, 30, 1), X)],
    "average": [
        case("average", X, axis=0),
        whole(lambda x, w: ops.average(x, 1, w), lambda x, w: np.average(x, 1, w), X, np.abs(ROW)),
    ],
    "logsumexp": [
        whole(lambda x: ops.logsumexp(x, 1), lambda x: np.log(np.exp(x).sum(1)), X),
        whole(
            lambda x: ops.logsumexp(x, keepdims=True),
            lambda x: np.log(np.exp(x).sum(keepdims=True)),
            X,
        ),
    ],
    "moments": [
        whole(lambda x: ops.moments(x, 0)[0], lambda x: x.mean(0), X),
        whole(lambda x: ops.moments(x, 0)[1], lambda x: x.var(0), X),
    ],
    "count_nonzero": [case("count_nonzero", INTEGERS), case("count_nonzero", INTEGERS, axis=0)],
    "top_k": [
        whole(lambda x: ops.top_k(x, 2)[0], lambda x: -np.sort(-x, -1)[..., :2], X),
        whole(lambda x: ops.top_k(x, 2)[1], lambda x: np.argsort(-x, -1)[..., :2], X, smooth=0),
    ],
    "in_top_k": [
        whole(
            lambda t, p: ops.in_top_k(t, p, 2),
            lambda t, p: (p > np.take_along_axis(p, t[:, None], 1)).sum(1) < 2,
            LABELS,
            X,
            smooth=0,
        )
    ],
    # shapes
    "reshape": [whole(lambda x: ops.reshape(x, (-1, 2)), lambda x: x.reshape(-1, 2), X)],
    "ravel": [case("ravel", X)],
    "transpose": [case("transpose", X), case("transpose", CUBE, axes=(1, 0, 2))],
    "swapaxes": [whole(lambda x: ops.swapaxes(x, 0, 2), lambda x: x.swapaxes(0, 2), CUBE)],
    "moveaxis": [
        whole(lambda x: ops.moveaxis(x, 0, -1), lambda x: np.moveaxis(x, 0, -1), CUBE),
        whole(
            lambda x: ops.moveaxis(x, (0, 1), (2, 0)),
            lambda x: np.moveaxis(x, (0, 1), (2, 0)),
            CUBE,
        ),
    ],
    "expand_dims": [case("expand_dims", X, axis=1), case("expand_dims", X, axis=(0, -1))],
    "squeeze": [case("squeeze", X[:, None]), case("squeeze", X[:1, None], axis=1)],
    "broadcast_to": [
        whole(lambda x: ops.broadcast_to(x, (3, 4)), lambda x: np.broadcast_to(x, (3, 4)), ROW)
    ],
    "concatenate": [
        whole(
            lambda x, y: ops.concatenate([x, y], axis=1),
            lambda x, y: np.concatenate([x, y], axis=1),
            X,
            Y[:, :2],
        ),
        whole(lambda x, y: ops.concatenate([x, y]), lambda x, y: np.concatenate([x, y]), X, Y),
    ],
    "append": [
        case("append", X, Y),
        whole(lambda x, y: ops.append(x, y, 1), lambda x, y: np.append(x, y, 1), X, Y),
    ],
    "stack": [
        whole(lambda x, y: ops.stack([x, y], 1), lambda x, y: np.stack([x, y], 1), X, Y),
    ],
    "hstack": [whole(lambda x, y: ops.hstack([x, y]), lambda x, y: np.hstack([x, y]), X, Y)],
    "vstack": [whole(lambda x, y: ops.vstack([x, y]), lambda x, y: np.vstack([x, y]), X, Y)],
    "dstack": [whole(lambda x, y: ops.dstack([x, y]), lambda x, y: np.dstack([x, y]), X, Y)],
    "split": [
        whole(lambda x: ops.split(x, 2, 1)[1], lambda x: np.split(x, 2, 1)[1], X),
        whole(lambda x: ops.split(x, [1, 3], 1)[1], lambda x: np.split(x, [1, 3], 1)[1], X),
    ],
    "array_split": [
        whole(lambda x: ops.array_split(x, 3, 1)[0], lambda x: np.array_split(x, 3, 1)[0], X)
    ],
    "unstack": [whole(lambda x: ops.unstack(x, axis=1)[2], lambda x: x[:, 2], X)],
    "get_item": [
        whole(lambda x: ops.get_item(x, (slice(0, 2), 1)), lambda x: x[:2, 1], CUBE),
        whole(lambda x: x[:, ::-1, None], lambda x: x[:, ::-1, None], CUBE),
        whole(lambda x, i: ops.get_item(x, i), lambda x, i: x[i], X, np.array([2, 0, 2])),
    ],
    "take": [
        case("take", X, np.array([[1, 2], [1, 0]]), axis=1),
        case("take", X, np.array([5, -1])),
    ],
    "take_along_axis": [
        case("take_along_axis", X, np.array([[0, 0, 1, 2]]), axis=0),
        case("take_along_axis", X, np.array([[1, 1], [0, 3], [2, 0]]), axis=1),
    ],
    "flip": [case("flip", CUBE), case("flip", CUBE, axis=1)],
    "fliplr": [case("fliplr", X)],
    "flipud": [case("flipud", X)],
    "rot90": [case("rot90", X), case("rot90", X, k=3)],
    "repeat": [
        whole(lambda x: ops.repeat(x, 2, 1), lambda x: np.repeat(x, 2, 1), X),
        whole(lambda x: ops.repeat(x, 3), lambda x: np.repeat(x, 3), X),
    ],
    "tile": [whole(lambda x: ops.tile(x, (2, 1, 3)), lambda x: np.tile(x, (2, 1, 3)), X)],
    "roll": [
        whole(lambda x: ops.roll(x, 2), lambda x: np.roll(x, 2), X),
        whole(lambda x: ops.roll(x, -1, 1), lambda x: np.roll(x, -1, 1), X),
    ],
    "pad": [
        whole(
            lambda x: ops.pad(x, ((1, 0), (2, 1)), constant_values=2),
            lambda x: np.pad(x, ((1, 0), (2, 1)), constant_values=2),
            X,
        ),
        whole(lambda x: ops.pad(x, 1, "reflect"), lambda x: np.pad(x, 1, "reflect"), X),
        whole(lambda x: ops.pad(x, 1, "symmetric"), lambda x: np.pad(x, 1, "symmetric"), X),
    ],
    "diag": [
        whole(lambda x: ops.diag(x, 1), lambda x: np.diag(x, 1), ROW),
        whole(lambda x: ops.diag(x, -1), lambda x: np.diag(x, -1), X, symbolic=False),
    ],
    "diagonal": [
        case("diagonal", CUBE, axis1=1, axis2=2),
        case("diagonal", X, offset=1),
    ],
    "diff": [case("diff", X), case("diff", X, n=2, axis=0, to=lambda x: np.diff(x, 2, 0))],
    "tril": [case("tril", X), case("tril", CUBE, k=-1)],
    "triu": [case("triu", X), case("triu", CUBE, k=1)],
    "slice": [whole(lambda x: ops.slice(x, (1, 1), (2, 2)), lambda x: x[1:3, 1:3], X)],
    "slice_update": [
        whole(
            lambda x, y: ops.slice_update(x, (1, 2), y),
            lambda x, y: np.concatenate([x[:1], np.concatenate([x[1:, :2], y], 1)]),
            X,
            Y[:2, :2],
        )
    ],
    "scatter": [
        whole(
            lambda v: ops.scatter(np.array([[0, 1], [2, 2], [0, 1]]), v, (3, 4)),
            lambda v: scatter(np.array([[0, 1], [2, 2], [0, 1]]), v, (3, 4)),
            np.array([1.0, 2.0, 3.0]),
        )
    ],
    "scatter_update": [
        whole(
            lambda x, v: ops.scatter_update(x, np.array([[0, 1], [2, 2]]), v),
            lambda x, v: np.where(
                scatter(np.array([[0, 1], [2, 2]]), np.ones(2), (3, 4)) == 0,
                x,
                scatter(np.array([[0, 1], [2, 2]]), v, (3, 4)),
            ),
            X,
            np.array([5.0, 6.0]),
        ),
        whole(
            lambda x, v: ops.scatter_update(x, np.array([[0, 1], [0, 1]]), v, "add"),
            lambda x, v: x + scatter(np.array([[0, 1], [0, 1]]), v, (3, 4)),
            X,
            np.array([5.0, 6.0]),
        ),
    ],
    "meshgrid": [
        whole(lambda x, y: ops.meshgrid(x, y)[1], lambda x, y: np.meshgrid(x, y)[1], ROW, Y[0, :2]),
        whole(
            lambda x, y: ops.meshgrid(x, y, indexing="ij")[0],
            lambda x, y: np.meshgrid(x, y, indexing="ij")[0],
            ROW,
            Y[0, :2],
        ),
    ],
    # products
    "matmul": [
        case("matmul", X, Y.T),
        case("matmul", CUBE, Y.T),
        case("matmul", CUBE, CUBE.swapaxes(1, 2)),
        case("matmul", X, ROW),
        case("matmul", ROW, X.T),
        case("matmul", ROW, ROW),
        case("matmul", INTEGERS, OTHERS.T),
    ],
    "dot": [case("dot", X, Y.T), case("dot", X, ROW), case("dot", X, CUBE.swapaxes(1, 2))],
    "tensordot": [
        whole(
            lambda x, y: ops.tensordot(x, y, axes=[[0], [1]]),
            lambda x, y: np.tensordot(x, y, axes=[[0], [1]]),
            X,
            CUBE,
        ),
        whole(lambda x, y: ops.tensordot(x, y, 2), lambda x, y: np.tensordot(x, y, 2), CUBE, X),
    ],
    "einsum": [
        whole(
            lambda x, y: ops.einsum("ij,kjl->kil", x, y),
            lambda x, y: np.einsum("ij,kjl->kil", x, y),
            X,
            CUBE.swapaxes(1, 2),
        ),
        whole(lambda x: ops.einsum("ij->j", x), lambda x: x.sum(0), X),
        whole(lambda x, y: ops.einsum("ij,ij->i", x, y), lambda x, y: (x * y).sum(1), X, Y),
    ],
    "outer": [case("outer", ROW, X)],
    "inner": [case("inner", X, Y)],
    "vdot": [case("vdot", X, Y)],
    "trace": [case("trace", X)],
    "cross": [case("cross", X[:, :3], Y[:, :3]), case("cross", X, Y, axis=0)],
    "norm": [
        case("norm", X, to=np.linalg.norm),
        whole(
            lambda x: ops.norm(x, 1, 0), lambda x: np.linalg.norm(x, 1, 0) * 0 + abs(x).sum(0), X
        ),
        whole(lambda x: ops.norm(x, 3, 1), lambda x: (abs(x) ** 3).sum(1) ** (1 / 3), X),
        whole(lambda x: ops.norm(x, np.inf, 1, True), lambda x: abs(x).max(1, keepdims=True), X),
    ],
    "dense": [
        whole(
            lambda x, w, b, act=act: ops.dense(x, w, b, act),
            lambda x, w, b, f=f: f(x @ w + b),
            CUBE,
            Y.T,
            ROW[:3],
        )
        for act, f in (
            ("linear", lambda z: z),
            ("relu", lambda z: np.maximum(z, 0)),
            ("sigmoid", sigmoid),
            ("tanh", np.tanh),
        )
    ]
    + [whole(lambda x, w: ops.dense(x, w), lambda x, w: x @ w, X, Y.T)],
    # activation functions
    "relu": [case("relu", WIDE, to=lambda x: np.maximum(x, 0))],
    "relu6": [case("relu6", WIDE, to=lambda x: np.clip(x, 0, 6))],
    "leaky_relu": [case("leaky_relu", WIDE, to=lambda x: np.where(x < 0, 0.2 * x, x))],
    "elu": [
        case("elu", WIDE, to=elu),
        case("elu", WIDE, alpha=0.5, to=lambda x: elu(x, 0.5)),
    ],
    "celu": [case("celu", WIDE, alpha=2.0, to=lambda x: 2 * elu(x / 2))],
    "selu": [
        case("selu", WIDE, to=lambda x: 1.0507009873554805 * elu(x, 1.6732632423543772)),
    ],
    "sigmoid": [case("sigmoid", WIDE, to=sigmoid)],
    "tanh": [case("tanh", WIDE)],
    "tanh_shrink": [case("tanh_shrink", WIDE, to=lambda x: x - np.tanh(x))],
    "softplus": [case("softplus", WIDE, to=softplus)],
    "softsign": [case("softsign", WIDE, to=lambda x: x / (1 + abs(x)))],
    "log_sigmoid": [case("log_sigmoid", WIDE, to=lambda x: -softplus(-x))],
    "silu": [case("silu", WIDE, to=lambda x: x * sigmoid(x))],
    "swish": [case("swish", WIDE, to=lambda x: x * sigmoid(x))],
    "mish": [case("mish", WIDE, to=lambda x: x * np.tanh(softplus(x)))],
    "gelu": [
        case(
            "gelu",
            WIDE,
            to=lambda x: x / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))),
        ),
        case("gelu", WIDE, approximate=False, to=lambda x: x * (1 + erf(x / np.sqrt(2))) / 2),
    ],
    "hard_sigmoid": [case("hard_sigmoid", WIDE, to=lambda x: np.clip(x + 3, 0, 6) / 6)],
    "hard_silu": [case("hard_silu", WIDE, to=lambda x: x * np.clip(x + 3, 0, 6) / 6)],
    "hard_swish": [case("hard_swish", WIDE, to=lambda x: x * np.clip(x + 3, 0, 6) / 6)],
    "hard_tanh": [case("hard_tanh", WIDE, to=lambda x: np.clip(x, -1, 1))],
    "soft_shrink": [
        case("soft_shrink", WIDE, to=lambda x: np.sign(x) * np.maximum(abs(x) - 0.5, 0))
    ],
    "hard_shrink": [case("hard_shrink", WIDE, to=lambda x: np.where(abs(x) > 0.5, x, 0))],
    "threshold": [
        whole(lambda x: ops.threshold(x, 0.3, -2.0), lambda x: np.where(x > 0.3, x, -2.0), WIDE)
    ],
    "squareplus": [case("squareplus", WIDE, to=lambda x: (x + np.sqrt(x * x + 4)) / 2)],
    "sparse_plus": [
        case(
            "sparse_plus",
            WIDE,
            to=lambda x: np.where(x <= -1, 0, np.where(x >= 1, x, (x + 1) ** 2 / 4)),
        )
    ],
    "sparse_sigmoid": [case("sparse_sigmoid", WIDE, to=lambda x: np.clip((x + 1) / 2, 0, 1))],
    "glu": [case("glu", X, to=lambda x: x[:, :2] * sigmoid(x[:, 2:]))],
    "softmax": [
        case("softmax", WIDE, to=softmax),
        case("softmax", CUBE, axis=1, to=lambda x: softmax(x, 1)),
        case("softmax", CUBE, axis=(0, 2), to=lambda x: softmax(x, (0, 2))),
        case("softmax", ROW, to=softmax),
    ],
    "log_softmax": [
        case("log_softmax", WIDE, to=lambda x: np.log(softmax(x))),
        case("log_softmax", CUBE, axis=0, to=lambda x: np.log(softmax(x, 0))),
    ],
    "sparsemax": [
        case(
            "sparsemax",
            np.array([[0.1, 0.2, -3.0], [5.0, 0.0, 0.0]]),
            smooth=1,
            to=lambda x: np.array([[0.35, 0.45, 0.0], [1.0, 0.0, 0.0]]),
        ),
    ],
    # losses
    "categorical_crossentropy": [
        case("categorical_crossentropy", SHARES, PROBABLE, to=cross_entropy),
        case(
            "categorical_crossentropy",
            SHARES,
            X,
            from_logits=True,
            to=lambda t, z: cross_entropy(t, softmax(z)),
        ),
        case(
            "categorical_crossentropy",
            SHARES.T,
            PROBABLE.T,
            axis=0,
            to=lambda t, p: cross_entropy(t.T, p.T),
        ),
    ],
    "sparse_categorical_crossentropy": [
        case(
            "sparse_categorical_crossentropy",
            LABELS,
            PROBABLE,
            to=lambda t, p: cross_entropy(one_hot(t), p),
        ),
        case(
            "sparse_categorical_crossentropy",
            LABELS[:, None],
            X,
            from_logits=True,
            to=lambda t, z: cross_entropy(one_hot(t[:, 0]), softmax(z)),
        ),
    ],
    "ctc_loss": [
        whole(
            lambda t, z: ops.ctc_loss(t, z, None, None),
            lambda t, z: ctc(t, z, [2, 0, 3], [4, 4, 4], 0),
            *(np.array([[1, 2, 0], [0, 0, 0], [3, 3, 1]]), FRAMES),
        ),
        whole(
            lambda t, n, f, z: ops.ctc_loss(t, z, n, f, mask_index=3),
            lambda t, n, f, z: ctc(t, z, n, f, 3),
            *(
                np.array([[1, 2, 0], [0, 0, 0], [1, 1, 3]]),
                np.array([2, 1, 2]),
                np.array([4, 3, 3]),
            ),
            FRAMES,
        ),
    ],
    "binary_crossentropy": [
        case(
            "binary_crossentropy",
            SHARES,
            PROBABLE,
            to=lambda t, p: -(t * np.log(p) + (1 - t) * np.log(1 - p)),
        ),
        case(
            "binary_crossentropy",
            SHARES,
            X,
            from_logits=True,
            to=lambda t, z: softplus(z) - t * z,
        ),
    ],
    # normalisation
    "normalize": [
        case("normalize", X, to=norm),
        case("normalize", X, axis=0, order=1, to=lambda x: norm(x, 1, 0)),
    ],
    "l2_normalize": [case("l2_normalize", X, to=norm)],
    "layer_normalization": [
        case("layer_normalization", X, to=standard),
        whole(
            lambda x, g, b: ops.layer_normalization(x, g, b, epsilon=1e-3),
            lambda x, g, b: standard(x, eps=1e-3) * g + b,
            X,
            ROW,
            Y[0],
        ),
        whole(
            lambda x, g: ops.layer_normalization(x, g, axis=(0, 2), epsilon=1e-3),
            lambda x, g: standard(x, (0, 2), 1e-3) * g[:, None],
            CUBE,
            CUBE[:, 0],
        ),
        whole(
            lambda x, g: ops.layer_normalization(x, g, epsilon=1e-3, rms_scaling=True),
            lambda x, g: x / np.sqrt(x.var(-1, keepdims=True) + 1e-3) * g,
            X,
            ROW,
        ),
    ],
    "rms_normalization": [
        whole(
            lambda x, g: ops.rms_normalization(x, g, epsilon=1e-3),
            lambda x, g: x / np.sqrt((x * x).mean(-1, keepdims=True) + 1e-3) * g,
            X,
            ROW,
        )
    ],
    "batch_normalization": [
        whole(
            lambda x, m, v, b, g: ops.batch_normalization(x, m, v, -1, b, g),
            lambda x, m, v, b, g: (x - m) / np.sqrt(v + 1e-3) * g + b,
            X,
            ROW,
            np.abs(ROW) + 0.1,
            Y[0],
            Y[1],
        ),
        whole(
            lambda x, m, v: ops.batch_normalization(x, m, v, 1),
            lambda x, m, v: (x - m[:, None]) / np.sqrt(v[:, None] + 1e-3),
            CUBE,
            ROW[:3],
            np.abs(ROW[:3]) + 0.1,
        ),
    ],
    # classes, bins, segments
    "one_hot": [
        whole(lambda x: ops.one_hot(x, 4), one_hot, LABELS),
        whole(lambda x: ops.one_hot(x, 4, axis=0), lambda x: one_hot(x).T, LABELS),
        whole(lambda x: ops.one_hot(x, 2), lambda x: one_hot(x, 2), LABELS),
    ],
    "multi_hot": [
        whole(
            lambda x: ops.multi_hot(x, 4), lambda x: one_hot(x).max(1), np.array([[0, 2], [3, 3]])
        )
    ],
    "searchsorted": [case("searchsorted", np.sort(ROW), X, smooth=0)],
    "digitize": [
        whole(
            lambda x: ops.digitize(x, np.array([-1.0, 0.0, 1.0])),
            lambda x: np.digitize(x, [-1.0, 0.0, 1.0]),
            X,
            smooth=0,
        )
    ],
    "segment_sum": [
        whole(
            lambda x: ops.segment_sum(x, np.array([0, 2, 0]), 4),
            lambda x: np.stack([x[0] + x[2], x[0] * 0, x[1], x[0] * 0]),
            X,
        )
    ],
    "segment_max": [
        whole(
            lambda x: ops.segment_max(x, np.array([0, 1, 0]), 2),
            lambda x: np.stack([np.maximum(x[0], x[2]), x[1]]),
            X,
        )
    ],
    "bincount": [
        whole(
            lambda x: ops.bincount(x, minlength=5),
            lambda x: np.bincount(x, minlength=5),
            np.array([1, 3, 1]),
            symbolic=False,
        ),
        whole(
            lambda x, w: ops.bincount(x, w, minlength=5),
            lambda x, w: np.bincount(x, w, minlength=5),
            np.array([1, 3, 1]),
            ROW[:3],
            smooth=1,
            symbolic=False,
        ),
    ],
    # control flow
    "custom_gradient": [
        whole(
            lambda x, y: ops.custom_gradient(lambda a, b: (a * b, lambda g: (g * b, g * a)))(x, y),
            lambda x, y: x * y,
            X,
            Y,
            smooth=1,
        )
    ],
    "cond": [
        whole(
            lambda x: ops.cond(ops.sum(x) > 0, lambda: x * 2, lambda: x * 3),
            lambda x: x * (2 if x.sum() > 0 else 3),
            X,
            symbolic=False,
        )
    ],
    "switch": [
        whole(lambda x: ops.switch(1, [lambda v: v, lambda v: v * 2], x), lambda x: x * 2, X)
    ],
    "while_loop": [
        whole(
            lambda x: ops.while_loop(lambda i, v: i < 3, lambda i, v: (i + 1, v * x), (0, x))[1],
            lambda x: x**4,
            X,
        )
    ],
    "fori_loop": [
        whole(
            lambda x: ops.fori_loop(0, 3, lambda i, v: v * x + i, x),
            lambda x: ((x * x) * x + 1) * x + 2,
            X,
        )
    ],
    "scan": [
        whole(
            lambda x: ops.scan(lambda s, v: (s + v, s * v), x[0] * 0, x)[1],
            lambda x: (np.cumsum(x, 0) - x) * x,
            X,
            symbolic=False,
        )
    ],
    "associative_scan": [
        whole(
            lambda x: ops.associative_scan(lambda a, b: a + b, x),
            lambda x: np.cumsum(x, 0),
            X,
            symbolic=False,
        )
    ],
    "map": [whole(lambda x: ops.map(lambda v: v * v, x), lambda x: x * x, X, symbolic=False)],
    "vectorized_map": [
        whole(lambda x: ops.vectorized_map(lambda v: v + 1, x), lambda x: x + 1, X, symbolic=False)
    ],
    # windows
    "conv": [
        whole(
            lambda x, k: ops.conv(x, k),
            lambda x, k: convolved(x, k, (1,), "valid"),
            SEQUENCE,
            TAPS1,
        ),
        whole(
            lambda x, k: ops.conv(x, k, 2, "same"),
            lambda x, k: convolved(x, k, (2, 2), "same"),
            IMAGE,
            TAPS2,
        ),
        whole(
            lambda x, k: ops.conv(x, k, padding="same", dilation_rate=2),
            lambda x, k: convolved(x, k, (1, 1), "same", 2),
            IMAGE,
            GROUPED,
        ),
        whole(
            lambda x, k: ops.conv(x, k, (1, 2, 1)),
            lambda x, k: convolved(x, k, (1, 2, 1), "valid"),
            VOLUME,
            TAPS3,
        ),
        whole(
            lambda x, k: ops.conv(x, k, data_format="channels_first"),
            lambda x, k: np.moveaxis(convolved(np.moveaxis(x, 1, -1), k, (1, 1), "valid"), -1, 1),
            np.moveaxis(IMAGE, -1, 1),
            TAPS2,
        ),
    ],
    "conv_transpose": [
        whole(
            lambda x, k: ops.conv_transpose(x, k, 2, "same"),
            lambda x, k: transposed(x, k, (2, 2), (10, 12), (0, 0)),
            IMAGE,
            np.swapaxes(TAPS2, -1, -2),
        ),
        whole(
            lambda x, k: ops.conv_transpose(x, k, 3, output_padding=1),
            lambda x, k: transposed(x, k, (3,), (22,), (0,)),
            SEQUENCE,
            np.swapaxes(TAPS1, -1, -2),
        ),
        whole(
            lambda x, k: ops.conv_transpose(x, k, (1, 2, 1), "same", data_format="channels_last"),
            lambda x, k: transposed(x, k, (1, 2, 1), (3, 8, 5), (0, 0, 0)),
            VOLUME,
            np.swapaxes(TAPS3, -1, -2),
        ),
    ],
    "depthwise_conv": [
        whole(
            lambda x, k: ops.depthwise_conv(x, k, 2, "same"),
            lambda x, k: apart(x, k, (2, 2), "same"),
            IMAGE,
            TAPS2,
        ),
        whole(
            lambda x, k: ops.depthwise_conv(x, k, dilation_rate=2),
            lambda x, k: apart(x, k, (1,), "valid", 2),
            SEQUENCE,
            TAPS1[..., :1],
        ),
    ],
    "depth_to_space": [
        whole(lambda x: ops.depth_to_space(x, 2), lambda x: spread(x, 2), IMAGE),
        whole(
            lambda x: ops.depth_to_space(x, 3, "channels_first"),
            lambda x: np.concatenate(
                [np.moveaxis(spread(np.moveaxis(c, 1, -1), 3), -1, 1) for c in np.split(x, 2, 1)], 1
            ),
            rng.normal(0, 1, (2, 18, 2, 1)),
        ),
    ],
    "space_to_depth": [
        whole(lambda x: ops.space_to_depth(x, 2), lambda x: gathered(x, 2), IMAGE[:, :4]),
        whole(
            lambda x: ops.space_to_depth(x, 2, "channels_first"),
            lambda x: np.concatenate(
                [np.moveaxis(gathered(c[..., None][:, 0], 2), -1, 1) for c in np.split(x, 4, 1)], 1
            ),
            np.moveaxis(IMAGE[:, :4], -1, 1),
        ),
    ],
    "separable_conv": [
        whole(
            lambda x, k, p: ops.separable_conv(x, k, p, padding="same"),
            lambda x, k, p: apart(x, k, (1,), "same") @ p[0],
            SEQUENCE,
            TAPS1,
            np.linspace(-1, 1, 45).reshape(1, 15, 3),
        ),
    ],
    "max_pool": [
        whole(
            lambda x: ops.max_pool(x, 2),
            lambda x: pooled(np.nanmax, x, (2, 2), (2, 2), "valid"),
            IMAGE,
        ),
        whole(
            lambda x: ops.max_pool(x, 3, 2, "same"),
            lambda x: pooled(np.nanmax, x, (3,), (2,), "same"),
            SEQUENCE,
        ),
        whole(
            lambda x: ops.max_pool(x, (2, 2, 3), 1, "same"),
            lambda x: pooled(np.nanmax, x, (2, 2, 3), (1, 1, 1), "same"),
            VOLUME,
        ),
    ],
    "average_pool": [
        whole(
            lambda x: ops.average_pool(x, (2, 3)),
            lambda x: pooled(np.nanmean, x, (2, 3), (2, 3), "valid"),
            IMAGE,
        ),
        whole(
            lambda x: ops.average_pool(x, 3, 2, "same"),
            lambda x: pooled(np.nanmean, x, (3,), (2,), "same"),
            SEQUENCE,
        ),
        whole(
            lambda x: ops.average_pool(x, 2, 1, "same"),
            lambda x: pooled(np.nanmean, x, (2, 2, 2), (1, 1, 1), "same"),
            VOLUME,
        ),
    ],
    "adaptive_max_pool": [
        whole(
            lambda x: ops.adaptive_max_pool(x, (2, 4)),
            lambda x: divided(np.max, x, (2, 4)),
            IMAGE,
        ),
        whole(lambda x: ops.adaptive_max_pool(x, 2), lambda x: divided(np.max, x, (2,)), SEQUENCE),
    ],
    "adaptive_average_pool": [
        whole(
            lambda x: ops.adaptive_average_pool(x, (2, 4)),
            lambda x: divided(np.mean, x, (2, 4)),
            IMAGE,
        ),
        whole(
            lambda x: ops.adaptive_average_pool(x, 2),
            lambda x: divided(np.mean, x, (2, 2, 2)),
            VOLUME,
        ),
    ],
    "dot_product_attention": [
        whole(ops.dot_product_attention, attended, QUERIES, KEYS, VALUES),
        whole(
            lambda q, k, v: ops.dot_product_attention(q, k, v, scale=0.7, is_causal=True),
            lambda q, k, v: attended(q, k, v, 0.7, np.tri(q.shape[1], k.shape[1])),
            QUERIES,
            KEYS,
            VALUES,
        ),
    ],
    # new arrays, dtypes, and the rest
    "zeros_like": [case("zeros_like", X, smooth=0)],
    "ones_like": [case("ones_like", X, smooth=0)],
    "full_like": [whole(lambda x: ops.full_like(x, 2), lambda x: np.full_like(x, 2), X, smooth=0)],
    "cast": [whole(lambda x: ops.cast(x, "int32"), lambda x: x.astype("int32"), X, smooth=0)],
    "saturate_cast": [
        whole(
            lambda x: ops.saturate_cast(x * 200, "uint8"),
            lambda x: np.clip(x * 200, 0, 255).astype("uint8"),
            X,
            smooth=0,
        )
    ],
    "copy": [case("copy", X)],
    "stop_gradient": [
        whole(lambda x: ops.stop_gradient(x) + 1, lambda x: x + 1, X, smooth=0),
    ],
    "convert_to_tensor": [case("convert_to_tensor", X, to=lambda x: x)],
    "array": [case("array", X, to=lambda x: x, smooth=0, symbolic=False)],
}

# Functions that take no array, or return none: they have tests of their own.
WITHOUT_CASES = {
    *("arange", "empty", "empty_like", "eye", "full", "identity", "linspace", "logspace", "ones"),
    *("tri", "zeros", "convert_to_numpy", "dtype", "is_tensor", "ndim", "shape", "size", "nn"),
}
