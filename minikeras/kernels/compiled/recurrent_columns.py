"""Recurrences with fewer rows than threads: tasks share the units of every step, not the rows.

A single sequence takes the time in which the recurrent weights come from the cache, step by step;
here each thread keeps those of its own units, packed once, block by block with all their gates.
Since nobody knows whether tasks will run at the same time, the first to come begins alone; when all
have come and packed their part, they go on together from the next step on, and meet after every
step: each needs the states of all. Each number comes about as where tasks own rows, so bits do not
depend on any of this.
"""

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from ..threads import SCRATCH_BYTES
from . import atomics
from ._jit import address_of, current_target, exact, inner, shared, view
from ._parts import row
from ._parts import row_piece as piece
from .gemm import blocks_of_k
from .micro import UNROLL, repeat
from .recurrent import is_masked, make_copies, make_gather, part, time_of
from .recurrent_gru import make_cells
from .recurrent_lstm import make_cell
from .recurrent_simple import make_activate
from .vectors import Vectors, lanes

_I64 = ir.IntType(64)
_STATE = 1 << 13  # bytes of scratch for the sums of a block, before the states that products read
_PANELS = _STATE + (1 << 18)  # before the packed weights: room for the longest row of states

_WORD = 128  # bytes of each word of `turns`: two cache lines
_COME, _READY, _START, _LEFT, _DONE = range(5)  # the last: of each member
_LOOKS = 500  # at a word, before a thread that waits offers its core to others


# ------------------------------------------------------------------ threads that work together


@exact
def _wait(address, value, yields):
    """Wait until a word has reached a value."""
    looks = 0
    while atomics.load(address) < value:
        atomics.pause()
        looks += 1
        if looks > _LOOKS and yields != 0:
            atomics.call(yields)


@exact
def meet(turns, rank, members, count, yields):
    """Wait until all members have come here for the count-th time."""
    if members == 1:
        return
    done = turns + _DONE * _WORD
    atomics.store(done + rank * _WORD, count)
    for other in range(members):
        _wait(done + other * _WORD, count, yields)


@exact
def leave(turns, n):
    """Come to the end of a task; the last of all n leaves the words as they were."""
    if atomics.add(turns + _LEFT * _WORD, 1) + 1 == n:
        for word in range(_DONE + n):
            atomics.store(turns + word * _WORD, 0)


# ------------------------------------------------------------------ products


def _vectors(gates: int) -> int:
    """Vectors of each gate in a block of units."""
    return 4 if gates == 1 else 2


def _width(T, gates: int) -> int:
    """Units in a block."""
    return _vectors(gates) * lanes(current_target(), T.name)


class _Block:
    """Emits the sums over k of all gates of a block of units: a row times a panel."""

    def __init__(self, builder, v: Vectors, gates: int, arguments):
        self.builder, self.v = builder, v
        self.gates, self.vectors = range(gates), range(_vectors(gates))
        a, self.kn, panel, bias, self.step, self.count, sums = arguments
        places = [v.numbers(builder, x) for x in (a, panel, bias, sums)]
        self.a, self.panel, self.bias, self.sums = places
        self.has_bias = builder.icmp_signed("!=", bias, _I64(0))

    def emit(self) -> None:
        builder, v = self.builder, self.v
        state = [self.a, self.panel, *self._biases()]
        for count in (UNROLL, 1):
            end = builder.gep(self.a, [builder.and_(self.kn, _I64(-count))])

            def steps(a, panel, *sums, count=count):
                for _ in range(count):
                    x = v.splat(builder, builder.load(a, align=v.size))
                    sums = [
                        v.fma(builder, x, v.load(builder, self._place(panel, k)), old)
                        for k, old in enumerate(sums)
                    ]
                    a = builder.gep(a, [_I64(1)])
                    panel = builder.gep(panel, [_I64(len(sums) * v.width)])
                return a, panel, *sums

            def more(a, *_, end=end):
                return builder.icmp_unsigned("<", a, end)

            state = repeat(builder, state, more, steps)
        for k, x in enumerate(state[2:]):
            v.store(builder, x, self._place(self.sums, k))

    def _place(self, start, k):
        """Pointer to the k-th vector."""
        return self.v.at(self.builder, start, _I64(k * self.v.width))

    def _biases(self):
        """What the sums start from: the biases, or zeros."""
        builder, v = self.builder, self.v
        before = builder.block
        with builder.if_then(self.has_bias):
            values = [self._bias(gate, j) for gate in self.gates for j in self.vectors]
            inside = builder.block
        starts = []
        for value in values:
            start = builder.phi(v.vector)
            start.add_incoming(value, inside)
            start.add_incoming(v.zero, before)
            starts.append(start)
        return starts

    def _bias(self, gate, j):
        builder, v = self.builder, self.v
        mask = v.first(builder, builder.sub(self.count, _I64(j * v.width)))
        first = builder.gep(self.bias, [builder.mul(self.step, _I64(gate))])
        return v.load(builder, self._place(first, j), mask)


