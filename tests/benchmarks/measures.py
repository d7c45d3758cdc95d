"""What is measured of minikeras alone: kernels, start, latency, memory, optimizers and more.

    python tests/benchmarks/measures.py                 all of them
    python tests/benchmarks/measures.py gemm start      some of them
    python tests/benchmarks/measures.py gemm --isa avx2

Results are added to the JSON file, as by `compare.py`. Measure on a quiet machine.
"""

import argparse
import gc
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from conv_share import conv_share
from graphs import graphs
from optimizer_steps import optimizer_steps
from peak import WIDTHS, best, gflops
from processes import ISAS, PEERS, NotAvailable, Worker, environment
from report import RESULTS, add
from sequences_cost import embedding, long_sequences

Result = tuple[str, float, str]  # case, value, text for the table

SHAPES = ((1024, 1024, 1024), (784, 100, 500), (100, 784, 500), (100, 500, 500))
LAYOUTS = {"A B": (0, 0), "A' B": (1, 0), "A B'": (0, 1)}
STARTS = 7
PREDICTIONS, BUILDS = 10_000, 500
LARGE = 64 * 1024
THREADS = {"gemm": (1,), "conv": (1, 2)}  # two threads elsewhere

TRAIN_DIGITS = """
import minikeras as keras
keras.utils.set_random_seed(1)
(x, y), (x_test, y_test) = keras.datasets.digits.load_data()
model = keras.Sequential([
    keras.Input((64,)),
    keras.layers.Dense(500, activation="sigmoid"),
    keras.layers.Dense(500, activation="sigmoid"),
    keras.layers.Dense(10, activation="softmax"),
])
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x.reshape(-1, 64), y, epochs=15, batch_size=100, verbose=0)
print(model.evaluate(x_test.reshape(-1, 64), y_test, verbose=0)[1])
"""


def gemm(options: argparse.Namespace) -> Iterator[Result]:
    """Matrix products: share of the multiply-add peak of the cores in use."""
    from minikeras import kernels

    threads = options.threads
    kernels.set_num_threads(threads)
    peak = best(WIDTHS if options.isa == "native" else WIDTHS[1:])
    rng = np.random.default_rng(0)
    for m, k, n in SHAPES:
        for layout, (ta, tb) in LAYOUTS.items():
            a = rng.standard_normal((k, m) if ta else (m, k), dtype=np.float32)
            b = rng.standard_normal((n, k) if tb else (k, n), dtype=np.float32)
            c, bias = np.empty((m, n), np.float32), np.empty(0, np.float32)
            tasks = kernels.gemm_tasks(m, n, k, threads)
            launch = kernels.launch("gemm", a, b, bias, c, ta, tb, 0, 0, tasks=tasks)
            product = kernels.Program([launch]).run
            product()
            repeat = max(1, int(5e8 / (2 * m * k * n)))
            # In turn, because the clock drifts; the best of each, because a disturbed turn of the
            # peak would flatter the product.
            turns = [
                (gflops(product, 2 * m * k * n, repeat), peak.gflops(40_000)) for _ in range(40)
            ]
            products, peaks = zip(*turns, strict=True)
            value = max(products) / (threads * max(peaks))
            yield f"{m} x {k} x {n}, {layout}", value, f"{value:.0%} of the FMA peak"


def imports(options: argparse.Namespace) -> Iterator[Result]:
    """`import minikeras`, the same with the first use of a name, and numpy's own import."""
    for statement in ("import minikeras", "from minikeras import Sequential", "import numpy"):
        code = f"import time; t = time.perf_counter(); {statement}; print(time.perf_counter() - t)"
        value = min(float(_python(code, options)) for _ in range(2 * STARTS))
        yield statement, value, f"{value * 1e3:.0f} ms"


def start(options: argparse.Namespace) -> Iterator[Result]:
    """A new process up to the slides' network trained on the digits (Adam, 15 epochs)."""
    with tempfile.TemporaryDirectory() as folder:
        for case, count in (("cold kernel cache", 3), ("warm kernel cache", STARTS)):
            times = []
            for number in range(count):
                cache = Path(folder, str(number) if case.startswith("cold") else "0")
                times.append(_seconds_to_train(cache, options))
            yield f"start to trained digits, {case}", min(times), f"{min(times):.2f} s"


def _seconds_to_train(cache: Path, options: argparse.Namespace) -> float:
    before = time.perf_counter()
    accuracy = float(_python(TRAIN_DIGITS, options, MINIKERAS_CACHE_DIR=str(cache)))
    seconds = time.perf_counter() - before
    if accuracy < 0.95:
        raise AssertionError(f"the digits were not learned: accuracy {accuracy}")
    return seconds


def latency(options: argparse.Namespace) -> Iterator[Result]:
    """One row through mlp_tiny: `model(x)` and `predict`, of each peer given, too."""
    for peer in ("minikeras", *options.peers):
        try:
            with Worker(peer, "mlp_tiny", threads=options.threads, isa=options.isa) as worker:
                for question, name in (("call_one", "model(x)"), ("predict_one", "predict(x)")):
                    value = worker.ask(question)["us"]
                    yield f"one row, {name}, {peer}", value, f"{value:.1f} us"
        except NotAvailable as reason:
            print(f"not measured: {reason}")


