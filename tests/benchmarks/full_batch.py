"""L-BFGS on the digits beside scikit-learn's: the same network, penalty, start and iterations.

    python tests/benchmarks/full_batch.py --python sklearn=OTHER/bin/python
    python tests/benchmarks/full_batch.py --rounds 12 --threads 1

The network is 64-100-10, relu and softmax, with scikit-learn's penalty `alpha`. A ratio above 1
means that minikeras is faster per iteration; of the ratio of medians and that of minima the lower
one counts. Results are added to the JSON file, as by `measures.py`. Measure on a quiet machine.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from processes import HERE, ROOT, environment
from report import RESULTS, add

HIDDEN, CLASSES = 100, 10
PENALTY = 1e-4  # times the sum of the squared weights
LIBRARIES = ("minikeras", "sklearn")

Turn = Callable[[int], dict[str, float]]


def digits() -> tuple[np.ndarray, np.ndarray]:
    with np.load(ROOT / "minikeras" / "datasets" / "digits.npz") as content:
        return content["x_train"].reshape(-1, 64) / 16, content["y_train"]


def start() -> list[np.ndarray]:
    """Kernel and bias of each layer, drawn uniformly after Glorot."""
    rng, found = np.random.default_rng(0), []
    for shape in ((64, HIDDEN), (HIDDEN, CLASSES)):
        limit = np.sqrt(6 / sum(shape))
        found += [rng.uniform(-limit, limit, shape), np.zeros(shape[1])]
    return found


def ours() -> Turn:
    import minikeras as keras

    x, y = digits()

    def dense(units: int, activation: str) -> Any:
        penalty = keras.regularizers.L2(PENALTY)
        return keras.layers.Dense(units, activation=activation, kernel_regularizer=penalty)

    layers = [keras.Input((64,)), dense(HIDDEN, "relu"), dense(CLASSES, "softmax")]
    model = keras.Sequential(layers)
    search = keras.optimizers.LBFGS(tolerance=0, gradient_tolerance=0)
    model.compile(search, "sparse_categorical_crossentropy")

    def turn(iterations: int) -> dict[str, float]:
        model.set_weights(start())
        before = time.perf_counter()
        loss = model.fit(x, y, epochs=iterations, verbose=0).history["loss"]
        seconds = time.perf_counter() - before
        assert search.result is not None
        evaluations = search.result.evaluations
        return _answer(seconds, len(loss), evaluations, loss[-1])

    return turn


def theirs() -> Turn:
    from sklearn.neural_network import MLPClassifier

    warnings.simplefilter("ignore")  # it says that it has not converged
    x, y = digits()
    model = MLPClassifier(
        (HIDDEN,), solver="lbfgs", alpha=2 * PENALTY * len(x), max_iter=1, tol=0, warm_start=True
    )
    model.fit(x, y)  # makes the arrays that a warm start fills
    model.max_fun = 10**9

    def turn(iterations: int) -> dict[str, float]:
        first, first_bias, last, last_bias = start()
        model.coefs_, model.intercepts_ = [first, last], [first_bias, last_bias]
        model.max_iter = iterations
        before = time.perf_counter()
        model.fit(x, y)
        return _answer(time.perf_counter() - before, model.n_iter_, 0, model.loss_)

    return turn


def _answer(seconds: float, iterations: int, evaluations: int, loss: float) -> dict[str, float]:
    return {
        "ms": 1e3 * seconds / iterations,
        "iterations": iterations,
        "evaluations": evaluations,
        "loss": float(loss),
    }


def serve(library: str) -> None:
    """Answer each line, a number of iterations, with a line of JSON."""
    turn = ours() if library == "minikeras" else theirs()
    turn(3)  # compiles, fills caches
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        print(json.dumps(turn(int(line))), flush=True)


class Server:
    """A living process of this script that trains with one library."""

    def __init__(self, library: str, python: str, threads: int):
        self._process = subprocess.Popen(
            [python, str(HERE / Path(__file__).name), "--serve", library],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment({"OPENBLAS_NUM_THREADS": str(threads)}, threads),
        )
        self._read()

    def ask(self, iterations: int) -> dict[str, float]:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{iterations}\n")
        self._process.stdin.flush()
        return self._read()

    def _read(self) -> Any:
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *exception: object) -> None:
        self._process.communicate()


def compare(one: Any, other: Any, rounds: int, iterations: int) -> dict[str, Any]:
    """Turns of both, one after the other, and how many times faster the first is."""
    turns = [(one.ask(iterations), other.ask(iterations)) for _ in range(rounds)]
    a, b = zip(*turns, strict=True)

    def times(of: tuple) -> tuple[float, float]:
        return statistics.median(t["ms"] for t in of), min(t["ms"] for t in of)

    mine, yours = times(a), times(b)
    ratio = min(yours[0] / mine[0], yours[1] / mine[1])
    return {"ratio": ratio, "ours": mine, "theirs": yours, "turns": (a[-1], b[-1])}


def text_of(result: dict[str, Any]) -> str:
    mine, yours = result["turns"]
    return (
        f"{result['ratio']:.2f} x ({result['ours'][0]:.2f} against {result['theirs'][0]:.2f} ms an "
        f"iteration; loss after {mine['iterations']}: {mine['loss']:.5f} and {yours['loss']:.5f})"
    )


def arguments(words: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--serve", choices=LIBRARIES, help=argparse.SUPPRESS)
    parser.add_argument("--rounds", type=int, default=12, help="turns of each (12)")
    parser.add_argument("--iterations", type=int, default=100, help="of a turn (100)")
    parser.add_argument("--threads", type=int, default=2, help="cores for each process (2)")
    parser.add_argument("--output", type=Path, default=RESULTS, help=f"JSON file ({RESULTS.name})")
    parser.add_argument(
        "--python", default=sys.executable, metavar="[sklearn=]PATH", help="scikit-learn's"
    )
    return parser.parse_args(words)


def main(words: list[str] | None = None) -> None:
    options = arguments(words)
    if options.serve:
        serve(options.serve)
        return
    python = options.python.removeprefix("sklearn=")
    with (
        Server("minikeras", sys.executable, options.threads) as one,
        Server("sklearn", python, options.threads) as other,
    ):
        result = compare(one, other, options.rounds, options.iterations)
    case, text = "L-BFGS on the digits beside scikit-learn", text_of(result)
    row = {"measure": "full batch", "case": case, "value": result["ratio"], "text": text}
    add(options.output, "measures", row | {"threads": options.threads, "isa": "native"})
    print(f"{case}: {text}")


if __name__ == "__main__":
    main()