@shared
def make_block(T, gates: int):
    """``block(a, kn, panel, bias, step, count, sums)``: sums = bias + a @ panel.

    ``a`` is the address of kn numbers, and a panel holds a block for each gate in every row, as do
    the sums. Biases of gates lie ``step`` numbers apart, those of the first ``count`` units are
    read; a bias of 0 means none.
    """

    @intrinsic
    def block(typingctx, a, kn, panel, bias, step, count, sums):
        def codegen(context, builder, sig, args):
            v = Vectors(builder.module, T.name, current_target())
            _Block(builder, v, gates, args).emit()
            return context.get_dummy_value()

        return types.void(*[types.int64] * 7), codegen

    return block


@shared
def make_pack(T, gates: int):
    """``pack(w, lo, hi, at)``: panels of the weights of units lo to hi, from an address on.

    Blocks of units one after the other, each with all rows; what is missing from the last is 0.
    """
    size, width, numbers = T.bitwidth // 8, _width(T, gates), view(T)
    copy, _, zeros = make_copies(T)

    @inner
    def pack(w, lo, hi, at):
        units = w.shape[0]
        for first in range(lo, hi, width):
            count = min(width, hi - first)
            for k in range(units):
                for gate in range(gates):
                    start = gate * units + first
                    copy(piece(w, k, start, start + count), numbers(at, count))
                    zeros(numbers(at + count * size, width - count))
                    at += width * size

    return pack


@shared
def make_units(T, gates: int):
    """``units_of(rank, members, units)``: the units of a member, whole blocks."""
    width = _width(T, gates)

    @exact
    def units_of(rank, members, units):
        blocks = (units + width - 1) // width
        lo, hi = blocks * rank // members * width, blocks * (rank + 1) // members * width
        return min(units, lo), min(units, hi)

    return units_of


@shared
def make_read(T):
    """``read(b, s, t, lo, hi, h0, keep, before, outputs, states)``: h' keep, for products.

    Units lo to hi are kept in ``before``.
    """
    size, numbers = T.bitwidth // 8, view(T)
    copy, carry, _ = make_copies(T)

    @inner
    def read(b, s, t, lo, hi, h0, keep, before, outputs, states):
        units = outputs.shape[2]
        old = part(outputs, b, s - 1, 0, units) if s > 0 else row(h0, b)
        carry(old, row(keep, b), numbers(states, units))
        copy(numbers(states + lo * size, hi - lo), part(before, b, t, lo, hi - lo))

    return read


@shared
def make_product(T, gates: int):
    """``product(states, panel, bias, b, t, at, count, z, inside, scratch)``: what a step adds.

    States @ weights + bias goes to the gates ``z``; for a GRU, that for the candidate is put
    ``inside``. Sums over k are cut where those of matrix products are.
    """
    size, width, numbers = T.bitwidth // 8, _width(T, gates), view(T)
    block, gather, (copy, _, _) = make_block(T, gates), make_gather(T), make_copies(T)
    added = 2 if gates == 3 else gates

    @inner
    def product(states, panel, bias, b, t, at, count, z, inside, scratch):
        units = z.shape[2] // gates
        blocks, longest = blocks_of_k(units)
        for k in range(0, units, longest):
            block(
                states + k * size, min(longest, units - k),
                panel + k * gates * width * size, bias + at * size if k == 0 and bias != 0 else 0,
                units, count, scratch,
            )  # fmt: skip
            for gate in range(added):
                own = numbers(scratch + gate * width * size, count)
                gather(own, numbers(0, 0), part(z, b, t, gate * units + at, count))
            if gates == 3:
                own = numbers(scratch + 2 * width * size, count)
                into = part(inside, b, t, at, count)
                if k == 0:
                    copy(own, into)
                else:
                    gather(own, numbers(0, 0), into)

    return product


