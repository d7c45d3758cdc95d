"""``python -m minikeras info`` and ``warmup``: this machine, and the kernels compiled for it."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context

from .. import kernels

__all__ = ["info", "warmup"]

NEEDED = ("numpy", "numba", "llvmlite", "h5py", "tqdm")
OPTIONAL = ("matplotlib", "scipy", "tensorboard", "tensorboardX", "IPython")


def info(version: str) -> str:
    """Versions, processor, threads and the cache of kernels, one line each."""
    lines = [
        ("minikeras", version),
        ("Python", f"{platform.python_version()} ({sys.executable})"),
        ("system", f"{platform.system()} {platform.release()}, {platform.machine()}"),
        *((name, _version(name) or "not installed: needed") for name in NEEDED),
        *((name, _version(name) or "not installed (optional)") for name in OPTIONAL),
        *_processor(),
        *_cache(),
    ]
    width = max(len(name) for name, _ in lines)
    return "\n".join(f"{name:<{width}}  {value}" for name, value in lines)


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _processor() -> Iterator[tuple[str, str]]:
    cores = os.cpu_count() or 1
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else cores
    described = kernels.describe()
    yield "processor", described.processor or platform.processor() or "unknown"
    yield "threads", f"{kernels.num_threads()} used by kernels, {usable} of {cores} cores usable"
    if described.vector_bytes:
        yield "kernels", f"machine code, vectors of {8 * described.vector_bytes} bits"
    else:
        yield "kernels", "numpy twins (slow): Numba is not installed or is switched off"


def _cache() -> Iterator[tuple[str, str]]:
    folder = kernels.describe().cache
    if folder is None:
        yield "kernel cache", "none: no folder to write to, so every process compiles anew"
        return
    files = [p for p in folder.iterdir() if not p.name.startswith(".")] if folder.is_dir() else []
    size = sum(p.stat().st_size for p in files) / 2**20
    yield "kernel cache", f"{folder} ({len(files)} kernels, {size:.1f} MB)"


def warmup(
    jobs: int | None = None, floats: str | None = None, say: Callable[[str], None] = print
) -> int:
    """Compile every kernel that the cache does not hold, in several processes.

    Args:
        jobs: Processes; by default one for each usable core.
        floats: "float32" or "float64" for kernels of that type only.
        say: Is given the lines that tell how far it is.

    Returns:
        The exit status: 0, or 1 if nothing could be kept.
    """
    described = kernels.describe()
    if not described.vector_bytes:
        say("minikeras warmup: Numba is not installed or is switched off; nothing to compile.")
        return 1
    if described.cache is None:
        say("minikeras warmup: there is no folder to keep kernels in. Set MINIKERAS_CACHE_DIR.")
        return 1
    units = [unit for unit in kernels.units() if floats in (None, unit[1])]
    jobs = jobs or kernels.num_threads()
    start, compiled, told = time.perf_counter(), 0, time.perf_counter()
    quiet = partial(kernels.watch_compilation, None)
    with ProcessPoolExecutor(jobs, get_context("spawn"), quiet) as pool:
        for done, fresh in enumerate(pool.map(kernels.prepare, *zip(*units, strict=True)), 1):
            compiled += fresh
            if time.perf_counter() - told > 5:
                told = time.perf_counter()
                say(f"{done} of {len(units)} kernels")
    seconds = time.perf_counter() - start
    say(f"{len(units)} kernels in {described.cache}: {compiled} compiled now, {seconds:.0f} s.")
    return 0
