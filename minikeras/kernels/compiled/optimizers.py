"""Optimizer steps, in one pass over flat vectors.

Gradients and slots are flat vectors. `segments` says whose they are, one row per variable: the
address of its numbers, their place in the flat vectors, how many they are, and flags (`DECAYED`:
weight decay applies). `hyper` holds `formulas.COMMON`, then the rule's own numbers, always float64.
A task owns a part of the flat vectors and touches the variables that it overlaps.

Of a table flagged `ROWS` only the rows are updated that have a mark, and the gradients are those of
the rows that were looked up, in that order. More numbers of its segment, which `chain_rows`
explains: the length of a row; the addresses of `marks`, a byte per row, padded to a multiple of
`formulas.BLOCK_OF_ROWS`, `places`, which are zero afterwards, `following`, `near` and `numbers`;
and where the slots of near rows begin in the flat vectors. Tasks take turns in blocks of rows.
"""

from collections.abc import Callable
from types import FunctionType

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .. import formulas
from ..formulas import BLOCK_OF_ROWS
from ._jit import exact, inner, noalias, view
from ._parts import flat_part, piece, pieces, row
from .maths import make_cast, make_exp, make_log

DECAYED, ROWS = 1, 2
AHEAD = 16  # cache lines of a row that are asked for


def _pointers(context, builder, kinds, arrays, j) -> list:
    """Addresses of number j of each array of a tuple."""
    result = []
    for k, kind in enumerate(kinds):
        array = context.make_array(kind)(context, builder, builder.extract_value(arrays, k))
        result.append(builder.gep(array.data, [j]))
    return result


@intrinsic
def _load_each(typingctx, arrays, j):
    """Number j of each array of a tuple, as a tuple."""
    result = types.Tuple([array.dtype for array in arrays])

    def codegen(context, builder, sig, args):
        values = [builder.load(p) for p in _pointers(context, builder, arrays, *args)]
        return context.make_tuple(builder, result, values)

    return result(arrays, types.int64), codegen


@intrinsic
def _store_each(typingctx, arrays, j, values):
    """Store the numbers of a tuple, all but its first, at place j of the arrays of another."""

    def codegen(context, builder, sig, args):
        for k, p in enumerate(_pointers(context, builder, arrays, *args[:2])):
            builder.store(builder.extract_value(args[2], k + 1), p)
        return context.get_dummy_value()

    return types.void(arrays, types.int64, values), codegen


def _make_numbers(count: int):
    """Compiled function hyper -> tuple of the rule's own numbers."""
    first = len(formulas.COMMON)
    result = types.Tuple([types.float64] * count)

    @intrinsic
    def numbers(typingctx, hyper):
        def codegen(context, builder, sig, args):
            data = context.make_array(hyper)(context, builder, args[0]).data
            places = [ir.Constant(ir.IntType(64), first + k) for k in range(count)]
            values = [builder.load(builder.gep(data, [place])) for place in places]
            return context.make_tuple(builder, result, values)

        return result(hyper), codegen

    return numbers


def _make_power(T):
    """`formulas.power`, in a form that LLVM vectorises."""
    exp, log, zero = make_exp(T), make_log(T), T(0)

    @exact
    def power(a, exponent, of_zero):
        value = exp(exponent * log(a))
        return of_zero if a == zero else value

    return power


def make_step(T, rule: formulas.Rule):
    """The compiled step of a rule."""
    names = {**rule.step.__globals__, "power": _make_power(T)}
    return exact(FunctionType(rule.step.__code__, names, rule.step.__name__))


@inner
def _any(marks):
    found = types.uint8(0)
    for j in range(BLOCK_OF_ROWS):
        found |= marks[j]
    return found > 0


@intrinsic
def _fetch_each(typingctx, arrays, j):
    """Ask for the cache line of number j of each array of a tuple."""
    number = ir.IntType(32)
    kind = ir.FunctionType(ir.VoidType(), [ir.PointerType(), number, number, number])

    def codegen(context, builder, sig, args):
        fetch = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        for p in _pointers(context, builder, arrays, *args):
            builder.call(fetch, [p, number(0), number(3), number(1)])
        return context.get_dummy_value()

    return types.void(arrays, types.int64), codegen


