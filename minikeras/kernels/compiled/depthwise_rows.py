"""Rows of convolutions that keep channels apart: sums over the taps, held in vector registers.

Two functions of int64 addresses and counts, in LLVM's own language. Offsets lie in tables of int64
and count numbers, as steps do; channels lie side by side.

* ``row(x, offsets, order, taps, w, pitch, bias, y, x_step, y_step, pixels, channels)``:
  ``y[p] = bias + sum over the taps t of x[offsets[t] + p * x_step] * w[order[t]]``;
* ``sums(x, offsets, taps, g, x_step, g_step, pixels, channels, out, pitch)``:
  ``out[t] += sum over the pixels p of x[offsets[t] + p * x_step] * g[p]``.
"""

from llvmlite import ir
from numba import types

from ._engine import Target
from ._jit import IR_MAKERS, PREFIX, external
from .micro import entry, repeat
from .vectors import Vectors

_NAMES = f"{PREFIX}depthwise."
_I64 = ir.IntType(64)
_ARGUMENTS = {"row": 12, "sums": 10}
_PIXELS = 4  # of a row that are taken at once
_TAPS = 3  # whose sums over the pixels are taken at once


def row_function(kind: str, floats: str):
    """One of the functions, for use in kernels."""
    name = f"{_NAMES}{floats}.{kind}"
    return external(name, types.void(*[types.int64] * _ARGUMENTS[kind]))


class _Emitter:
    """What both functions share: loops over the channels, a vector at a time, and over counts."""

    def __init__(self, v: Vectors, function: ir.Function):
        self.v, self.function = v, function
        self.builder = ir.IRBuilder(function.append_basic_block("entry"))

    def pointer(self, address):
        return self.v.numbers(self.builder, address)

    def table(self, address):
        return self.builder.inttoptr(address, _I64.as_pointer())

    def each_vector(self, channels, body) -> None:
        """``body(first channel, mask)`` for each vector of channels; the last one is masked."""
        builder, width = self.builder, self.v.width
        whole = builder.and_(channels, _I64(-width))

        def step(c):
            body(c, None)
            return [builder.add(c, _I64(width))]

        repeat(builder, [_I64(0)], lambda c: builder.icmp_signed("<", c, whole), step)
        rest = builder.sub(channels, whole)
        with builder.if_then(builder.icmp_signed(">", rest, _I64(0))):
            body(whole, self.v.first(builder, rest))

    def each_run(self, count, sizes, body, state=()) -> list:
        """``state = body(first, size, *state)`` over 0..count, in runs of the sizes in turn."""
        builder = self.builder
        at, state = _I64(0), list(state)
        for size in sizes:

            def step(i, *held, size=size):
                return [builder.add(i, _I64(size)), *body(i, size, *held)]

            def more(i, *_, size=size):
                return builder.icmp_signed("<=", builder.add(i, _I64(size)), count)

            at, *state = repeat(builder, [at, *state], more, step)
        return state

    def load(self, base, offset, mask):
        return self.v.load(self.builder, self.v.at(self.builder, base, offset), mask)


class _Row(_Emitter):
    def emit(self) -> None:
        x, offsets, order, taps, w, pitch, bias, y, x_step, y_step, pixels, channels = (
            self.function.args
        )
        x, w, bias, y = self.pointer(x), self.pointer(w), self.pointer(bias), self.pointer(y)
        offsets, order = self.table(offsets), self.table(order)
        builder, v = self.builder, self.v

        def vector(c, mask):
            first = self.load(bias, c, mask)

            def run(p, size):
                starts = [builder.mul(builder.add(p, _I64(q)), x_step) for q in range(size)]
                starts = [builder.add(start, c) for start in starts]

                def tap(t, *sums):
                    number = builder.mul(entry(builder, order, t), pitch)
                    weights = self.load(w, builder.add(number, c), mask)
                    offset = entry(builder, offsets, t)
                    read = [self.load(x, builder.add(s, offset), mask) for s in starts]
                    sums = [v.fma(builder, a, weights, b) for a, b in zip(read, sums, strict=True)]
                    return [builder.add(t, _I64(1)), *sums]

                def more(t, *_):
                    return builder.icmp_signed("<", t, taps)

                state = [_I64(0), *[first] * size]
                for q, total in enumerate(repeat(builder, state, more, tap)[1:]):
                    place = builder.add(builder.mul(builder.add(p, _I64(q)), y_step), c)
                    v.store(builder, total, v.at(builder, y, place), mask)
                return []

            self.each_run(pixels, (_PIXELS, 1), run)

        self.each_vector(channels, vector)
        builder.ret_void()


class _Sums(_Emitter):
    def emit(self) -> None:
        x, offsets, taps, g, x_step, g_step, pixels, channels, out, pitch = self.function.args
        x, g, out, offsets = (
            self.pointer(x),
            self.pointer(g),
            self.pointer(out),
            self.table(offsets),
        )
        builder, v = self.builder, self.v

        def vector(c, mask):
            def run(t, size):
                starts = [builder.add(entry(builder, offsets, t, k), c) for k in range(size)]

                def pixel(p, count, *sums):
                    sums = list(sums)
                    for q in range(count):
                        here = builder.add(p, _I64(q))
                        slope = self.load(g, builder.add(builder.mul(here, g_step), c), mask)
                        move = builder.mul(here, x_step)
                        for k, start in enumerate(starts):
                            read = self.load(x, builder.add(start, move), mask)
                            at = k * _PIXELS + q
                            sums[at] = v.fma(builder, read, slope, sums[at])
                    return sums

                sums = self.each_run(pixels, (_PIXELS, 1), pixel, [v.zero] * (size * _PIXELS))
                for k in range(size):
                    one, two, three, four = sums[k * _PIXELS : (k + 1) * _PIXELS]
                    total = builder.fadd(builder.fadd(one, two), builder.fadd(three, four))
                    place = builder.add(builder.mul(builder.add(t, _I64(k)), pitch), c)
                    place = v.at(builder, out, place)
                    v.store(builder, builder.fadd(v.load(builder, place, mask), total), place, mask)
                return []

            self.each_run(taps, (_TAPS, 1), run)

        self.each_vector(channels, vector)
        builder.ret_void()


def _make(symbol: str, target: Target) -> str:
    floats, kind = symbol.removeprefix(_NAMES).split(".")
    module = ir.Module(symbol)
    v = Vectors(module, floats, target)
    arguments = [_I64] * _ARGUMENTS[kind]
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), arguments), symbol)
    function.attributes.add("noinline")
    {"row": _Row, "sums": _Sums}[kind](v, function).emit()
    return str(module)


IR_MAKERS[_NAMES] = _make
