"""The native half of the thread pool: executing launches, and the loop of a worker thread.

All threads share one block of control words, each on a cache line of its own. The caller of `run`
*publishes* a launch of ``n`` tasks by writing its function and words and then the ticket,
``n << 32 | next``. Whoever works *claims* a task by adding 1 to the ticket: the value returned
tells in one step which launch it was and which task of it. The caller publishes again only after
every claimed task is done, so what a claimant reads next belongs to the launch it claimed from,
however long it was held up in between. The caller works too and takes whatever no worker has
claimed: a worker that sleeps or lost its core is never waited for before it has begun.

Who waits spins for a while and then parks on a lock: it raises its flag, looks once more, and
blocks. Who has news lowers the flag and, if it was up, releases the lock. All operations are
sequentially consistent, so either the news or the flag is seen, and each lowered flag means exactly
one release.
"""

from numba import types

from . import atomics
from ._jit import call_task, inner, view
from ._layout import (
    ACQUIRE,
    BUSY,
    CALLER,
    DONE,
    FAILED,
    FUNCTION,
    LIMIT,
    LINE,
    MAX_WORKERS,
    NO_FAILURE,
    PARKED,
    RELEASE,
    SPIN,
    STOP,
    TICKET,
    WORDS,
    WORKERS,
)

_I64 = types.int64
_INDEX = (1 << 32) - 1
_MAX_CODE = (1 << 31) - 1


@inner
def _claim(control):
    """The ticket of a task that is ours now, or -1 when none is left."""
    ticket = atomics.load(control + TICKET)
    if (ticket & _INDEX) >= (ticket >> 32):
        return -1
    ticket = atomics.add(control + TICKET, 1)
    return ticket if (ticket & _INDEX) < (ticket >> 32) else -1


@inner
def _execute(control, ticket, scratch):
    """Execute a claimed task and note a failure; of several, the lowest task's counts."""
    i = ticket & _INDEX
    function, words = atomics.load(control + FUNCTION), atomics.load(control + WORDS)
    code = call_task(function, words, i, ticket >> 32, scratch)
    if code != 0:
        atomics.minimum(control + FAILED, (i << 32) | (code & _MAX_CODE))


@inner
def _park(control, seat, news):
    """Block on the lock of a seat unless there already is news; the seat's flag must be up."""
    lock = atomics.load(seat + 8)
    if not news or atomics.exchange(seat, 0) == 0:  # 0: somebody is about to release our lock
        atomics.acquire(atomics.load(control + ACQUIRE), lock)


@inner
def _unpark(control, seat):
    """Wake whoever is parked on a seat; False when nobody is."""
    if atomics.load(seat) == 0 or atomics.exchange(seat, 0) == 0:
        return False
    atomics.release(atomics.load(control + RELEASE), atomics.load(seat + 8))
    return True


@inner
def _wake(control, wanted):
    """Wake up to ``wanted`` parked workers."""
    if atomics.load(control + PARKED) == 0:
        return
    for worker in range(atomics.load(control + LIMIT)):
        if _unpark(control, control + WORKERS + worker * LINE):
            wanted -= 1
            if wanted <= 0:
                return


@inner
def _wait(control, claimed):
    """Wait until the workers have finished the tasks that they claimed."""
    seat = control + CALLER
    patience = atomics.load(control + SPIN)
    while atomics.load(control + DONE) < claimed:
        if patience > 0:
            patience -= 1
            atomics.pause()
        else:  # the worker has probably lost its core: give it ours
            atomics.exchange(seat, 1)
            _park(control, seat, atomics.load(control + DONE) >= claimed)


@inner
def _run_together(control, function, words, tasks, scratch):
    """One launch on all threads; 0 or the code of its first failing task."""
    atomics.store(control + FUNCTION, function)
    atomics.store(control + WORDS, words)
    atomics.store(control + DONE, 0)
    atomics.store(control + FAILED, NO_FAILURE)
    ticket = tasks << 32
    atomics.store(control + TICKET, ticket + 1)  # task 0 is the caller's without asking
    _wake(control, 2)  # who wakes, wakes two more
    own = 0
    while ticket >= 0:
        _execute(control, ticket, scratch)
        own += 1
        ticket = _claim(control)
    _wait(control, tasks - own)
    failed = atomics.load(control + FAILED)
    return 0 if failed == NO_FAILURE else failed & _MAX_CODE


@inner
def _run_alone(function, words, tasks, scratch):
    """One launch on the calling thread; 0 or the code of its first failing task."""
    for i in range(tasks):
        code = call_task(function, words, i, tasks, scratch)
        if code != 0:
            return code & _MAX_CODE
    return 0


def run():
    """``run(control, rows, count, scratch)``: execute rows (function, words, tasks, 0) in order.

    Returns 0, or ``row << 32 | code`` of the first failure, after which nothing more is executed.
    While another caller has the pool, tasks run on the calling thread alone, with the same results.
    Meanwhile results too small to be normal numbers are zero on all threads: gradients that vanish
    through time would otherwise take this processor's slow path, for up to 50 times as long.
    """
    table = view(types.int64)

    def run(control, rows, count, scratch):
        cells = table(rows, count * 4)
        mode = atomics.flush_tiny()
        for row in range(count):
            function, words, tasks = cells[4 * row], cells[4 * row + 1], cells[4 * row + 2]
            together = tasks > 1 and atomics.load(control + LIMIT) > 0
            if together and atomics.exchange(control + BUSY, 1) == 0:
                code = _run_together(control, function, words, tasks, scratch)
                atomics.store(control + BUSY, 0)
            else:
                code = _run_alone(function, words, tasks, scratch)
            if code != 0:
                atomics.set_float_mode(mode)
                return (row << 32) | code
        atomics.set_float_mode(mode)
        return 0

    return _I64(_I64, _I64, _I64, _I64), run


def work():
    """``work(control, worker, scratch)``: execute tasks until told to stop; returns 0.

    Worker 0 is the first besides the caller; only workers below the limit take part.
    """

    def work(control, worker, scratch):
        seat = control + WORKERS + worker * LINE
        atomics.flush_tiny()
        idle = 0
        while atomics.load(control + STOP) == 0:
            ticket = _claim(control) if worker < atomics.load(control + LIMIT) else -1
            if ticket >= 0:
                _execute(control, ticket, scratch)
                atomics.add(control + DONE, 1)
                _unpark(control, control + CALLER)
                idle = 0
            elif idle < atomics.load(control + SPIN):
                idle += 1
                atomics.pause()
            else:
                atomics.add(control + PARKED, 1)
                atomics.exchange(seat, 1)
                ticket = atomics.load(control + TICKET)
                news = (ticket & _INDEX) < (ticket >> 32) and worker < atomics.load(control + LIMIT)
                _park(control, seat, news or atomics.load(control + STOP) != 0)
                atomics.add(control + PARKED, -1)
                ticket = atomics.load(control + TICKET)
                if (ticket & _INDEX) < (ticket >> 32):
                    _wake(control, 2)
                idle = 0
        return 0

    return _I64(_I64, _I64, _I64), work


def stop():
    """``stop(control)``: make all workers return as soon as they are between tasks; returns 0."""

    def stop(control):
        atomics.store(control + STOP, 1)
        for worker in range(MAX_WORKERS):
            _unpark(control, control + WORKERS + worker * LINE)
        return 0

    return _I64(_I64), stop


def spin():
    """``spin(count)``: pause that often; returns 0. Its duration calibrates how long to wait."""

    def spin(count):
        for _ in range(count):
            atomics.pause()
        return 0

    return _I64(_I64), spin