def busy(options: argparse.Namespace) -> Iterator[Result]:
    """Epochs of mlp_seed beside a process that keeps one of our cores busy, over quiet ones."""
    core = min(os.sched_getaffinity(0))
    loop = f"import os; os.sched_setaffinity(0, {{{core}}})\nwhile True: pass"
    with Worker("minikeras", "mlp_seed", threads=options.threads, isa=options.isa) as worker:
        neighbour = subprocess.Popen([sys.executable, "-c", loop])
        try:
            quiet, disturbed = [], []
            for _ in range(8):
                neighbour.send_signal(signal.SIGSTOP)
                quiet += worker.ask("train 1")["ms"]
                neighbour.send_signal(signal.SIGCONT)
                disturbed += worker.ask("train 1")["ms"]
        finally:
            neighbour.kill()
            neighbour.wait()
    value = statistics.median(disturbed) / statistics.median(quiet)
    yield "mlp_seed beside a busy process", value, f"{value:.2f} x the quiet time"


def memory(options: argparse.Namespace) -> Iterator[Result]:
    """Growth of the process over many predictions, and over many models."""
    from with_keras import keras_model
    from workloads import WORKLOADS

    import minikeras as keras

    workload = WORKLOADS["mlp_tiny"]
    x, y = workload.data(256)
    model = keras_model(keras, workload)

    def build_fit_delete() -> None:
        fresh = keras_model(keras, workload)
        fresh.fit(x, y, batch_size=64, verbose=0)

    for case, count, function in (
        (f"{PREDICTIONS} predict calls", PREDICTIONS, lambda: model.predict(x, verbose=0)),
        (f"{BUILDS} models built, fitted, deleted", BUILDS, build_fit_delete),
    ):
        value = _growth(function, count)
        yield case, value, f"{value:+.1f} MB from the middle to the end"


def _growth(function: Callable[[], Any], count: int) -> float:
    """Megabytes by which the process grows over the second half of the calls, garbage collected."""
    before = 0.0
    for number in range(count):
        if number == count // 2:
            before = _resident_megabytes()
        function()
    return _resident_megabytes() - before


def _resident_megabytes() -> float:
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def allocations(options: argparse.Namespace) -> Iterator[Result]:
    """The most memory that a training step takes and gives back after the first epoch."""
    import tracemalloc

    from with_keras import keras_model
    from workloads import WORKLOADS

    import minikeras as keras

    class Watch(keras.callbacks.Callback):
        """Notes by how much the traced memory rises within each step."""

        def __init__(self) -> None:
            super().__init__()
            self.rises: list[int] = []

        def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
            tracemalloc.reset_peak()
            self.before = tracemalloc.get_traced_memory()[0]

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            self.rises.append(tracemalloc.get_traced_memory()[1] - self.before)

    for name, workload in WORKLOADS.items():
        x, y = workload.data(10 * workload.batch)
        model = keras_model(keras, workload)
        model.fit(x, y, batch_size=workload.batch, verbose=0)
        watch = Watch()
        tracemalloc.start()
        try:
            model.fit(x, y, epochs=2, batch_size=workload.batch, verbose=0, callbacks=[watch])
        finally:
            tracemalloc.stop()
        faults = _page_faults(lambda m=model, x=x, y=y, b=workload.batch: m.fit(x, y, b, verbose=0))
        value = max(watch.rises[1:])
        blocks = "no block" if value < LARGE else "A BLOCK"
        text = f"{blocks} over 64 KiB in a step ({value / 1024:.1f} KiB at most; "
        text += f"{faults} page faults an epoch)"
        yield f"allocation, {name}", value, text


def callbacks(options: argparse.Namespace) -> Iterator[Result]:
    """What callbacks and a metric add to a step of mlp_tiny, over epochs of 1000 steps."""
    from with_keras import keras_model
    from workloads import WORKLOADS

    import minikeras as keras

    workload, steps, epochs = WORKLOADS["mlp_tiny"], 1000, 4
    x, y = workload.data(steps * workload.batch)

    def trainer(metrics: list[str], made: list[Any]) -> Callable[[], float]:
        model = keras_model(keras, workload)
        model.compile("adam", "mse", metrics=metrics)

        def seconds() -> float:
            start = time.perf_counter()
            model.fit(x, y, workload.batch, epochs, verbose=0, callbacks=made)
            return time.perf_counter() - start

        return seconds

    with tempfile.TemporaryDirectory() as folder:
        hooks = keras.callbacks
        every_epoch = [
            hooks.EarlyStopping("loss", patience=99, restore_best_weights=True),
            hooks.ReduceLROnPlateau("loss", patience=50),
            hooks.LearningRateScheduler(lambda epoch, rate: rate),
            hooks.CSVLogger(f"{folder}/log.csv"),
        ]
        saving = hooks.ModelCheckpoint(f"{folder}/best.keras", "loss", save_best_only=True)
        plain = trainer([], [])
        cases = {
            "a metric": trainer(["accuracy"], []),
            "a metric, 4 callbacks": trainer(["accuracy"], every_epoch),
            "a metric, 4 callbacks, ModelCheckpoint": trainer(["accuracy"], [*every_epoch, saving]),
            "TerminateOnNaN, which looks at every step": trainer([], [hooks.TerminateOnNaN()]),
        }
        turns = [[run() for run in (plain, *cases.values())] for _ in range(9)][1:]
    for number, case in enumerate(cases, 1):
        without, added = (min(turn[place] for turn in turns) for place in (0, number))
        per_step = 1e6 / (steps * epochs)
        value = (added - without) * per_step
        yield case, value, f"{value:+.1f} us a step (without: {without * per_step:.1f} us)"