# ------------------------------------------------------------------ kernels


def _make_walk(T, gates: int, step):
    """``walk(rank, members, start, n, turns, yields, scratch, panels, h0, keep, backwards, before,
    outputs, more)``: the units of one of those who work together, from a step on.

    The first task is all there is until all n are ready, which it then makes known.
    ``step(b, s, t, way, at, count, states, panel, h0, outputs, scratch, more)`` is that of a row's
    units from ``at`` on; ``more`` are the arguments that only it needs.
    """
    size, width, units_of = T.bitwidth // 8, _width(T, gates), make_units(T, gates)
    read = make_read(T)

    @inner
    def walk(
        rank, members, start, n, turns, yields, scratch, panels, h0, keep, backwards, before,
        outputs, more,
    ):  # fmt: skip
        batch, steps, units = outputs.shape
        states, way = scratch + _STATE, -1 if backwards != 0 else 1
        lo, hi = units_of(rank, members, units)
        origin = lo
        for s in range(start, steps):
            t = time_of(s, steps, backwards)
            for b in range(batch):
                read(b, s, t, lo, hi, h0, keep, before, outputs, states)
                for at in range(lo, hi, width):
                    panel = panels + (at - origin) * gates * units * size
                    count = min(width, hi - at)
                    step(b, s, t, way, at, count, states, panel, h0, outputs, scratch, more)
            meet(turns, rank, members, s + 1, yields)
            if members < n and atomics.load(turns + _READY * _WORD) == n - 1:
                members = n
                lo, hi = units_of(rank, members, units)
                atomics.store(turns + _START * _WORD, s + 1)
        if members < n:
            atomics.store(turns + _START * _WORD, steps)

    return walk


def _make_forward(T, gates: int, step):
    """``forward(n, scratch, turns, yields, w, h0, keep, backwards, before, outputs, more)``: one of
    n tasks; the code of a failure or 0."""
    size, width, units_of = T.bitwidth // 8, _width(T, gates), make_units(T, gates)
    walk, pack = _make_walk(T, gates, step), make_pack(T, gates)

    @exact
    def failure(n, turns, units):
        if _PANELS + (units + width) * gates * units * size > SCRATCH_BYTES:
            return 1
        return 2 if turns.size * 8 < (_DONE + n) * _WORD else 0

    @inner
    def arrive(rank, n, turns, yields, w, panels, steps):
        """Pack the weights of a task's units; the step from which on it takes part."""
        units = w.shape[0]
        if rank == 0:
            pack(w, 0, units, panels)
            return 0
        if atomics.load(turns + _START * _WORD) > 0:
            return steps  # nothing is left to do
        lo, hi = units_of(rank, n, units)
        pack(w, lo, hi, panels)
        atomics.add(turns + _READY * _WORD, 1)
        _wait(turns + _START * _WORD, 1, yields)
        return atomics.load(turns + _START * _WORD)

    @inner
    def forward(n, scratch, turns, yields, w, h0, keep, backwards, before, outputs, more):
        code = failure(n, turns, outputs.shape[2])
        if code != 0:
            return code
        words, panels = address_of(turns), scratch + _PANELS
        rank = atomics.add(words + _COME * _WORD, 1)
        start = arrive(rank, n, words, yields, w, panels, outputs.shape[1])
        walk(
            rank, 1 if rank == 0 else n, start, n, words, yields, scratch, panels, h0, keep,
            backwards, before, outputs, more,
        )  # fmt: skip
        leave(words, n)
        return 0

    return forward


