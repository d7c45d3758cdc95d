"""Scalar functions for the inside of kernels: branch-free, so that LLVM vectorises their loop.

Each ``make_*`` takes the float type of Numba (``types.float32`` or ``types.float64``) and returns a
compiled function of one number. Results are within a few units in the last place (subnormal results
are flushed to zero), NaN passes through, and infinities give the limits.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from ._jit import exact, shared


class Format(NamedTuple):
    """Layout of a float type, and the polynomials that are accurate enough for it.

    The polynomials are minimax fits in relative error (Remez exchange, 50 digits), lowest power
    first: ``exp`` is (exp(r) - 1 - r) / r**2 for abs(r) <= log(2)/2; ``log`` is (2 atanh(s)/s -
    2) / s**2 as a polynomial in s**2 for abs(s) <= 0.172; ``erf`` is erf(x)/x in x**2 for abs(x)
    <= 1; ``erfc`` is exp(y**2) erfc(y) in t = (y - 3.5)/(y + 3.5) for y >= 0, up to the y whose
    exp(-y**2) is zero.
    """

    bits: int  # of the whole number
    mantissa: int
    bias: int
    root_half: int  # bit pattern of sqrt(1/2)
    ln2_high: float  # few enough bits that its product with an exponent is exact
    ln2_low: float
    exp_low: float  # exp is zero (its power of two is) from here down, infinite from exp_high up
    exp_high: float
    tanh_high: float  # tanh is one from here up
    erfc_high: float
    exp: tuple[float, ...]
    log: tuple[float, ...]
    erf: tuple[float, ...]
    erfc: tuple[float, ...]


SINGLE = Format(
    bits=32,
    mantissa=23,
    bias=127,
    root_half=0x3F3504F3,
    ln2_high=0.693145751953125,
    ln2_low=1.428606820309417e-06,
    exp_low=-87.6,
    exp_high=89.0,
    tanh_high=10.0,
    erfc_high=10.0,
    exp=(0.50000000676740805, 0.16666665868515902, 0.041666294959958660, 0.0083334971415492062,
         0.0013944659168443096, 0.00019790315478895),
    log=(0.66666665641367699, 0.40000336200847611, 0.28537239529961107, 0.23583546394976679),
    erf=(1.1283791657270888, -0.37612625825101132, 0.11283585150676004, -0.026853811846397497,
         0.0051883273195152210, -0.00080101892472744237, 7.8538440458998214e-05),
    erfc=(0.15529365535283714, -0.28926503248715363, 0.23313049744404214, -0.16133908155861791,
          0.094427541054341267, -0.045430015177279053, 0.016980868100725237, -0.0042735507135357625,
          0.00023815086392645749, 0.00033809967893608281, -4.0298015965852443e-05),
)  # fmt: skip

DOUBLE = Format(
    bits=64,
    mantissa=52,
    bias=1023,
    root_half=0x3FE6A09E667F3BCD,
    ln2_high=0.69314718036912382,
    ln2_low=1.9082149292705877e-10,
    exp_low=-708.6,
    exp_high=710.0,
    tanh_high=20.0,
    erfc_high=27.0,
    exp=(0.50000000000000000439, 0.16666666666666683418, 0.041666666666666094271,
         0.0083333333333170354116, 0.0013888888889115651578, 0.00019841269896381487973,
         2.4801586926570324463e-05, 2.7557234863881884959e-06, 2.7557581908744588981e-07,
         2.5112036250509157695e-08, 2.0826607374752719396e-09),
    log=(0.66666666666666660934, 0.40000000000006286959, 0.28571428569072973775,
         0.22222222648752084528, 0.18181775508225397779, 0.15387097669524254811,
         0.1324996150990317263, 0.13252760193088835133),
    erf=(1.1283791670955125657, -0.37612638903183519542, 0.11283791670944184313,
         -0.026866170643111374111, 0.0052239776061176199902, -0.00085483259292715757149,
         0.00012055293575585291957, -1.4924712276399660302e-05, 1.6447131253159389677e-06,
         -1.6206311317613115874e-07, 1.3710969859773255304e-08, -7.7794489132478199253e-10),
    erfc=(0.15529365560889429027, -0.28926504483276709897, 0.23313048160025239672,
          -0.16133852476454214941, 0.094427806909134147889, -0.045436761182525276165,
          0.016976760932122515434, -0.0042422386202208232247, 0.00026738508831629261431,
          0.00028855532794384768123, -0.00010808481201232555229, -4.6741812120409452489e-06,
          1.3346214750246399423e-05, -1.6271487321771505772e-06, -1.5190336604796970414e-06,
          3.6726721515558130952e-07, 1.9134032005028694411e-07, -5.7864545183816594779e-08,
          -2.6873830147474296817e-08, 6.0075343248591354712e-09, 3.0338615186500809944e-09),
)  # fmt: skip


def format_of(T) -> Format:
    return SINGLE if types.float32 == T else DOUBLE


# ---- building blocks on the bits of floats


def _intrinsic_of_floats(T, emit: Callable, arguments: int = 1):
    """Compiled function of `arguments` floats whose LLVM code is ``emit(builder, *values)``."""
    signature = T(*[T] * arguments)

    def codegen(context, builder, sig, args):
        return emit(builder, *args)

    if arguments == 1:

        @intrinsic
        def function(typingctx, x):
            return signature, codegen
    else:

        @intrinsic
        def function(typingctx, x, y):
            return signature, codegen

    return function


def _llvm_types(T) -> tuple[ir.Type, ir.Type]:
    """The LLVM types of the float and of the integer that holds its bits."""
    return (
        (ir.FloatType(), ir.IntType(32))
        if types.float32 == T
        else (ir.DoubleType(), ir.IntType(64))
    )


def polynomial(T, coefficients: tuple[float, ...]):
    """Compiled function x -> sum of coefficients[k] * x**k, a chain of fused multiply-adds."""
    number, _ = _llvm_types(T)
    fused = ("contract",)

    def emit(builder, x):
        value = ir.Constant(number, float(T(coefficients[-1])))
        for coefficient in reversed(coefficients[:-1]):
            product = builder.fmul(value, x, flags=fused)
            value = builder.fadd(product, ir.Constant(number, float(T(coefficient))), flags=fused)
        return value

    return _intrinsic_of_floats(T, emit)


@shared
def make_maximum(T):
    """The larger of two numbers, NaN when one is NaN; a loop of it is vectorised as a reduction."""
    number, _ = _llvm_types(T)

    def emit(builder, x, y):
        kind = ir.FunctionType(number, [number, number])
        function = builder.module.declare_intrinsic("llvm.maximum", [number], kind)
        return builder.call(function, [x, y], fastmath=("nsz",))

    return _intrinsic_of_floats(T, emit, arguments=2)


def _round_shift(T) -> float:
    """Adding this to a small number leaves its nearest integer in the low bits of the sum."""
    return T(1.5 * 2.0 ** format_of(T).mantissa)


def _half_power(T):
    """t = n + _round_shift -> 2**(n - 1), zero for the least n that `exp_low` admits."""
    number, integer = _llvm_types(T)
    form = format_of(T)

    def emit(builder, t):
        exponent = builder.add(builder.bitcast(t, integer), ir.Constant(integer, form.bias - 1))
        return builder.bitcast(builder.shl(exponent, ir.Constant(integer, form.mantissa)), number)

    return _intrinsic_of_floats(T, emit)


def _split(T):
    """Normal x > 0 -> k (as a float) and m in [sqrt(1/2), sqrt(2)) with x = m * 2**k."""
    number, integer = _llvm_types(T)
    form = format_of(T)
    shift = ir.Constant(integer, form.mantissa)
    magic = _round_shift(T)
    magic_bits = int(np.array(magic).view(np.int32 if form.bits == 32 else np.int64))

    def power(builder, x):
        above = builder.sub(builder.bitcast(x, integer), ir.Constant(integer, form.root_half))
        return builder.ashr(above, shift)

    def exponent(builder, x):
        shifted = builder.add(power(builder, x), ir.Constant(integer, magic_bits))
        return builder.fsub(builder.bitcast(shifted, number), ir.Constant(number, float(magic)))

    def mantissa(builder, x):
        rest = builder.sub(builder.bitcast(x, integer), builder.shl(power(builder, x), shift))
        return builder.bitcast(rest, number)

    return _intrinsic_of_floats(T, exponent), _intrinsic_of_floats(T, mantissa)


@shared
def make_cast(T):
    """Compiled function: tuple of numbers -> tuple of T."""

    @intrinsic
    def cast(typingctx, numbers):
        result = types.Tuple([T] * len(numbers))

        def codegen(context, builder, sig, args):
            values = [
                context.cast(builder, builder.extract_value(args[0], k), kind, T)
                for k, kind in enumerate(numbers)
            ]
            return context.make_tuple(builder, result, values)

        return result(numbers), codegen

    return cast


# ---- exponential and its relatives


@shared
def _make_reduced_exp(T):
    """x within [exp_low, exp_high] -> (p, s) with exp(x) = 2 s (1 + p), s = 2**(n - 1)."""
    form = format_of(T)
    shift, per_ln2 = _round_shift(T), T(1 / math.log(2))
    high, low = T(form.ln2_high), T(form.ln2_low)
    half_power, tail = _half_power(T), polynomial(T, form.exp)

    @exact
    def reduced(x):
        t = x * per_ln2 + shift
        n = t - shift
        r = (x - n * high) - n * low
        return r + r * r * tail(r), half_power(t)

    return reduced


@shared
def make_exp(T):
    """exp(x)."""
    form = format_of(T)
    lowest, highest = T(form.exp_low), T(form.exp_high)
    two = T(2)
    reduced = _make_reduced_exp(T)

    @exact
    def exp(x):
        x = lowest if x < lowest else x
        x = highest if x > highest else x
        p, s = reduced(x)
        return (p * s + s) * two

    return exp


@shared
def make_expm1(T):
    """exp(x) - 1, accurate near zero."""
    form = format_of(T)
    lowest, highest = T(form.exp_low), T(form.exp_high)
    half, two = T(0.5), T(2)
    reduced = _make_reduced_exp(T)

    @exact
    def expm1(x):
        x = lowest if x < lowest else x
        x = highest if x > highest else x
        p, s = reduced(x)
        return (p * s + (s - half)) * two

    return expm1


@shared
def make_sigmoid(T):
    """1 / (1 + exp(-x))."""
    one = T(1)
    exp = make_exp(T)

    @exact
    def sigmoid(x):
        return one / (one + exp(-x))

    return sigmoid


@shared
def make_tanh(T):
    """Hyperbolic tangent, as e / (e + 2) with e = exp(2 x) - 1."""
    bound = T(format_of(T).tanh_high)
    half, one, two = T(0.5), T(1), T(2)
    reduced = _make_reduced_exp(T)

    @exact
    def tanh(x):
        x = -bound if x < -bound else x
        x = bound if x > bound else x
        p, s = reduced(two * x)
        e = p * s + (s - half)  # half of exp(2 x) - 1
        return e / (e + one)

    return tanh


# ---- logarithms


@shared
def _make_log_near_one(T):
    """f in [-0.293, 0.415] -> log(1 + f) = f - square, returned as the number `square`."""
    half, two = T(0.5), T(2)
    tail = polynomial(T, format_of(T).log)

    @exact
    def correction(f):
        s = f / (two + f)
        z = s * s
        square = half * f * f
        return square - s * (square + z * tail(z))

    return correction


@shared
def make_log(T):
    """Natural logarithm: minus infinity at zero, NaN below."""
    form = format_of(T)
    tiny, scale = T(2.0 ** (1 - form.bias)), T(2.0 ** (form.mantissa + 1))
    zero, one, drop = T(0), T(1), T(form.mantissa + 1)
    infinity, nan = T(np.inf), T(np.nan)
    high, low = T(form.ln2_high), T(form.ln2_low)
    exponent, mantissa = _split(T)
    correction = _make_log_near_one(T)

    @exact
    def log(x):
        normal = x * scale if x < tiny else x
        k = exponent(normal) - (drop if x < tiny else zero)
        f = mantissa(normal) - one
        value = k * high - ((correction(f) - k * low) - f)
        value = value if x > zero else (-infinity if x == zero else nan)
        return value if x < infinity else x

    return log


@shared
def make_log1p_of_unit(T):
    """log(1 + u) for u in [0, 1], accurate near zero."""
    half, one, ln2 = T(0.5), T(1), T(math.log(2))
    root = T(math.sqrt(2) - 1)
    correction = _make_log_near_one(T)

    @exact
    def log1p(u):
        f = u if u <= root else half * (u - one)  # 1 + u itself, or its half
        value = f - correction(f)
        return value if u <= root else value + ln2

    return log1p


@shared
def make_softplus(T):
    """log(1 + exp(x))."""
    zero = T(0)
    exp, log1p = make_exp(T), make_log1p_of_unit(T)

    @exact
    def softplus(x):
        return (x if x > zero else zero) + log1p(exp(-abs(x)))

    return softplus


# ---- error function and the normal distribution


@shared
def _make_upper_erfc(T):
    """y >= 0 -> erfc(y), relatively accurate as long as exp(-y * y) is not zero."""
    highest, middle = T(format_of(T).erfc_high), T(3.5)
    exp, scaled = make_exp(T), polynomial(T, format_of(T).erfc)

    @exact
    def erfc(y):
        y = highest if y > highest else y
        return exp(-y * y) * scaled((y - middle) / (y + middle))

    return erfc


@shared
def make_erf(T):
    """Error function."""
    one = T(1)
    erfc, near_zero = _make_upper_erfc(T), polynomial(T, format_of(T).erf)

    @exact
    def erf(x):
        y = abs(x)
        far = one - erfc(y)
        far = far if x > -one else -far
        return x * near_zero(x * x) if y < one else far

    return erf


@shared
def make_normal_cdf(T):
    """Share of a standard normal distribution below x; the relative error is small in the tail."""
    zero, half, one, root_half = T(0), T(0.5), T(1), T(math.sqrt(0.5))
    erfc = _make_upper_erfc(T)

    @exact
    def cdf(x):
        tail = half * erfc(abs(x) * root_half)
        return one - tail if x > zero else tail

    return cdf
