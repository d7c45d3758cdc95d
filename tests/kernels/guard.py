"""Arrays laid against a protected page: reading or writing past them kills the process."""

import ctypes
import mmap
from collections import deque

import numpy as np

_PAGE = mmap.PAGESIZE
# Protected memory is given back late, so that no later use is likely to hit it; but it is given
# back: a process may have some 65,000 mappings, and each array here makes three.
_kept: deque[mmap.mmap] = deque(maxlen=2000)


def guarded(array: np.ndarray, side: str = "after") -> np.ndarray:
    """A copy of an array whose end (``"after"``) or start (``"before"``) touches a protected page.

    Where pages cannot be protected (no `mprotect`), a plain copy.
    """
    protect = getattr(ctypes.CDLL(None), "mprotect", None) if hasattr(mmap, "MAP_PRIVATE") else None
    if protect is None:
        return array.copy()
    pages = max(1, -(-array.nbytes // _PAGE))
    memory = mmap.mmap(-1, (pages + 2) * _PAGE)
    _kept.append(memory)
    address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    for page in (0, pages + 1):
        if protect(ctypes.c_void_p(address + page * _PAGE), ctypes.c_size_t(_PAGE), 0):
            raise OSError("mprotect failed")
    offset = _PAGE if side == "before" else (pages + 1) * _PAGE - array.nbytes
    copy = np.frombuffer(memory, array.dtype, array.size, offset).reshape(array.shape)
    copy[...] = array
    return copy
