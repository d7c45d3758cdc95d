"""Memory that begins at a cache line."""

import numpy as np
import pytest

from minikeras.core.memory import CACHE_LINE, aligned_empty, aligned_zeros


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("size", [0, 1, 5, 1000])
def test_arrays_begin_at_a_cache_line(size, dtype):
    held = []
    for make in (aligned_empty, aligned_zeros):
        for _ in range(5):
            array = make(size, dtype)
            held.append(array)
            assert array.shape == (size,)
            assert array.dtype == dtype
            assert array.flags.c_contiguous
            assert array.flags.writeable
            assert size == 0 or array.__array_interface__["data"][0] % CACHE_LINE == 0
    assert not np.any(held[-1])
