"""Numeric kernels: compiled for the CPU they run on, with naive numpy twins behind the same names.

A kernel is *launched*: bound to contiguous arrays and numbers, and split into tasks that any thread
may execute; results have the same bits for any number of tasks and threads. `run` executes launches
at once, a `Program` binds them once and executes them many times::

    x, y = np.float32([-1, 2]), np.empty(2, np.float32)
    run([launch("relu", x, y)])

Importing this package loads neither Numba nor LLVM; the first execution does. Without Numba, or
under ``NUMBA_DISABLE_JIT=1``, the twins in ``reference`` run instead.
"""

import contextlib
import ctypes
import functools
import importlib
import os
import threading
from array import array
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from .launch import ROW, KernelError, Launch, works_on_floats
from .table import CHUNK, FAMILY, ROWS, SIGNATURES, TABLE
from .threads import (
    MAX_THREADS,
    SCRATCH_BYTES,
    Pool,
    aligned_buffer,
    calibrate,
    default_threads,
    yields,
)

__all__ = [
    "CHUNK",
    "FAMILY",
    "ROWS",
    "SCRATCH_BYTES",
    "SIGNATURES",
    "TABLE",
    "KernelError",
    "Launch",
    "Program",
    "compiled_available",
    "describe",
    "gemm_tasks",
    "launch",
    "num_threads",
    "panel_columns",
    "prepare",
    "run",
    "set_num_threads",
    "turns",
    "units",
    "watch_compilation",
    "yields",
]

_watcher: Callable[[float, Path | None], None] | None = None
_native: Any = None  # the _Native of this process; False where the twins run
_lock = threading.RLock()
_local = threading.local()
_threads = 0  # 0: not asked for yet
_ONE = ctypes.c_int64(1)


def launch(name: str, *arguments: Any, tasks: int = 1) -> Launch:
    """Bind a kernel to its arguments.

    Args:
        name: a kernel of ``kernels.table``.
        arguments: contiguous arrays and numbers, as its signature says.
        tasks: into how many parts the work is split; no influence on the result.

    Raises:
        TypeError: wrong number of arguments, dtype, dimensions, or an array that is not contiguous.
    """
    return Launch(name, arguments, tasks)


def run(steps: Iterable[Launch | Callable[[], Any]]) -> None:
    """Execute launches, and Python callables between them, in order, now.

    Raises:
        KernelError: a kernel met a value it cannot work with; later steps were not executed.
    """
    for step in steps:
        if not isinstance(step, Launch):
            step()
        elif (address := _address(step)) is None:
            _run_twin(step)
        else:
            step.words[0] = address
            _check(_native.run(ctypes.c_int64(step.address), _ONE), [step])


def gemm_tasks(m: int, n: int, k: int, threads: int) -> int:
    """Parts of a product (m, k) x (k, n): one while it is too small to be worth sharing.

    More parts than threads balance better, but each part packs what it reads: where results are few
    for that, or few for the length of their sums, parts are as many as threads.
    """
    work = m * n * k
    if threads == 1 or work < 1 << 18:
        return 1
    few = m * n < max(threads << 13, 8 * k)
    return threads if work < 1 << 23 or few else 2 * threads


def turns(tasks: int) -> np.ndarray:
    """Zeros with which the tasks of a recurrence that share the units take turns."""
    return np.zeros(16 * (tasks + 5), np.int64)


def panel_columns(floats: str) -> int:
    """Columns of the panels that matrix products read: two vector registers of a float type."""
    return 2 * (describe().vector_bytes or 64) // (4 if floats == "float32" else 8)


def compiled_available() -> bool:
    """True when kernels run as machine code, False when the numpy twins stand in."""
    return _get_native() is not None


def num_threads() -> int:
    """Number of threads that kernels may use, the calling one included.

    Until it is set: ``MINIKERAS_NUM_THREADS``, else the physical cores that the process may use, as
    limited by its CPU affinity and its container.
    """
    global _threads
    if not _threads:
        _threads = default_threads()
    return _threads


def set_num_threads(count: int) -> None:
    """Set the number of threads that kernels may use, the calling one included.

    May be called at any time, also while kernels run. With 1 no thread is started.
    """
    global _threads
    if not 1 <= count <= MAX_THREADS:
        raise ValueError(
            f"The number of threads must lie between 1 and {MAX_THREADS}. Received: {count}."
        )
    _threads = int(count)


class Description(NamedTuple):
    """What kernels are compiled for: the processor by LLVM's name, and the bytes of its vectors
    (0 where the twins run); and the folder that keeps the code, None without one."""

    processor: str
    vector_bytes: int
    cache: Path | None


def describe() -> Description:
    """What kernels are compiled for in this process, and where they are kept."""
    native = _get_native()
    if native is None:
        return Description("", 0, None)
    target = native.loader.target
    return Description(target.cpu, target.vector_bytes, native.loader.folder)


def units() -> list[tuple[str, str]]:
    """All that can be compiled: kernels, once for each float type that they work on."""
    return [
        (name, floats)
        for name in SIGNATURES
        for floats in ("float32", "float64")
        if floats == "float32" or works_on_floats(name)
    ]


def prepare(name: str, floats: str) -> bool:
    """Load a kernel into this process; whether it had to be compiled for that.

    Raises:
        ImportError: It has to be compiled, and Numba is not installed.
    """
    native = _get_native()
    if native is None:
        raise ImportError("Compiling kernels needs Numba, which is not installed.")
    before = len(native.loader.compiled)
    native.loader.address(name, floats)
    return len(native.loader.compiled) > before


