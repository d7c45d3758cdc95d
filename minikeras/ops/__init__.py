"""`keras.ops`: functions on arrays, tensors and symbols, which derivatives flow through.

On arrays they compute, on tensors they compute and record, on symbols they only infer shapes.

>>> import numpy as np
>>> sum(np.float32([[1, 2], [3, 4]]), axis=0)
array([4., 6.], dtype=float32)
"""

from ..autodiff.tensor import Tensor as _Tensor
from ..autodiff.variable import Variable as _Variable
from ..graph.symbol import Symbol as _Symbol
from . import convolution_pooling as _convolution_pooling  # noqa: F401  (as the next one)
from . import elementwise as _e
from . import nn
from . import normalisation_fused as _fused  # noqa: F401  (programs look its primitives up)
from .adaptive_pooling import adaptive_average_pool, adaptive_max_pool
from .blocks import depth_to_space, space_to_depth
from .control import (
    associative_scan,
    cond,
    custom_gradient,
    fori_loop,
    map,
    scan,
    switch,
    vectorized_map,
    while_loop,
)
from .convolution import conv, conv_transpose
from .convolution_depthwise import depthwise_conv, separable_conv
from .core import (
    cast,
    convert_to_numpy,
    convert_to_tensor,
    copy,
    dtype,
    is_tensor,
    ndim,
    saturate_cast,
    shape,
    size,
    stop_gradient,
)
from .create import (
    arange,
    array,
    empty,
    empty_like,
    eye,
    full,
    full_like,
    identity,
    linspace,
    logspace,
    ones,
    ones_like,
    tri,
    zeros,
    zeros_like,
)
from .ctc import ctc_loss
from .elementwise import (
    cbrt,
    clip,
    deg2rad,
    divide_no_nan,
    heaviside,
    hypot,
    isclose,
    isneginf,
    isposinf,
    logaddexp2,
    nan_to_num,
    rad2deg,
    round,
    select,
    sinc,
)
from .encode import bincount, digitize, searchsorted, segment_max, segment_sum
from .linalg import cross, dense, dot, einsum, inner, matmul, norm, outer, tensordot, trace, vdot
from .nn import (
    batch_normalization,
    binary_crossentropy,
    categorical_crossentropy,
    celu,
    dot_product_attention,
    elu,
    gelu,
    glu,
    hard_shrink,
    hard_sigmoid,
    hard_silu,
    hard_swish,
    hard_tanh,
    l2_normalize,
    layer_normalization,
    leaky_relu,
    log_sigmoid,
    log_softmax,
    mish,
    moments,
    multi_hot,
    normalize,
    one_hot,
    relu,
    relu6,
    rms_normalization,
    selu,
    sigmoid,
    silu,
    soft_shrink,
    softmax,
    softplus,
    softsign,
    sparse_categorical_crossentropy,
    sparse_plus,
    sparse_sigmoid,
    sparsemax,
    squareplus,
    swish,
    tanh,
    tanh_shrink,
    threshold,
)
from .operators import install as _install
from .pooling import average_pool, max_pool
from .public import binary as _binary
from .public import bits as _bits
from .public import unary as _unary
from .reduce import (
    all,
    amax,
    amin,
    any,
    argmax,
    argmin,
    argsort,
    average,
    count_nonzero,
    cumprod,
    cumsum,
    in_top_k,
    logsumexp,
    max,
    mean,
    median,
    min,
    percentile,
    prod,
    ptp,
    quantile,
    sort,
    std,
    sum,
    top_k,
    var,
)
from .shapes import (
    append,
    array_split,
    broadcast_to,
    concatenate,
    diag,
    diagonal,
    diff,
    dstack,
    expand_dims,
    flip,
    fliplr,
    flipud,
    hstack,
    meshgrid,
    moveaxis,
    pad,
    ravel,
    repeat,
    reshape,
    roll,
    rot90,
    scatter,
    scatter_update,
    slice,
    slice_update,
    split,
    squeeze,
    stack,
    swapaxes,
    take,
    take_along_axis,
    tile,
    transpose,
    tril,
    triu,
    unstack,
    vstack,
)
from .shapes import getitem as get_item

for _kind in (_Tensor, _Symbol):
    _install(_kind)
_install(_Variable, identity_equality=True)

