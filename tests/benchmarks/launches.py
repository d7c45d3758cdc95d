"""Where a training step spends its time: each kernel launch of a workload, and what is outside.

    python tests/benchmarks/launches.py cnn_mnist --threads 1 2
    python tests/benchmarks/launches.py lstm --predict

A line per launch: milliseconds (the median over steps) with each number of threads, and what that
is worth: for products and convolutions the share of the multiply-add peak of the cores in use, for
everything else the gigabytes per second of its arguments. Winograd's ways count as the convolutions
that they replace, so they may be worth more than the peak. Launches are timed one by one within
whole steps, so caches are as they are in training; the last lines compare their sum with a step.
"""

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from peak import best
from processes import ISAS
from workloads import WORKLOADS

# Positions in the row of numbers that describes a convolution (kernels/table.py).
IMAGES, CHANNELS, FILTERS, GROUPS = range(4)
CONVOLUTIONS = (
    *("conv", "conv_input_grad", "conv_weights_grad"),
    *("winograd", "winograd_weights_grad"),
)
OUT, KERNEL = slice(7, 10), slice(10, 13)


@dataclass
class Timed:
    """One launch of a program and its seconds, step by step."""

    launch: Any
    run: Callable[[], None]
    seconds: list[float] = field(default_factory=list)

    @property
    def ms(self) -> float:
        return 1e3 * statistics.median(self.seconds)


class Watch:
    """While it is entered, programs run launch by launch, and each is timed."""

    def __init__(self, kernels: Any):
        self._kernels, self._run = kernels, kernels.Program.run
        self.programs: dict[Any, list[Timed]] = {}

    def __enter__(self) -> "Watch":
        self._kernels.Program.run = lambda program: self._step(program)
        return self

    def __exit__(self, *exception: object) -> None:
        self._kernels.Program.run = self._run

    def _step(self, program: Any) -> None:
        if program not in self.programs:
            self.programs[program] = [self._timed(step) for step in program.steps]
        for timed in self.programs[program]:
            start = time.perf_counter()
            timed.run()
            timed.seconds.append(time.perf_counter() - start)

    def _timed(self, step: Any) -> Timed:
        if not isinstance(step, self._kernels.Launch):
            return Timed(step, step)
        alone = self._kernels.Program([step])
        return Timed(step, lambda: self._run(alone))

    def longest(self) -> list[Timed]:
        """The launches of the program that took most of the time."""
        return max(self.programs.values(), key=lambda timed: sum(t.ms for t in timed))


def flops(launch: Any) -> float:
    """Multiplications and additions of a product or convolution; 0 for other kernels."""
    from minikeras.kernels import SIGNATURES

    given = dict(zip(SIGNATURES.get(launch.name, ()), launch.arguments, strict=False))
    if launch.name == "gemm":
        (m, n), k = given["c"].shape, given["a"].shape[0 if given["ta"] else 1]
        return 2.0 * m * n * k
    if launch.name in CONVOLUTIONS:
        g = given["geometry"]
        taps = int(np.prod(g[KERNEL]) * g[CHANNELS] // g[GROUPS])
        return 2.0 * int(g[IMAGES] * np.prod(g[OUT]) * g[FILTERS]) * taps
    return 0.0


def words(launch: Any) -> str:
    """What a launch works on, in short."""
    if not hasattr(launch, "arguments"):
        return ""
    found = []
    for name, value in zip(_signature(launch), launch.arguments, strict=True):
        if name == "geometry":
            return f"{value[IMAGES]} x {_sizes(value[4:7])}x{value[CHANNELS]} -> " + (
                f"{_sizes(value[OUT])}x{value[FILTERS]}, kernel {_sizes(value[KERNEL])}"
            )
        if isinstance(value, np.ndarray) and value.size > 1:
            found.append("x".join(map(str, value.shape)))
    return ", ".join(dict.fromkeys(found))


def _sizes(row: np.ndarray) -> str:
    return "x".join(str(n) for n in row)


def _signature(launch: Any) -> Any:
    from minikeras.kernels import SIGNATURES

    return SIGNATURES[launch.name]


def worth(timed: Timed, threads: int, peak: float) -> str:
    """Share of the peak, or gigabytes per second."""
    work = flops(timed.launch)
    if work:
        return f"{work / timed.ms / 1e6 / (threads * peak):4.0%} peak"
    arrays = [a for a in getattr(timed.launch, "arguments", ()) if isinstance(a, np.ndarray)]
    return f"{sum(a.nbytes for a in arrays) / timed.ms / 1e6:4.0f} GB/s"


def measure(workload: Any, threads: int, steps: int, predict: bool) -> tuple[list[Timed], float]:
    """The launches of a step with that many threads, and the milliseconds of a whole step."""
    from with_keras import keras_model

    import minikeras as keras
    from minikeras import kernels

    kernels.set_num_threads(threads)
    x, y = workload.data(steps * workload.batch)
    model = keras_model(keras, workload)

    def whole() -> float:
        start = time.perf_counter()
        if predict:
            model.predict(x, workload.batch, verbose=0)
        else:
            model.fit(x, y, workload.batch, verbose=0)
        return (time.perf_counter() - start) / steps * 1e3

    whole()
    with Watch(kernels) as watch:
        whole()
    return watch.longest(), min(whole() for _ in range(3))


def table(found: dict[int, tuple[list[Timed], float]], peak: float) -> str:
    """A line per launch, in order."""
    lines = []
    columns = list(zip(*(timed for timed, _ in found.values()), strict=True))
    for row in columns:
        launch = row[0].launch
        cells = "  ".join(
            f"{timed.ms:8.3f} ms {worth(timed, threads, peak):>9}"
            for threads, timed in zip(found, row, strict=True)
        )
        lines.append(f"{getattr(launch, 'name', 'callable')[:38]:38} {cells}  {words(launch)}")
    for threads, (timed, step) in found.items():
        inside = sum(t.ms for t in timed)
        ideal = sum(flops(t.launch) for t in timed) / (threads * peak) / 1e6
        lines.append(
            f"{threads} threads: launches {inside:.3f} ms, a step {step:.3f} ms; "
            f"products and convolutions at peak speed would take {ideal:.3f} ms"
        )
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("workloads", nargs="+", choices=WORKLOADS)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--predict", action="store_true", help="predictions instead of training")
    parser.add_argument("--isa", choices=ISAS, default="native")
    options = parser.parse_args(arguments)
    os.environ.update(ISAS[options.isa])  # before the kernels are loaded
    sys.path.insert(0, str(Path(__file__).parents[2]))
    loop = best()
    for name in options.workloads:
        peak = max(loop.gflops() for _ in range(20))
        found = {
            threads: measure(WORKLOADS[name], threads, options.steps, options.predict)
            for threads in options.threads
        }
        print(f"{name} (peak of a core: {peak:.0f} GFLOP/s)\n{table(found, peak)}\n", flush=True)


if __name__ == "__main__":
    main()
