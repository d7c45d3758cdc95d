"""One living process that trains one workload with one peer and answers questions about it.

    python worker.py PEER WORKLOAD [--threads N] [--samples N] [--task train|predict]

It answers each line of its input with a line of JSON: first, unasked, when it is ready; `train S`
trains whole epochs until S seconds have passed, `predict S` predicts all samples, again and again;
`predict_one S` and `call_one S` give the microseconds of a call; `usage` the memory. It ends with
its input.
"""

import argparse
import contextlib
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
    """The most memory since the start, or since `forget_peak`."""
    if os.path.exists("/proc/self/status"):
        return _status("VmHWM")
    try:
        import resource
    except ImportError:  # not on Windows
        return float("nan")
    unit = 2**20 if sys.platform == "darwin" else 2**10  # bytes there, kilobytes elsewhere
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (unit / 2**20)


def _status(key: str) -> float:
    """Megabytes in a line of Linux's account of this process."""
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith(key)) / 2**10


def forget_peak() -> None:
    """Let the most memory be counted from now on, where the system can."""
    with contextlib.suppress(OSError), open("/proc/self/clear_refs", "w") as file:
        file.write("5")


def turn(whole: Callable[[], Any], steps: int, seconds: float) -> dict[str, Any]:
    """Whole passes for at least that long: milliseconds per step of each, CPU time, last loss."""
    times, result = [], None
    start, cpu = time.perf_counter(), time.process_time()
    while not times or time.perf_counter() - start < seconds:
        before = time.perf_counter()
        result = whole()
        times.append((time.perf_counter() - before) / steps * 1e3)
    cpu = (time.process_time() - cpu) / (steps * len(times)) * 1e3
    return {"ms": times, "cpu_ms": cpu, "loss": result if isinstance(result, float) else None}


def per_call(function: Callable[[], Any], seconds: float, warm: int = 20) -> dict[str, Any]:
    """Milliseconds of a call, as tenths of the sorted times, the least first; the median in us."""
    for _ in range(warm):
        function()
    times = []
    stop = time.perf_counter() + seconds
    while not times or time.perf_counter() < stop:
        before = time.perf_counter()
        function()
        times.append((time.perf_counter() - before) * 1e6)
    times.sort()
    tenths = [times[len(times) * k // 10] / 1e3 for k in range(10)]
    return {"us": times[len(times) // 2], "ms": tenths, "calls": len(times)}


def answers_only() -> Callable[[dict[str, Any]], None]:
    """What writes answers to the output, which nothing that a library prints gets between."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return lambda content: print(json.dumps(content), file=answers)


def answer(line: str, runner: Any, steps: int) -> dict[str, Any]:
    question, _, argument = line.strip().partition(" ")
    if question == "train":
        return turn(runner.epoch, steps, float(argument))
    if question == "predict":
        return turn(runner.predict, steps, float(argument))
    if question in ("predict_one", "call_one"):
        return per_call(getattr(runner, question), float(argument or 1.0))
    if question == "usage":
        return {"peak_mb": peak_megabytes()}
    raise ValueError(
        f"Expected train, predict, predict_one, call_one or usage. Received: {line!r}."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("peer")
    parser.add_argument("workload")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--samples", type=int)
    parser.add_argument("--task", choices=("train", "predict"), default="train")
    options = parser.parse_args()
    if options.threads:
        keep_to_cores(options.threads)

    say = answers_only()

    from peers import Unsupported, make
    from workloads import WORKLOADS

    workload = WORKLOADS[options.workload]
    start = time.perf_counter()
    try:
        runner = make(options.peer, workload, options.samples)
        whole = runner.epoch if options.task == "train" else runner.predict
        if whole is None:
            raise Unsupported("it only predicts")
        for _ in range(2):  # the first pass compiles, the second still fills caches
            whole()
    except (Unsupported, ImportError) as error:
        say({"unsupported": str(error)})
        return
    steps = -(-(options.samples or workload.samples) // workload.batch)
    say({"ready": time.perf_counter() - start})
    for line in sys.stdin:
        say(answer(line, runner, steps))


if __name__ == "__main__":
    main()