@inner
def _next_row(every, marked, eights, r, last):
    """The next marked row of a block from r on, or r if ``every`` row is meant.

    ``eights`` are the same marks, eight to a number: most are 0.
    """
    if every:
        return r
    if r == 0 and not _any(marked):
        return last
    while r < last and marked[r] == 0:
        r = r + 8 if r % 8 == 0 and eights[r // 8] == 0 else r + 1
    return min(r, last)


def _make_sum(T):
    """Compiled function that sums the gradients of a row: of all the places that looked it up."""
    zero = T(0)

    @inner
    def clear(x):
        for j in range(x.size):
            x[j] = zero

    @inner
    def add(source, target):
        noalias()
        for j in range(target.size):
            target[j] += source[j]

    @inner
    def gather(g, following, place, total):
        clear(total)
        width, before = total.size, 0
        while before < place <= following.size:
            add(piece(g, (place - 1) * width, place * width), total)
            before, place = place, types.int64(following[place - 1])

    return gather


def _make_fetches(T):
    """Compiled functions that ask for memory: of a row of each array, and of a row's gradient."""
    line = 64 * 8 // T.bitwidth

    @inner
    def fetch(arrays, start, width):
        last = start + min(width, AHEAD * line) - 1
        for j in range(start, last, line):
            _fetch_each(arrays, j)
        _fetch_each(arrays, last)

    @inner
    def fetch_gradient(g, places, r, width):
        place = places[r]
        if 0 < place <= g.size // width:
            fetch((g,), (place - 1) * width, width)

    return fetch, fetch_gradient


def _make_rows(T, part):
    """Compiled function that updates the marked rows of a segment, those of task i of n.

    Rows lie far apart: memory is asked for two rows ahead, for gradients one row ahead.
    """
    zero, weights, gather = T(0), view(T), _make_sum(T)
    bytes_at, eights_at, places_at = view(types.uint8), view(types.int64), view(types.int32)
    fetch, fetch_gradient = _make_fetches(T)

    @inner
    def update(r, at, w, start, places, following, g, total, slots, rate, c):
        width = total.size
        gather(g, following, types.int64(places[at]), total)
        places[at] = 0
        kept = pieces(slots, start + at * width, start + (at + 1) * width)
        part(piece(w, r * width, (r + 1) * width), total, kept, zero, rate, c)

    @inner
    def rows(i, n, scratch, segment, g, slots, rate, c):
        size, width = segment[2], segment[4]
        w, total = weights(segment[0], size), weights(scratch, width)
        following = places_at(segment[7], g.size // width)
        near = eights_at(segment[8], 1)[0]  # rows whose slots lie together, or -1
        count, start = (near, segment[10]) if near >= 0 else (size // width, segment[1])
        places, numbers = places_at(segment[6], count), places_at(segment[9], count)
        now = soon = now_at = soon_at = -1
        for block in range(i * BLOCK_OF_ROWS, count, n * BLOCK_OF_ROWS):
            marked = bytes_at(segment[5] + block, BLOCK_OF_ROWS)
            last = min(BLOCK_OF_ROWS, count - block)
            eights = eights_at(segment[5] + block, BLOCK_OF_ROWS // 8)
            j = _next_row(near >= 0, marked, eights, 0, last)
            while j < last:
                at = block + j
                r = types.int64(numbers[at]) if near >= 0 else at
                _fetch_each((places,), at)
                fetch((w,), r * width, width)
                fetch(slots, start + at * width, width)
                if soon >= 0:
                    fetch_gradient(g, places, soon_at, width)
                if now >= 0:
                    update(now, now_at, w, start, places, following, g, total, slots, rate, c)
                now, now_at, soon, soon_at = soon, soon_at, r, at
                j = _next_row(near >= 0, marked, eights, j + 1, last)
        for r, at in ((now, now_at), (soon, soon_at)):
            if r >= 0:
                update(r, at, w, start, places, following, g, total, slots, rate, c)

    return rows


def _kernel(name: str) -> Callable:
    """Kernel factory of a rule."""
    rule = formulas.RULES[name]

    def factory(T):
        step, constants = make_step(T, rule), inner(rule.constants)
        numbers, cast, at = _make_numbers(len(rule.numbers)), make_cast(T), view(T)

        @inner
        def part(w, g, slots, decay, rate, c):
            noalias()
            for j in range(w.size):
                new = step(w[j] - w[j] * decay * rate, g[j], *(_load_each(slots, j) + c))
                w[j] = new[0]
                _store_each(slots, j, new)

        marked_rows = _make_rows(T, part)

        def task(i, n, scratch, segments, g, *rest):
            hyper, slots = rest[-1], rest[:-1]
            c = cast(constants(hyper[0], hyper[2] + 1.0, *numbers(hyper)))
            lo, hi = flat_part(i, n, g.size)
            for k in range(segments.shape[0]):
                start, size = segments[k, 1], segments[k, 2]
                if segments[k, 3] & ROWS:
                    marked_rows(i, n, scratch, row(segments, k), g, slots, T(hyper[0]), c)
                    continue
                decay = T(hyper[1]) if segments[k, 3] & DECAYED else T(0)
                a, b = max(lo, start), min(hi, start + size)
                if a < b:
                    w = piece(at(segments[k, 0], size), a - start, b - start)
                    part(w, piece(g, a, b), pieces(slots, a, b), decay, T(hyper[0]), c)
            return 0

        return task

    return factory


for _name in formulas.RULES:
    globals()[_name] = _kernel(_name)
