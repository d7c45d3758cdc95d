"""A task that counts how often each of its parts ran, for tests of the thread pool."""

import ctypes

import numpy as np
from numba import types

from minikeras import kernels
from minikeras.kernels.compiled import _jit, atomics

_words = _jit.view(types.int64)
_COUNTS, _PAUSES, _FAILING, _CODE = range(4)
_address = 0


def _task(words, i, n, scratch):
    given = _words(words, 4)
    atomics.add(given[_COUNTS] + 8 * i, 1)
    mine = _words(scratch, 1)
    mine[0] = i
    for _ in range(given[_PAUSES]):
        atomics.pause()
    if mine[0] != i:  # another thread has the same scratch
        return 99
    return given[_CODE] + i if i >= given[_FAILING] else 0


def _function() -> int:
    """Address of the compiled task."""
    global _address
    if not _address:
        loader = kernels._get_native().loader
        signature = types.int64(*[types.int64] * 4)
        symbol = "minikeras.probe."
        _, code = _jit.compile_function(_task, signature, symbol, loader.target)
        _address = loader._engine.load(symbol, code)
    return _address


class Probe:
    """Rows of ``tasks`` parts each.

    Args:
        rows: number of launches.
        tasks: parts of each.
        pauses: how long a part takes, in pauses of some 10 to 40 ns.
        failing: parts from this one on return ``code`` plus their number.
    """

    def __init__(
        self, rows: int, tasks: int, pauses: int = 0, failing: int = 1 << 40, code: int = 1
    ):
        self.counts = np.zeros((rows, tasks), np.int64)
        self.words = np.array(
            [[c.__array_interface__["data"][0], pauses, failing, code] for c in self.counts],
            np.int64,
        )
        start = self.words.__array_interface__["data"][0]
        self.rows = np.array([[_function(), start + 32 * r, tasks, 0] for r in range(rows)])

    def run(self) -> int:
        """Execute all rows; what the native call returns."""
        start = ctypes.c_int64(self.rows.__array_interface__["data"][0])
        return kernels._get_native().run(start, ctypes.c_int64(len(self.rows)))
