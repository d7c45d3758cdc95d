"""One living process that trains one workload with one peer and answers questions about it.

    python worker.py PEER WORKLOAD [--threads N] [--samples N] [--task train|predict] [--warm N]

It answers each line of its input with a line of JSON: first, unasked, when it is ready; `train S`
trains whole epochs until S seconds have passed, `predict S` predicts all samples, again and again;
`predict_one S` and `call_one S` give the microseconds of a call; `score` the accuracy on test data;
`usage` the most memory, and by how much training takes more than the library and the data do. It
ends with its input.
"""

import argparse
import contextlib
import gc
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
    """Whole passes for at least that long: milliseconds per step of each, CPU time, loss."""
    times, result = [], None
    start, cpu = time.perf_counter(), time.process_time()
    while not times or time.perf_counter() - start < seconds:
        before = time.perf_counter()
        result = whole()
        times.append((time.perf_counter() - before) / steps * 1e3)
    seconds = (time.perf_counter() - start) / len(times)
    cpu = (time.process_time() - cpu) / (steps * len(times)) * 1e3
    loss = result if isinstance(result, float) else None
    return {"ms": times, "seconds": seconds, "cpu_ms": cpu, "loss": loss}


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


def resident_megabytes() -> float:
    gc.collect()
    return _status("VmRSS") if os.path.exists("/proc/self/status") else float("nan")


class Session:
    """A runner, what it works on, and the memory that the process held before it."""

    def __init__(self, peer: str, workload: Any, samples: int | None, warm: int, task: str):
        from peers import Unsupported, make
        from workloads import TINY

        tiny = make(peer, TINY)  # loads all that a library loads when it is first used
        (tiny.epoch or tiny.predict)()
        del tiny
        before = resident_megabytes()
        self.workload = workload
        self.runner = make(peer, workload, samples)
        whole = self.runner.epoch if task == "train" else self.runner.predict
        if whole is None:
            raise Unsupported("it only predicts")
        for _ in range(warm):
            whole()
        self.steps = -(-(samples or workload.samples) // workload.batch)
        self._most = peak_megabytes()  # what compilers took and gave back is not of the training
        data = sum(array.nbytes for array in workload.data(samples)) / 2**20
        self._before = before + data
        forget_peak()

    def answer(self, line: str) -> dict[str, Any]:
        question, _, argument = line.strip().partition(" ")
        runner = self.runner
        if question == "train":
            return turn(runner.epoch, self.steps, float(argument))
        if question == "predict":
            return turn(runner.predict, self.steps, float(argument))
        if question in ("predict_one", "call_one"):
            return per_call(getattr(runner, question), float(argument or 1.0))
        if question == "score":
            return {"accuracy": self._accuracy()}
        if question == "usage":
            now = peak_megabytes()
            return {"peak_mb": max(now, self._most), "grown_mb": now - self._before}
        raise ValueError(
            f"Expected train, predict, predict_one, call_one, score or usage. Received: {line!r}."
        )

    def _accuracy(self) -> float:
        """The share of the test samples whose class is found."""
        x, y = self.workload.test
        return float((self.runner.predict(x).argmax(-1) == y).mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("peer")
    parser.add_argument("workload")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--samples", type=int)
    parser.add_argument("--task", choices=("train", "predict"), default="train")
    parser.add_argument("--warm", type=int, default=2, help="passes before the first answer (2)")
    parser.add_argument("--data", help="file of real samples, in the manner of MNIST's")
    options = parser.parse_args()
    if options.threads:
        keep_to_cores(options.threads)
    say = answers_only()

    from runner import Unsupported
    from workloads import WORKLOADS, stored

    workload = WORKLOADS[options.workload]
    if options.data:
        workload = stored(workload, options.data)
    start = time.perf_counter()
    try:
        session = Session(options.peer, workload, options.samples, options.warm, options.task)
    except (Unsupported, ImportError) as error:
        say({"unsupported": str(error)})
        return
    say({"ready": time.perf_counter() - start})
    for line in sys.stdin:
        say(session.answer(line))


if __name__ == "__main__":
    main()