def watch_compilation(function: Callable[[float, Path | None], None] | None) -> None:
    """Have `function` called before each kernel that no cache holds is compiled.

    Args:
        function: receives the seconds that this process has spent on compilation before, and the
            folder that will keep the code, None when every process must compile anew.
    """
    global _watcher
    _watcher = function


def _tell_watcher(seconds: float, folder: Path | None) -> None:
    if _watcher is not None:
        _watcher(seconds, folder)


class Program:
    """Launches and Python callables, bound once and executed in order by each `run`.

    Consecutive launches become one native call. A program belongs to one thread at a time: its
    launches write into the arrays they were bound to.
    """

    def __init__(self, steps: Iterable[Launch | Callable[[], Any]]):
        self.steps = list(steps)
        self._parts: list[Any] = []  # callables and chunks of launches
        chunk: list[Launch] = []
        _prepare([step for step in self.steps if isinstance(step, Launch)])
        for step in self.steps:
            if isinstance(step, Launch) and (address := _address(step)) is not None:
                step.words[0] = address
                chunk.append(step)
                continue
            self._close(chunk)
            twin = isinstance(step, Launch)
            self._parts.append(functools.partial(_run_twin, step) if twin else step)
            chunk = []
        self._close(chunk)

    def _close(self, chunk: list[Launch]) -> None:
        if chunk:
            self._parts.append(_Chunk(chunk))

    def run(self) -> None:
        """Execute every step.

        Raises:
            KernelError: a kernel met a value it cannot work with; later steps were not executed.
        """
        for part in self._parts:
            if type(part) is _Chunk:
                _check(_native.run(part.address, part.count), part.launches)
            else:
                part()

    def word(self, launch: Launch, argument: str) -> np.ndarray:
        """One-element view of a number bound by a launch; what is written there is used next."""
        return launch.word(argument)


class _Chunk:
    """Consecutive launches, as the rows that one native call executes."""

    def __init__(self, launches: list[Launch]):
        self.launches = launches
        self.rows = array("q", [word for one in launches for word in one.words[:ROW]])
        self.address = ctypes.c_int64(self.rows.buffer_info()[0])
        self.count = ctypes.c_int64(len(launches))


def _check(failure: int, launches: list[Launch]) -> None:
    """Raise for what a native call returned: 0, or row << 32 | code."""
    if failure:
        raise KernelError(launches[failure >> 32].name, failure & 0xFFFFFFFF)


def _scratch() -> tuple[np.ndarray, ctypes.c_int64]:
    """The calling thread's scratch buffer: its owner and its address."""
    try:
        return _local.scratch
    except AttributeError:
        owner, address = aligned_buffer(SCRATCH_BYTES)
        _local.scratch = owner, ctypes.c_int64(address)
        return _local.scratch


class _Native:
    """Machine code and threads of this process."""

    def __init__(self, loader: Any):
        self.loader = loader
        self._run = self._function("run", 4)
        self._patience = calibrate(self._function("spin", 1))
        self.renew()

    def _function(self, name: str, arguments: int) -> Callable[..., int]:
        kind = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_int64] * arguments)
        return kind(self.loader.address(name))

    def renew(self) -> None:
        """A pool of its own, for a fresh or forked process."""
        self.pool = Pool(self._function("work", 3), self._function("stop", 1), self._patience)

    def run(self, rows: ctypes.c_int64, count: ctypes.c_int64) -> int:
        """Execute bound rows; 0, or row << 32 | code of the first failure."""
        pool = self.pool
        if pool.size != _threads:
            pool.resize(num_threads())
        # The frame owns the buffer too: daemon threads may still work while the interpreter exits.
        owner, address = _scratch()
        return self._run(pool.control, rows, count, address)


def _get_native() -> Any:
    """The machine code of this process, None when the twins have to do."""
    global _native
    if _native is None:
        with _lock:
            if _native is None:
                _native = _make_native() or False
    return _native or None


def _make_native() -> _Native | None:
    if os.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0"):
        return None
    try:
        from .compiled import _loader

        return _Native(_loader.Loader(lock=_lock, notify=_tell_watcher))
    except ImportError as error:
        _raise_if_ours(error)
        return None


def _prepare(steps: list[Launch]) -> None:
    """Have the machine code of launches compiled that is neither loaded nor cached."""
    native = _get_native()
    if native is not None:
        with contextlib.suppress(ImportError):  # what it means is told when one is bound
            native.loader.prepare([(step.name, step.floats) for step in steps], num_threads())


def _address(step: Launch) -> int | None:
    """Address of the machine code of a launch, None where its twin has to do."""
    native = _get_native()
    if native is None:
        return None
    try:
        return native.loader.address(step.name, step.floats)
    except ImportError as error:  # not cached, and no Numba to compile it
        _raise_if_ours(error)
        return None


def _raise_if_ours(error: ImportError) -> None:
    """Twins stand in where Numba or LLVM is missing, not where a file of this package is wrong."""
    if (error.name or "").split(".")[0] == __name__.split(".")[0]:
        raise error


def _run_twin(step: Launch) -> None:
    """Execute a launch with its numpy twin."""
    module = importlib.import_module(f".reference.{FAMILY[step.name]}", __package__)
    try:
        with np.errstate(all="ignore"):  # as in machine code, infinity and NaN are no errors
            getattr(module, step.name)(*step.current_arguments())
    except ValueError as error:
        message, code = (*error.args, 1)[:2]
        raise KernelError(step.name, code, str(message)) from error


def _before_fork() -> None:
    """End the workers, which would not live on in the child; both sides start them anew."""
    _lock.acquire()
    if _native:
        _native.pool.stop()


def _after_fork_in_child() -> None:
    _lock.release()
    if _native:
        _native.renew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork,
        after_in_parent=_lock.release,
        after_in_child=_after_fork_in_child,
    )