add = _binary(_e.add, "``x1 + x2``.")
subtract = _binary(_e.subtract, "``x1 - x2``.")
multiply = _binary(_e.multiply, "``x1 * x2``.")
divide = _binary(_e.divide, "``x1 / x2``.")
true_divide = divide
floor_divide = _binary(_e.floor_divide, "``x1 / x2`` rounded down.")
mod = _binary(_e.mod, "Remainder of ``x1 / x2``, with the sign of `x2`.")
power = _binary(_e.power, "``x1 ** x2``.")
maximum = _binary(_e.maximum, "The larger of two elements; NaN wins.")
minimum = _binary(_e.minimum, "The smaller of two elements; NaN wins.")
arctan2 = _binary(_e.arctan2, "Angle of the point (x2, x1), with the right quadrant.")
logaddexp = _binary(_e.logaddexp, "``log(exp(x1) + exp(x2))`` without overflow.")
equal = _binary(_e.equal, "``x1 == x2``, element by element.")
not_equal = _binary(_e.not_equal, "``x1 != x2``, element by element.")
less = _binary(_e.less, "``x1 < x2``.")
less_equal = _binary(_e.less_equal, "``x1 <= x2``.")
greater = _binary(_e.greater, "``x1 > x2``.")
greater_equal = _binary(_e.greater_equal, "``x1 >= x2``.")
logical_and = _binary(_e.logical_and, "Whether both hold.")
logical_or = _binary(_e.logical_or, "Whether one or both hold.")
logical_xor = _binary(_e.logical_xor, "Whether exactly one holds.")
bitwise_and = _bits(_e.bitwise_and, "Bits set in both integers.")
bitwise_or = _bits(_e.bitwise_or, "Bits set in one or both integers.")
bitwise_xor = _bits(_e.bitwise_xor, "Bits set in exactly one of two integers.")
left_shift = bitwise_left_shift = _bits(_e.left_shift, "Bits moved up by `y` places.")
right_shift = bitwise_right_shift = _bits(_e.right_shift, "Bits moved down by `y` places.")

negative = _unary(_e.negative, "``-x``.")
absolute = abs = fabs = _unary(_e.absolute, "Absolute value.")
sign = _unary(_e.sign, "-1, 0 or 1.")
signbit = _unary(_e.signbit, "Whether the sign bit is set (negative zero included).")
square = _unary(_e.square, "``x * x``.")
sqrt = _unary(_e.sqrt, "Square root.")
rsqrt = _unary(_e.rsqrt, "``1 / sqrt(x)``.")
reciprocal = _unary(_e.reciprocal, "``1 / x``.")
exp = _unary(_e.exp, "Exponential.")
exp2 = _unary(_e.exp2, "``2 ** x``.")
expm1 = _unary(_e.expm1, "``exp(x) - 1``, accurate near 0.")
log = _unary(_e.log, "Natural logarithm.")
log2 = _unary(_e.log2, "Logarithm to base 2.")
log10 = _unary(_e.log10, "Logarithm to base 10.")
log1p = _unary(_e.log1p, "``log(1 + x)``, accurate near 0.")
erf = _unary(_e.erf, "Error function.")
sin = _unary(_e.sin, "Sine.")
cos = _unary(_e.cos, "Cosine.")
tan = _unary(_e.tan, "Tangent.")
arcsin = _unary(_e.arcsin, "Inverse sine.")
arccos = _unary(_e.arccos, "Inverse cosine.")
arctan = _unary(_e.arctan, "Inverse tangent.")
sinh = _unary(_e.sinh, "Hyperbolic sine.")
cosh = _unary(_e.cosh, "Hyperbolic cosine.")
arcsinh = _unary(_e.arcsinh, "Inverse hyperbolic sine.")
arccosh = _unary(_e.arccosh, "Inverse hyperbolic cosine.")
arctanh = _unary(_e.arctanh, "Inverse hyperbolic tangent.")
floor = _unary(_e.floor, "Rounded down.")
ceil = _unary(_e.ceil, "Rounded up.")
trunc = _unary(_e.trunc, "Rounded towards 0.")
logical_not = _unary(_e.logical_not, "Whether it does not hold.")
isnan = _unary(_e.isnan, "Whether it is NaN.")
isinf = _unary(_e.isinf, "Whether it is infinite.")
isfinite = _unary(_e.isfinite, "Whether it is neither infinite nor NaN.")
bitwise_not = bitwise_invert = _unary(_e.bitwise_not, "All bits turned over.")


def where(condition, x1=None, x2=None):
    """`x1` where the condition holds, `x2` elsewhere.

    Raises:
        ValueError: Without `x1` and `x2` the result would have no fixed shape.
    """
    if x1 is None or x2 is None:
        raise ValueError(
            "ops.where needs `x1` and `x2`: places found by a condition alone have no fixed "
            "number. Use numpy's `nonzero` on arrays."
        )
    return _e.where(condition, x1, x2)


def allclose(x1, x2, rtol=1e-5, atol=1e-8, equal_nan=False):
    """Whether all numbers agree to ``atol + rtol * abs(x2)``."""
    return all(isclose(x1, x2, rtol, atol, equal_nan))


