"""Training on an HDF5 file that is larger than memory should be: one process, told what to do.

    python larger.py write FILE GIGABYTES       random data of mlp_seed's shape
    python larger.py train FILE file|memory     trains mlp_seed's network on it

`train` answers each line of its input with a line of JSON: first, unasked, when it is ready; each
`pass` trains one epoch. With `memory` the file is read into arrays first (as many rows as half of
the free memory holds); with `file` it is driven out of the operating system's cache before a pass.
"""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from worker import peak_megabytes
from workloads import WORKLOADS

WORKLOAD = WORKLOADS["mlp_seed"]
ROW = 4 * WORKLOAD.shape[0] + 8  # bytes
PIECE = 20_000  # rows


def write(path: str, gigabytes: float) -> None:
    """Random rows, in the layout that h5py chooses."""
    rows = int(gigabytes * 1e9) // ROW
    rng = np.random.default_rng(0)
    with h5py.File(path, "w") as file:
        x = file.create_dataset("x", (rows, WORKLOAD.shape[0]), "float32")
        y = file.create_dataset("y", (rows,), "int64")
        for start in range(0, rows, PIECE):
            stop = min(start + PIECE, rows)
            x[start:stop] = rng.standard_normal((stop - start, WORKLOAD.shape[0]), np.float32)
            y[start:stop] = rng.integers(0, WORKLOAD.outputs, stop - start)


def train(path: str, kind: str) -> None:
    """Answer questions; see above."""
    from with_keras import keras_model

    import minikeras as keras

    model = keras_model(keras, WORKLOAD)
    with h5py.File(path) as file:
        x, y = (file["x"], file["y"]) if kind == "file" else _in_memory(file)
        model.fit(x, y, batch_size=WORKLOAD.batch, steps_per_epoch=50, verbose=0)
        _say({"rows": len(x)})
        for _ in sys.stdin:
            if kind == "file":
                _forget(path)
            start = time.perf_counter()
            model.fit(x, y, batch_size=WORKLOAD.batch, verbose=0)
            seconds = time.perf_counter() - start
            steps = -(-len(x) // WORKLOAD.batch)
            _say({"ms": seconds / steps * 1e3, "steps": steps, "peak_mb": peak_megabytes()})


def _in_memory(file: Any) -> tuple[np.ndarray, np.ndarray]:
    rows = min(len(file["x"]), _free_bytes() // 2 // ROW)
    x = np.empty((rows, WORKLOAD.shape[0]), np.float32)
    file["x"].read_direct(x, np.s_[:rows])
    return x, file["y"][:rows]


def _free_bytes() -> int:
    lines = Path("/proc/meminfo").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("MemAvailable"))


def _forget(path: str) -> None:
    with open(path, "rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _say(answer: dict[str, Any]) -> None:
    print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "write":
        write(sys.argv[2], float(sys.argv[3]))
    else:
        train(sys.argv[2], sys.argv[3])
