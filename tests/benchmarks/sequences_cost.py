"""What long sequences and large vocabularies cost."""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from statistics import median
from typing import Any

import numpy as np
from processes import HERE, ISAS, environment

Result = tuple[str, float, str]

VOCABULARIES = (10_000, 1_000_000)
TOUCHED, WIDTH, BATCH, LENGTH = 10_000, 64, 100, 100
ROUNDS, STEPS = 9, 5
LONG = (5_000, 10_000)  # steps of a sequence
PATIENCE = 60  # seconds for one length
UNITS, SEQUENCES, FEATURES = 64, 4, 8


def embedding(options: argparse.Namespace) -> Iterator[Result]:
    """Steps of Adam on an embedding of which 10,000 rows occur, by the size of its vocabulary."""
    import minikeras as keras
    from minikeras import kernels

    kernels.set_num_threads(options.threads)
    runs = [_embedding_trainer(keras, vocabulary) for vocabulary in VOCABULARIES]
    turns = [[run() for run in runs] for _ in range(ROUNDS + 1)][1:]
    small, large = zip(*turns, strict=True)
    value = max(median(large) / median(small), min(large) / min(small))
    text = f"{value:.2f} x ({1e3 * median(large):.2f} against {1e3 * median(small):.2f} ms a step)"
    yield f"Adam on {TOUCHED:,} rows, vocabulary 1M over vocabulary 10k", value, text


def _embedding_trainer(keras: Any, vocabulary: int) -> Callable[[], float]:
    """Seconds of a step. The same rows occur always, evenly spread over the vocabulary."""
    model = keras.Sequential(
        [
            keras.Input((LENGTH,), dtype="int32"),
            keras.layers.Embedding(vocabulary, WIDTH),
            keras.layers.GlobalAveragePooling1D(),
            keras.layers.Dense(2, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy")
    rng = np.random.default_rng(0)
    rows = [rng.permutation(TOUCHED) for _ in range(STEPS)]
    x = np.stack(rows).reshape(STEPS * BATCH, LENGTH) * (vocabulary // TOUCHED)
    x, y = x.astype(np.int32), rng.integers(0, 2, STEPS * BATCH)

    def seconds() -> float:
        start = time.perf_counter()
        model.fit(x, y, BATCH, verbose=0, shuffle=False)
        return (time.perf_counter() - start) / STEPS

    return seconds


def long_sequences(options: argparse.Namespace) -> Iterator[Result]:
    """Memory that training an LSTM takes, by the length of the sequence; each in a new process."""
    try:
        grown = {length: _memory_of_length(length, options) for length in LONG}
    except subprocess.TimeoutExpired:
        print(f"long sequences not measured: {PATIENCE} seconds were not enough", flush=True)
        return
    short, long = (grown[length] for length in LONG)
    kept = LONG[1] * SEQUENCES * UNITS * 6 * 4 / 2**20
    text = (
        f"{long:.0f} MB, {long / short:.2f} x those of {LONG[0]:,} steps (four gates, state and "
        f"output of all steps are {kept:.0f} MB)"
    )
    yield f"LSTM({UNITS}) on {SEQUENCES} sequences of {LONG[1]:,} steps", long, text


def _memory_of_length(length: int, options: argparse.Namespace) -> float:
    done = subprocess.run(
        [sys.executable, str(HERE / "sequences_cost.py"), str(length)],
        env=environment(ISAS[options.isa], options.threads),
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    return json.loads(done.stdout.strip().splitlines()[-1])


def train_long(length: int) -> float:
    """Megabytes by which the process grows while it trains sequences of this length."""
    from worker import forget_peak, peak_megabytes, resident_megabytes

    import minikeras as keras

    rng = np.random.default_rng(0)

    def fit(steps: int) -> None:
        model = keras.Sequential([keras.Input((steps, FEATURES)), keras.layers.LSTM(UNITS)])
        model.add(keras.layers.Dense(1))
        model.compile("adam", "mse")
        x = rng.standard_normal((SEQUENCES, steps, FEATURES), np.float32)
        model.fit(x, x[:, 0, :1], batch_size=SEQUENCES, epochs=3, verbose=0)

    fit(10)  # loads what is loaded once
    before = resident_megabytes()
    forget_peak()
    fit(length)
    return peak_megabytes() - before


if __name__ == "__main__":
    sys.path.insert(0, str(HERE.parents[1]))
    print(json.dumps(train_long(int(sys.argv[1]))))