__all__ = [
    "conv_transpose",
    "depth_to_space",
    "depthwise_conv",
    "separable_conv",
    "conv",
    "max_pool",
    "adaptive_average_pool",
    "adaptive_max_pool",
    "average_pool",
    "abs",
    "absolute",
    "add",
    "all",
    "allclose",
    "amax",
    "amin",
    "any",
    "append",
    "arange",
    "arccos",
    "arccosh",
    "arcsin",
    "arcsinh",
    "arctan",
    "arctan2",
    "arctanh",
    "argmax",
    "argmin",
    "argsort",
    "array",
    "array_split",
    "associative_scan",
    "average",
    "batch_normalization",
    "binary_crossentropy",
    "bincount",
    "bitwise_and",
    "bitwise_invert",
    "bitwise_left_shift",
    "bitwise_not",
    "bitwise_or",
    "bitwise_right_shift",
    "bitwise_xor",
    "broadcast_to",
    "cast",
    "categorical_crossentropy",
    "cbrt",
    "ceil",
    "celu",
    "clip",
    "concatenate",
    "cond",
    "convert_to_numpy",
    "convert_to_tensor",
    "copy",
    "cos",
    "cosh",
    "count_nonzero",
    "cross",
    "ctc_loss",
    "cumprod",
    "cumsum",
    "custom_gradient",
    "deg2rad",
    "dense",
    "diag",
    "diagonal",
    "diff",
    "digitize",
    "divide",
    "divide_no_nan",
    "dot",
    "dot_product_attention",
    "dstack",
    "dtype",
    "einsum",
    "elu",
    "empty",
    "empty_like",
    "equal",
    "erf",
    "exp",
    "exp2",
    "expand_dims",
    "expm1",
    "eye",
    "fabs",
    "flip",
    "fliplr",
    "flipud",
    "floor",
    "floor_divide",
    "fori_loop",
    "full",
    "full_like",
    "gelu",
    "get_item",
    "glu",
    "greater",
    "greater_equal",
    "hard_shrink",
    "hard_sigmoid",
    "hard_silu",
    "hard_swish",
    "hard_tanh",
    "heaviside",
    "hstack",
    "hypot",
    "identity",
    "in_top_k",
    "inner",
    "is_tensor",
    "isclose",
    "isfinite",
    "isinf",
    "isnan",
    "isneginf",
    "isposinf",
    "l2_normalize",
    "layer_normalization",
    "leaky_relu",
    "left_shift",
    "less",
    "less_equal",
    "linspace",
    "log",
    "log10",
    "log1p",
    "log2",
    "log_sigmoid",
    "log_softmax",
    "logaddexp",
    "logaddexp2",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "logspace",
    "logsumexp",
    "map",
    "matmul",
    "max",
    "maximum",
    "mean",
    "median",
    "meshgrid",
    "min",
    "minimum",
    "mish",
    "mod",
    "moments",
    "moveaxis",
    "multi_hot",
    "multiply",
    "nan_to_num",
    "ndim",
    "negative",
    "nn",
    "norm",
    "normalize",
    "not_equal",
    "one_hot",
    "ones",
    "ones_like",
    "outer",
    "pad",
    "percentile",
    "power",
    "prod",
    "ptp",
    "quantile",
    "rad2deg",
    "ravel",
    "reciprocal",
    "relu",
    "relu6",
    "repeat",
    "reshape",
    "right_shift",
    "rms_normalization",
    "roll",
    "rot90",
    "round",
    "rsqrt",
    "saturate_cast",
    "scan",
    "scatter",
    "scatter_update",
    "searchsorted",
    "segment_max",
    "segment_sum",
    "select",
    "selu",
    "shape",
    "sigmoid",
    "sign",
    "signbit",
    "silu",
    "sin",
    "sinc",
    "sinh",
    "size",
    "slice",
    "slice_update",
    "soft_shrink",
    "softmax",
    "softplus",
    "softsign",
    "sort",
    "space_to_depth",
    "sparse_categorical_crossentropy",
    "sparse_plus",
    "sparse_sigmoid",
    "sparsemax",
    "split",
    "sqrt",
    "square",
    "squareplus",
    "squeeze",
    "stack",
    "std",
    "stop_gradient",
    "subtract",
    "sum",
    "swapaxes",
    "swish",
    "switch",
    "take",
    "take_along_axis",
    "tan",
    "tanh",
    "tanh_shrink",
    "tensordot",
    "threshold",
    "tile",
    "top_k",
    "trace",
    "transpose",
    "tri",
    "tril",
    "triu",
    "true_divide",
    "trunc",
    "unstack",
    "var",
    "vdot",
    "vectorized_map",
    "vstack",
    "where",
    "while_loop",
    "zeros",
    "zeros_like",
]
