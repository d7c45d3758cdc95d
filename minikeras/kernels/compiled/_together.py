"""Compilation in several processes, for the first program on a machine.

Numba compiles one function at a time in a process. Where many kernels are missing, other processes
compile some of them into the cache meanwhile: a helper is sent the name of a unit, compiles it,
answers, and is sent the next. Whatever goes wrong with one, the unit is compiled here.
"""

import contextlib
import os
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Sequence

MOST = 4  # processes
WORTH = 4  # missing units for each process: a helper needs a second or two to start
_SERVE = "from minikeras.kernels.compiled._together import serve; serve()"


def compile_together(
    units: Sequence[tuple[str, str]], processes: int, compile_here: Callable[[str, str], None]
) -> None:
    """Compile units, some here and some in helpers, which leave theirs in the cache.

    Args:
        units: (name, floats) pairs, the longest to compile first.
        processes: How many may work, this one included.
        compile_here: Compiles a unit in this process.
    """
    waiting = deque(units)
    count = min(processes, MOST, len(waiting) // WORTH)
    threads = [
        threading.Thread(target=_feed, args=(waiting,), daemon=True) for _ in range(count - 1)
    ]
    for thread in threads:
        thread.start()
    while waiting:
        with contextlib.suppress(IndexError):  # a helper may have taken the last one
            compile_here(*waiting.popleft())
    for thread in threads:
        thread.join()


def _feed(waiting: deque) -> None:
    """Start a helper and send it units until none is left."""
    helper = _start()
    if helper is None:
        return
    with helper, contextlib.suppress(OSError, ValueError, IndexError):
        while waiting:
            name, floats = waiting.popleft()
            helper.stdin.write(f"{name} {floats}\n")
            helper.stdin.flush()
            if helper.stdout.readline() != "done\n":
                break
    helper.wait()


def _start() -> subprocess.Popen | None:
    """A helper, None where no process can be started."""
    name = os.path.basename(sys.executable or "")
    if "python" not in name or getattr(sys, "frozen", False):  # a program with Python inside
        return None
    paths = os.pathsep.join(os.path.abspath(path) for path in sys.path)
    try:
        return subprocess.Popen(
            [sys.executable, "-c", _SERVE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": paths},
            process_group=0,  # Ctrl-C is for the process that asked
            text=True,
        )
    except OSError:
        return None


def serve() -> None:
    """What a helper does: compile the units that are named to it, until nobody asks any more."""
    from . import _loader

    loader = _loader.Loader()
    for line in sys.stdin:
        loader.compile_ahead(*line.rstrip("\n").split(" "))
        print("done", flush=True)
