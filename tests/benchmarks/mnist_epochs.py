"""Epochs of Keras's small convolutional network on the real MNIST, in turn with the peers.

    python tests/benchmarks/mnist_epochs.py --data mnist.npz --python keras-tf=OTHER/bin/python

Every library trains the network of the workload cnn_mnist on all 60,000 images, in batches of 128,
in a process of its own; epochs are taken in turn. The first epoch holds the compilation; the least
of the others counts. At the end each says how many of the 10,000 test images it gets right. Results
are added to the JSON file, as by `measures.py`.
"""

import argparse
import contextlib
from pathlib import Path
from typing import Any

from compare import OURS, interpreters
from processes import ISAS, NotAvailable, Worker
from report import NAMES, RESULTS, add

OTHERS = ("keras-jax", "keras-tf", "torch", "torch-cl")


def train(workers: dict[str, Any], epochs: int) -> dict[str, dict[str, Any]]:
    """Seconds of each epoch of each library, in turn, and its accuracy on the test images."""
    seconds: dict[str, list[float]] = {name: [] for name in workers}
    for _ in range(epochs):
        for name, worker in workers.items():
            seconds[name].append(worker.ask("train 0")["seconds"])
    return {
        name: {"seconds": seconds[name], "accuracy": worker.ask("score")["accuracy"]}
        for name, worker in workers.items()
    }


def text_of(found: dict[str, Any]) -> str:
    first, *others = found["seconds"]
    return (
        f"{min(others or [first]):.2f} s an epoch (the first: {first:.2f} s); test accuracy "
        f"{found['accuracy']:.4f} after {len(found['seconds'])} epochs"
    )


def arguments(words: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="MNIST as Keras stores it (mnist.npz)")
    parser.add_argument("--peers", nargs="+", choices=OTHERS, default=list(OTHERS))
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2, help="cores for each process (2)")
    parser.add_argument("--isa", choices=ISAS, default="native", help="avx2 forces AVX2 everywhere")
    parser.add_argument("--samples", type=int, help="fewer images, to try the program out")
    parser.add_argument("--output", type=Path, default=RESULTS, help=f"JSON file ({RESULTS.name})")
    parser.add_argument("--python", action="append", default=[], metavar="[PEER=]PATH")
    options = parser.parse_args(words)
    options.python = interpreters(options.python)
    return options


def main(words: list[str] | None = None) -> None:
    options = arguments(words)
    settings = {name: getattr(options, name) for name in ("threads", "isa", "samples", "data")}
    with contextlib.ExitStack() as stack:
        workers = {}
        for peer in (OURS, *options.peers):
            python = options.python.get(peer)
            try:
                worker = Worker(peer, "cnn_mnist", python=python, warm=0, **settings)
            except NotAvailable as reason:
                print(f"not measured: {reason}", flush=True)
                continue
            workers[peer] = stack.enter_context(worker)
        found = train(workers, options.epochs)
    for peer, result in found.items():
        row = {"measure": "MNIST", "case": NAMES.get(peer, peer), "text": text_of(result)}
        row |= {"value": min(result["seconds"]), **result}
        add(options.output, "measures", row | {"threads": options.threads, "isa": options.isa})
        print(f"{row['case']:26} {row['text']}", flush=True)


if __name__ == "__main__":
    main()
