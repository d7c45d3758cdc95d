"""The Python half of the thread pool: how many threads, starting and stopping them, forks and exit.

The native half is ``compiled/pool.py``. Worker threads are Python threads that sit in native code
without the interpreter's lock; they start with the first launch that can use them.
"""

import atexit
import contextlib
import ctypes
import functools
import math
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from .compiled import _layout as layout

MAX_THREADS = layout.MAX_WORKERS + 1
SCRATCH_BYTES = 4 << 20  # of each thread's private buffer
PATIENCE = 200e-6  # seconds that a thread without work waits before it blocks


def aligned_buffer(size: int) -> tuple[np.ndarray, int]:
    """Memory that starts at a cache line: (owner, address)."""
    owner = np.empty(size + 64, np.uint8)
    return owner, (owner.__array_interface__["data"][0] + 63) & ~63


class Pool:
    """Worker threads and the control words they share with the callers.

    Args:
        work: the native loop of a worker, ``work(control, worker, scratch)``.
        stop: native ``stop(control)``.
        patience: pauses of a waiting loop before it blocks.

    Attributes:
        control: address of the control words, ready to be passed to native code.
        size: threads that may take part, the caller included.
    """

    def __init__(self, work: Callable, stop: Callable, patience: int):
        self._work, self._stop = work, stop
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._closed = False
        self.size = 1
        # Threads may still look at these words while the interpreter exits: never freed.
        raw = ctypes.pythonapi.PyMem_RawCalloc
        raw.restype, raw.argtypes = ctypes.c_void_p, (ctypes.c_size_t, ctypes.c_size_t)
        start = (raw(1, layout.SIZE + layout.LINE) + layout.LINE - 1) & -layout.LINE
        self.control = ctypes.c_int64(start)
        self._set(layout.SPIN, patience)
        self._set(layout.ACQUIRE, _runtime_function("PyThread_acquire_lock"))
        self._set(layout.RELEASE, _runtime_function("PyThread_release_lock"))
        self._set(layout.CALLER + 8, _held_lock())
        atexit.register(self._close)

    def _word(self, offset: int) -> ctypes.c_int64:
        return ctypes.c_int64.from_address(self.control.value + offset)

    def _set(self, offset: int, value: int) -> None:
        self._word(offset).value = value

    def resize(self, threads: int) -> None:
        """Let ``threads`` threads, the caller included, take part; start those that are missing."""
        with self._lock:
            if self._closed:
                return
            for worker in range(len(self._threads), threads - 1):
                self._start(worker)
            self._set(layout.LIMIT, threads - 1)
            self.size = threads

    def _start(self, worker: int) -> None:
        lock = self._word(layout.WORKERS + worker * layout.LINE + 8)
        lock.value = lock.value or _held_lock()
        name = f"minikeras-{worker + 1}"
        thread = threading.Thread(target=self._serve, args=(worker,), name=name, daemon=True)
        thread.start()
        self._threads.append(thread)

    def _serve(self, worker: int) -> None:
        owner, address = aligned_buffer(SCRATCH_BYTES)
        self._work(self.control, worker, address)
        del owner

    def stop(self) -> None:
        """End all worker threads; the next `resize` starts new ones."""
        with self._lock:
            self.size = 1
            self._set(layout.LIMIT, 0)
            self._stop(self.control)
            for thread in self._threads:
                thread.join()
            self._threads.clear()
            self._set(layout.STOP, 0)

    def _close(self) -> None:
        self._closed = True
        self.stop()


def _runtime_function(name: str) -> int:
    return ctypes.cast(getattr(ctypes.pythonapi, name), ctypes.c_void_p).value or 0


def _held_lock() -> int:
    """Address of a lock of the Python runtime that is already held, so that acquiring blocks."""
    allocate, acquire = (
        ctypes.pythonapi.PyThread_allocate_lock,
        ctypes.pythonapi.PyThread_acquire_lock,
    )
    allocate.restype, allocate.argtypes = ctypes.c_void_p, ()
    acquire.restype, acquire.argtypes = ctypes.c_int, (ctypes.c_void_p, ctypes.c_int)
    lock = allocate()
    if not lock:
        raise MemoryError("No lock for a worker thread.")
    acquire(lock, 0)
    return lock


def calibrate(spin: Callable) -> int:
    """How often a waiting loop pauses within `PATIENCE`, measured on native ``spin(count)``."""
    count = 500
    spin(1)
    fastest = math.inf
    for _ in range(4):
        start = time.perf_counter()
        spin(count)
        fastest = min(fastest, time.perf_counter() - start)
    return max(100, int(count * PATIENCE / fastest))


@functools.cache
def yields() -> int:
    """Address of the system's function that offers the core to other threads, 0 without one."""
    with contextlib.suppress(OSError, AttributeError):
        if os.name == "nt":
            function = ctypes.windll.kernel32.SwitchToThread
        else:
            function = ctypes.CDLL(None).sched_yield
        return ctypes.cast(function, ctypes.c_void_p).value or 0
    return 0


def default_threads() -> int:
    """``MINIKERAS_NUM_THREADS``, else the physical cores that this process may use."""
    chosen = os.environ.get("MINIKERAS_NUM_THREADS", "").strip()
    if chosen:
        if not chosen.isdigit() or int(chosen) < 1:
            raise ValueError(
                f"MINIKERAS_NUM_THREADS must be a positive whole number. Received: {chosen!r}."
            )
        return min(int(chosen), MAX_THREADS)
    return int(max(1, min(_physical_cores(), _quota(), MAX_THREADS)))


def _allowed_cpus() -> set[int]:
    if hasattr(os, "sched_getaffinity"):
        return os.sched_getaffinity(0)
    return set(range(os.cpu_count() or 1))


def _physical_cores(root: Path = Path("/sys/devices/system/cpu")) -> int:
    """Cores among the allowed CPUs; hardware threads that share a core count once."""
    cores = set()
    for cpu in _allowed_cpus():
        siblings = str(cpu)
        with contextlib.suppress(OSError):
            siblings = (root / f"cpu{cpu}/topology/thread_siblings_list").read_text().strip()
        cores.add(siblings)
    return len(cores)


def _quota(root: Path = Path("/sys/fs/cgroup"), process: Path = Path("/proc/self/cgroup")) -> float:
    """CPUs that the control group grants (containers), infinity without a limit."""
    best = math.inf
    try:
        lines = process.read_text().splitlines()
    except OSError:
        return best
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if not controllers:
            base = root
        elif "cpu" in controllers.split(","):
            base = root / "cpu"
        else:
            continue
        group = base / path.lstrip("/")
        for folder in [group, *group.parents]:
            best = min(best, _limit_in(folder))
            if folder == base:
                break
    return max(1, math.ceil(best)) if best < math.inf else best


def _limit_in(folder: Path) -> float:
    """Quota over period in a control group's folder, of version 2 or 1."""
    with contextlib.suppress(OSError, ValueError):
        quota, period = (folder / "cpu.max").read_text().split()
        return math.inf if quota == "max" else float(quota) / float(period)
    with contextlib.suppress(OSError, ValueError):
        quota = float((folder / "cpu.cfs_quota_us").read_text())
        period = float((folder / "cpu.cfs_period_us").read_text())
        return quota / period if quota > 0 and period > 0 else math.inf
    return math.inf