def lstm_columns(T):
    """As `lstm`, of at least one step.

    ``turns`` hold zeros, see `kernels.turns`; ``yields`` is the address of a C function that
    offers the core to other threads, or 0. Fails with code 1 where a thread cannot keep all
    weights, with 2 where turns are too few.
    """
    product, cell, (copy, _, zeros) = make_product(T, 4), make_cell(T), make_copies(T)

    @inner
    def step(b, s, t, way, at, count, states, panel, h0, outputs, scratch, more):
        c0, mask, gates, cells, h, c = more
        _, steps, units = outputs.shape
        old = part(cells, b, t - way, at, count) if s > 0 else piece(c0, b, at, at + count)
        state, new = part(cells, b, t, at, count), part(outputs, b, s, at, count)
        if is_masked(mask, b, t):
            for gate in range(4):
                zeros(part(gates, b, t, gate * units + at, count))
            copy(old, state)
            copy(part(outputs, b, s - 1, at, count) if s > 0 else piece(h0, b, at, at + count), new)
        else:
            product(states, panel, 0, b, t, at, count, gates, gates, scratch)
            cell(
                part(gates, b, t, at, count), part(gates, b, t, units + at, count),
                part(gates, b, t, 2 * units + at, count), part(gates, b, t, 3 * units + at, count),
                old, state, new,
            )  # fmt: skip
        if s + 1 == steps:
            copy(new, piece(h, b, at, at + count))
            copy(state, piece(c, b, at, at + count))

    forward = _make_forward(T, 4, step)

    def task(
        i, n, scratch, turns, yields, w, h0, c0, mask, keep, backwards, gates, cells, before,
        outputs, h, c,
    ):  # fmt: skip
        more = c0, mask, gates, cells, h, c
        return forward(
            n, scratch, turns, yields, w, h0, keep, backwards, before, outputs, more
        )  # fmt: skip

    return task


def gru_columns(T):
    """As `gru_after`, of at least one step; see `lstm_columns`."""
    product, (after, _, _) = make_product(T, 3), make_cells(T)
    copy, _, zeros = make_copies(T)

    @inner
    def step(b, s, t, way, at, count, states, panel, h0, outputs, scratch, more):
        bias, mask, gates, inside, h = more
        _, steps, units = outputs.shape
        old = part(outputs, b, s - 1, at, count) if s > 0 else piece(h0, b, at, at + count)
        new, own = part(outputs, b, s, at, count), part(inside, b, t, at, count)
        if is_masked(mask, b, t):
            for gate in range(3):
                zeros(part(gates, b, t, gate * units + at, count))
            zeros(own)
            copy(old, new)
        else:
            biases = address_of(bias) if bias.size > 0 else 0
            product(states, panel, biases, b, t, at, count, gates, inside, scratch)
            after(
                part(gates, b, t, at, count), part(gates, b, t, units + at, count),
                part(gates, b, t, 2 * units + at, count), own, old, new,
            )  # fmt: skip
        if s + 1 == steps:
            copy(new, piece(h, b, at, at + count))

    forward = _make_forward(T, 3, step)

    def task(
        i, n, scratch, turns, yields, w, bias, h0, mask, keep, backwards, gates, inside, before,
        outputs, h,
    ):  # fmt: skip
        more = bias, mask, gates, inside, h
        return forward(
            n, scratch, turns, yields, w, h0, keep, backwards, before, outputs, more
        )  # fmt: skip

    return task


def simple_rnn_columns(T):
    """As `simple_rnn`, of at least one step; see `lstm_columns`."""
    product, activate, (copy, _, zeros) = make_product(T, 1), make_activate(T), make_copies(T)

    @inner
    def step(b, s, t, way, at, count, states, panel, h0, outputs, scratch, more):
        mask, act, z, h = more
        new, taken = part(outputs, b, s, at, count), part(z, b, t, at, count)
        if is_masked(mask, b, t):
            zeros(taken)
            copy(part(outputs, b, s - 1, at, count) if s > 0 else piece(h0, b, at, at + count), new)
        else:
            product(states, panel, 0, b, t, at, count, z, z, scratch)
            activate(taken, new, act)
        if s + 1 == outputs.shape[1]:
            copy(new, piece(h, b, at, at + count))

    forward = _make_forward(T, 1, step)

    def task(
        i, n, scratch, turns, yields, w, h0, mask, keep, act, backwards, z, before, outputs, h
    ):  # fmt: skip
        more = mask, act, z, h
        return forward(
            n, scratch, turns, yields, w, h0, keep, backwards, before, outputs, more
        )  # fmt: skip

    return task