def _page_faults(function: Callable[[], Any]) -> int:
    """Pages touched for the first time: what allocations that numpy does not see would cost."""
    import resource

    function()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    function()
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


def _python(code: str, options: argparse.Namespace, **settings: str) -> str:
    """The last line that a new process prints."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment(ISAS[options.isa] | settings, options.threads),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    return done.stdout.strip().splitlines()[-1]


def larger_than_memory(options: argparse.Namespace) -> Iterator[Result]:
    """Epochs of mlp_seed on an HDF5 file, over epochs on the same rows in memory; peak memory."""
    with tempfile.TemporaryDirectory() as folder:
        size = min(options.gigabytes, 0.8 * shutil.disk_usage(folder).free / 1e9)
        path = str(Path(folder, "data.h5"))
        _larger(["write", path, str(size)], options).communicate()
        workers = {kind: _larger(["train", path, kind], options) for kind in ("file", "memory")}
        try:
            for worker in workers.values():
                _answer(worker)
            turns = [{kind: _answer(w, "pass") for kind, w in workers.items()} for _ in range(3)]
        finally:
            for worker in workers.values():
                worker.communicate()
    ms = {kind: min(turn[kind]["ms"] for turn in turns) for kind in workers}
    value = ms["file"] / ms["memory"]
    text = f"{value:.2f} x the time from memory ({ms['file']:.2f} and {ms['memory']:.2f} ms a step)"
    yield f"mlp_seed on {size:.1f} GB of HDF5", value, text
    peak = turns[-1]["file"]["peak_mb"]
    yield f"mlp_seed on {size:.1f} GB of HDF5, resident", peak, f"{peak:.0f} MB at most"


def _larger(words: list[str], options: argparse.Namespace) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("larger.py")), *words],
        env=environment(ISAS[options.isa], options.threads),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def _answer(worker: subprocess.Popen, question: str = "") -> dict[str, Any]:
    assert worker.stdin
    assert worker.stdout
    if question:
        worker.stdin.write(f"{question}\n")
        worker.stdin.flush()
    line = worker.stdout.readline()
    if not line:
        raise RuntimeError(f"a process ended before it answered: {worker.args}")
    return json.loads(line)


MEASURES: dict[str, Callable[[argparse.Namespace], Iterator[Result]]] = {
    "gemm": gemm,
    "conv": conv_share,
    "import": imports,
    "start": start,
    "latency": latency,
    "busy": busy,
    "memory": memory,
    "allocations": allocations,
    "optimizers": optimizer_steps,
    "larger_than_memory": larger_than_memory,
    "callbacks": callbacks,
    "graphs": graphs,
    "embedding": embedding,
    "long_sequences": long_sequences,
}


def arguments(words: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("measures", nargs="*", help=f"of {', '.join(MEASURES)} (all)")
    parser.add_argument("--threads", type=int, help="cores (2; gemm 1, conv 1 and 2)")
    parser.add_argument("--isa", choices=ISAS, default="native")
    parser.add_argument("--peers", nargs="*", choices=PEERS, default=[], help="for latency")
    parser.add_argument("--gigabytes", type=float, default=4.0, help="of larger_than_memory (4)")
    parser.add_argument("--output", type=Path, default=RESULTS)
    options = parser.parse_args(words)
    unknown = set(options.measures) - set(MEASURES)
    if unknown:
        parser.error(f"expected measures among {', '.join(MEASURES)}. Received: {unknown}")
    options.measures = options.measures or list(MEASURES)
    return options


def main(words: list[str] | None = None) -> None:
    options = arguments(words)
    chosen = options.threads and (options.threads,)
    os.environ.update(ISAS[options.isa])  # before the kernels are loaded
    sys.path.insert(0, str(Path(__file__).parents[2]))
    for name in options.measures:
        for options.threads in chosen or THREADS.get(name, (2,)):
            for case, value, text in MEASURES[name](options):
                row = {"measure": name, "case": case, "value": value, "text": text}
                row |= {"threads": options.threads, "isa": options.isa}
                add(options.output, "measures", row)
                print(f"{name:12} {case:44} {text}", flush=True)


if __name__ == "__main__":
    main()
