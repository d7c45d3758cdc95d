"""Elementwise primitives: arithmetic, elementary functions, comparisons."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autodiff.primitive import Elementwise
from ..autodiff.spec import is_float, result_dtype
from .core import cast
from .pointwise import Pointwise

E = Elementwise

LN2, LN10 = float(np.log(2.0)), float(np.log(10.0))
ERF_SLOPE = 2 / float(np.sqrt(np.pi))


def _half_at_tie(x: Any, y: Any, greater: Any) -> Any:
    """1 where x wins, 0 where y does, 1/2 where they are equal."""
    dtype = result_dtype(np.dtype(x.dtype).name, np.dtype(y.dtype).name)
    return where(greater, _as(1.0, dtype), where(equal(x, y), _as(0.5, dtype), _as(0.0, dtype)))


def _as(value: float, dtype: str) -> np.ndarray:
    return np.asarray(value, dtype)


def _rsqrt(x: np.ndarray, out: np.ndarray) -> None:
    np.sqrt(x, out=out)
    np.divide(1, out, out=out)


def _where(c: np.ndarray, x: np.ndarray, y: np.ndarray, out: np.ndarray) -> None:
    np.copyto(out, y)
    np.copyto(out, x, where=c)


class _Where(Elementwise):
    """`where` keeps its condition boolean; only the two values are brought to one dtype."""

    def _aligned(self, args: tuple) -> list[Any]:
        condition = args[0]
        if not hasattr(condition, "dtype"):
            condition = np.asarray(condition, bool)
        elif np.dtype(condition.dtype) != np.bool_:
            condition = not_equal(condition, 0)
        return [condition, *super()._aligned(args[1:])]

    def _infer(self, *ins: Any, **static: Any) -> Any:
        spec = super()._infer(*ins, **static)
        return spec._replace(dtype=ins[1].dtype)


add = E("add", np.add, lambda g, z, x, y: g, lambda g, z, x, y: g, kernel="add")
subtract = E(
    "subtract",
    np.subtract,
    lambda g, z, x, y: g,
    lambda g, z, x, y: negative(g),
    kernel="subtract",
)
multiply = E(
    "multiply",
    np.multiply,
    lambda g, z, x, y: multiply(g, y),
    lambda g, z, x, y: multiply(g, x),
    kernel="multiply",
)
divide = E(
    "divide",
    np.divide,
    lambda g, z, x, y: divide(g, y),
    lambda g, z, x, y: negative(divide(multiply(g, z), y)),
    floats=True,
    kernel="divide",
)
power = E(
    "power",
    np.power,
    lambda g, z, x, y: multiply(g, multiply(y, power(x, where(equal(y, 0), 1, subtract(y, 1))))),
    lambda g, z, x, y: multiply(g, multiply(z, log(where(greater(x, 0), x, 1)))),
)
maximum = E(
    "maximum",
    np.maximum,
    lambda g, z, x, y: multiply(g, _half_at_tie(x, y, greater(x, y))),
    lambda g, z, x, y: multiply(g, _half_at_tie(y, x, greater(y, x))),
)
minimum = E(
    "minimum",
    np.minimum,
    lambda g, z, x, y: multiply(g, _half_at_tie(x, y, less(x, y))),
    lambda g, z, x, y: multiply(g, _half_at_tie(y, x, less(y, x))),
)
mod = E(
    "mod",
    np.mod,
    lambda g, z, x, y: g,
    lambda g, z, x, y: negative(multiply(g, floor(divide(x, y)))),
)
floor_divide = E("floor_divide", np.floor_divide, None, None)
arctan2 = E(
    "arctan2",
    np.arctan2,
    lambda g, z, x, y: divide(multiply(g, y), add(square(x), square(y))),
    lambda g, z, x, y: negative(divide(multiply(g, x), add(square(x), square(y)))),
    floats=True,
)
logaddexp = E(
    "logaddexp",
    np.logaddexp,
    lambda g, z, x, y: multiply(g, exp(subtract(x, z))),
    lambda g, z, x, y: multiply(g, exp(subtract(y, z))),
    floats=True,
)
where = _Where(
    "where",
    _where,
    None,
    lambda g, z, c, x, y: where(c, g, 0.0),
    lambda g, z, c, x, y: where(c, 0.0, g),
)

negative = E("negative", np.negative, lambda g, z, x: negative(g))
absolute = E("absolute", np.absolute, lambda g, z, x: multiply(g, sign(x)), kernel="absolute")
sign = E("sign", np.sign, None)
square = E("square", np.square, lambda g, z, x: multiply(multiply(g, x), 2), kernel="square")
sqrt = E("sqrt", np.sqrt, lambda g, z, x: divide(multiply(g, 0.5), z), floats=True, kernel="sqrt")
rsqrt = E("rsqrt", _rsqrt, lambda g, z, x: multiply(multiply(g, -0.5), divide(z, x)), floats=True)
reciprocal = E(
    "reciprocal",
    lambda x, out: np.divide(1, x, out=out),
    lambda g, z, x: negative(multiply(g, square(z))),
    floats=True,
)
exp = Pointwise("exp", pull=lambda g, ins, outs, needed: [multiply(g, outs[0])])
exp2 = E("exp2", np.exp2, lambda g, z, x: multiply(multiply(g, z), LN2), floats=True)
expm1 = E("expm1", np.expm1, lambda g, z, x: multiply(g, add(z, 1)), floats=True)
log = Pointwise("log", pull=lambda g, ins, outs, needed: [divide(g, ins[0])])
log2 = E("log2", np.log2, lambda g, z, x: divide(g, multiply(x, LN2)), floats=True)
log10 = E("log10", np.log10, lambda g, z, x: divide(g, multiply(x, LN10)), floats=True)
log1p = E("log1p", np.log1p, lambda g, z, x: divide(g, add(x, 1)), floats=True)
sin = E("sin", np.sin, lambda g, z, x: multiply(g, cos(x)), floats=True)
cos = E("cos", np.cos, lambda g, z, x: negative(multiply(g, sin(x))), floats=True)
tan = E("tan", np.tan, lambda g, z, x: multiply(g, add(square(z), 1)), floats=True)
arcsin = E(
    "arcsin", np.arcsin, lambda g, z, x: multiply(g, rsqrt(subtract(1, square(x)))), floats=True
)
arccos = E(
    "arccos",
    np.arccos,
    lambda g, z, x: negative(multiply(g, rsqrt(subtract(1, square(x))))),
    floats=True,
)
arctan = E("arctan", np.arctan, lambda g, z, x: divide(g, add(square(x), 1)), floats=True)
sinh = E("sinh", np.sinh, lambda g, z, x: multiply(g, cosh(x)), floats=True)
cosh = E("cosh", np.cosh, lambda g, z, x: multiply(g, sinh(x)), floats=True)
arcsinh = E(
    "arcsinh", np.arcsinh, lambda g, z, x: multiply(g, rsqrt(add(square(x), 1))), floats=True
)
arccosh = E(
    "arccosh", np.arccosh, lambda g, z, x: multiply(g, rsqrt(subtract(square(x), 1))), floats=True
)
arctanh = E("arctanh", np.arctanh, lambda g, z, x: divide(g, subtract(1, square(x))), floats=True)
floor = E("floor", np.floor, None, floats=True)
ceil = E("ceil", np.ceil, None, floats=True)
trunc = E("trunc", np.trunc, None, floats=True)
rint = E("rint", np.rint, None, floats=True)

equal = E("equal", np.equal, None, None, dtype="bool")
not_equal = E("not_equal", np.not_equal, None, None, dtype="bool")
less = E("less", np.less, None, None, dtype="bool")
less_equal = E("less_equal", np.less_equal, None, None, dtype="bool")
greater = E("greater", np.greater, None, None, dtype="bool")
greater_equal = E("greater_equal", np.greater_equal, None, None, dtype="bool")
logical_and = E("logical_and", np.logical_and, None, None, dtype="bool")
logical_or = E("logical_or", np.logical_or, None, None, dtype="bool")
logical_xor = E("logical_xor", np.logical_xor, None, None, dtype="bool")
logical_not = E("logical_not", np.logical_not, None, dtype="bool")
isnan = E("isnan", np.isnan, None, dtype="bool", floats=True)
isinf = E("isinf", np.isinf, None, dtype="bool", floats=True)
isfinite = E("isfinite", np.isfinite, None, dtype="bool", floats=True)
signbit = E("signbit", np.signbit, None, dtype="bool")

erf = Pointwise(
    "erf",
    pull=lambda g, ins, outs, needed: [
        multiply(multiply(g, ERF_SLOPE), exp(negative(square(ins[0]))))
    ],
)

bitwise_and = E("bitwise_and", np.bitwise_and, None, None)
bitwise_or = E("bitwise_or", np.bitwise_or, None, None)
bitwise_xor = E("bitwise_xor", np.bitwise_xor, None, None)
bitwise_not = E("bitwise_not", np.bitwise_not, None)
left_shift = E("left_shift", np.left_shift, None, None)
right_shift = E("right_shift", np.right_shift, None, None)


def abs(x: Any) -> Any:
    return absolute(x)


def true_divide(x1: Any, x2: Any) -> Any:
    return divide(x1, x2)


def clip(x: Any, x_min: Any, x_max: Any) -> Any:
    """`x` limited to the interval from `x_min` to `x_max`."""
    return minimum(maximum(x, x_min), x_max)


def nan_to_num(
    x: Any, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None
) -> Any:
    """`x` with NaN and infinities replaced by numbers (the largest and smallest by default)."""
    name = np.dtype(x.dtype).name if hasattr(x, "dtype") else "float32"
    if not is_float(name):
        return x
    limits = np.finfo(name)
    x = where(isnan(x), nan, x)
    x = where(equal(x, float("inf")), float(limits.max) if posinf is None else posinf, x)
    return where(equal(x, float("-inf")), float(limits.min) if neginf is None else neginf, x)


def hypot(x1: Any, x2: Any) -> Any:
    """``sqrt(x1**2 + x2**2)``."""
    return sqrt(add(square(x1), square(x2)))


def logaddexp2(x1: Any, x2: Any) -> Any:
    return divide(logaddexp(multiply(x1, LN2), multiply(x2, LN2)), LN2)


def cbrt(x: Any) -> Any:
    return multiply(sign(x), power(absolute(x), 1 / 3))


def deg2rad(x: Any) -> Any:
    return multiply(x, float(np.pi) / 180)


def rad2deg(x: Any) -> Any:
    return multiply(x, 180 / float(np.pi))


def sinc(x: Any) -> Any:
    """``sin(pi x) / (pi x)``, and 1 where `x` is 0."""
    zero = equal(x, 0)
    angle = multiply(where(zero, 1.0, x), float(np.pi))
    return where(zero, 1.0, divide(sin(angle), angle))


def heaviside(x1: Any, x2: Any) -> Any:
    """0 for negative `x1`, 1 for positive, `x2` at 0."""
    return where(
        equal(x1, 0),
        x2,
        cast(greater(x1, 0), np.dtype(x2.dtype).name if hasattr(x2, "dtype") else "float32"),
    )


def isclose(
    x1: Any, x2: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> Any:
    """Whether numbers agree to ``atol + rtol * abs(x2)``."""
    near = less_equal(absolute(subtract(x1, x2)), add(atol, multiply(rtol, absolute(x2))))
    near = where(logical_and(isfinite(x1), isfinite(x2)), near, equal(x1, x2))
    return logical_or(near, logical_and(isnan(x1), isnan(x2))) if equal_nan else near


def isposinf(x: Any) -> Any:
    return equal(x, float("inf"))


def isneginf(x: Any) -> Any:
    return equal(x, float("-inf"))


def select(condlist: Any, choicelist: Any, default: Any = 0) -> Any:
    """For each element, the first choice whose condition holds."""
    result = default
    for condition, choice in reversed(list(zip(condlist, choicelist, strict=True))):
        result = where(condition, choice, result)
    return result


def round(x: Any, decimals: int = 0) -> Any:
    """`x` rounded to `decimals` digits, halves to even."""
    if hasattr(x, "dtype") and not is_float(np.dtype(x.dtype).name) and decimals >= 0:
        return x
    if decimals == 0:
        return rint(x)
    factor = 10.0**decimals
    return divide(rint(multiply(x, factor)), factor)


def divide_no_nan(x1: Any, x2: Any) -> Any:
    """``x1 / x2``, and 0 where `x2` is 0."""
    zero = equal(x2, 0)
    return where(zero, 0.0, divide(x1, where(zero, 1.0, x2)))
