"""One living process that trains one workload with one peer and answers questions about it.

    python worker.py PEER WORKLOAD [--threads N] [--samples N]

It answers each line of its input with a line of JSON: first, unasked, when it is ready; `turn S`
trains whole epochs until S seconds have passed; `predict`, `predict_one` and `call_one` give the
seconds of a call; `usage` the memory. It ends with its input.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any


def keep_to_cores(count: int) -> None:
    """Run on that many of the cores we may use: the one setting that every library respects."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:count])


def peak_megabytes() -> float:
    try:
        import resource
    except ImportError:  # not on Windows
        return float("nan")
    unit = 2**20 if sys.platform == "darwin" else 2**10  # bytes there, kilobytes elsewhere
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (unit / 2**20)


def turn(epoch: Callable[[], float], steps: int, seconds: float) -> dict[str, Any]:
    """Whole epochs for at least that long: milliseconds per step of each, CPU time, last loss."""
    times, loss = [], 0.0
    start, cpu = time.perf_counter(), time.process_time()
    while not times or time.perf_counter() - start < seconds:
        before = time.perf_counter()
        loss = epoch()
        times.append((time.perf_counter() - before) / steps * 1e3)
    cpu = (time.process_time() - cpu) / (steps * len(times)) * 1e3
    return {"ms": times, "cpu_ms": cpu, "loss": loss}


def per_call(function: Callable[[], Any], seconds: float = 1.0) -> dict[str, Any]:
    """Median and least microseconds of a call."""
    for _ in range(20):
        function()
    times = []
    stop = time.perf_counter() + seconds
    while time.perf_counter() < stop:
        before = time.perf_counter()
        function()
        times.append((time.perf_counter() - before) * 1e6)
    times.sort()
    return {"us": times[len(times) // 2], "us_min": times[0], "calls": len(times)}


def answer(line: str, runner: Any, steps: int) -> dict[str, Any]:
    question, _, argument = line.strip().partition(" ")
    if question == "turn":
        return turn(runner.epoch, steps, float(argument))
    if question in ("predict", "predict_one", "call_one"):
        return per_call(getattr(runner, question))
    if question == "usage":
        return {"peak_mb": peak_megabytes()}
    raise ValueError(f"Expected turn, predict, predict_one, call_one or usage. Received: {line!r}.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("peer")
    parser.add_argument("workload")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--samples", type=int)
    options = parser.parse_args()
    if options.threads:
        keep_to_cores(options.threads)

    # What libraries print must not get between the answers.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    def say(content: dict[str, Any]) -> None:
        print(json.dumps(content), file=answers)

    from peers import Unsupported, make
    from workloads import WORKLOADS

    workload = WORKLOADS[options.workload]
    start = time.perf_counter()
    try:
        runner = make(options.peer, workload, options.samples)
        for _ in range(2):  # the first epoch compiles, the second still fills caches
            runner.epoch()
    except (Unsupported, ImportError) as error:
        say({"unsupported": str(error)})
        return
    steps = -(-(options.samples or workload.samples) // workload.batch)
    say({"ready": time.perf_counter() - start})
    for line in sys.stdin:
        say(answer(line, runner, steps))


if __name__ == "__main__":
    main()
