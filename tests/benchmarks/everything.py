"""All that the tables show, one program after the other; about twelve minutes on two quiet cores.

    python tests/benchmarks/everything.py --data mnist.npz --python PEERS/bin/python \\
        --python keras-tf=TF/bin/python
    python tests/benchmarks/everything.py --list
    python tests/benchmarks/everything.py --only convolutions "odd shapes"

Each part is a command that can be run alone. At the end README and .github/BENCHMARKS.md are
written anew. Measure on a quiet machine; `--rounds` sets how often everything is taken in turn.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Sequence

from processes import HERE
from workloads import CONVOLUTIONAL, DENSE

KERAS, TORCH = ("keras-jax", "keras-tf"), ("torch", "torch-cl")
ON_REQUEST = ("dense",)  # has not changed since it was measured


def parts(rounds: int, data: str | None) -> dict[str, list[str]]:
    """Each part's command; those that take interpreters of peers begin with `*`."""

    def compare(turns: int, workloads: Sequence[str], peers: Sequence[str], *more: str) -> list:
        words = ["*compare.py", "--seconds", "0.2", "--rounds", str(turns), *more]
        return [*words, "--workloads", *workloads, "--peers", *peers]

    few, all_tasks = max(3, rounds // 2), ("--tasks", "train", "predict", "predict_one")
    images = [*KERAS, *TORCH, "onnxruntime"]
    one, avx2 = ("--threads", "1"), ("--isa", "avx2")
    found = {
        "convolutions": compare(
            rounds, CONVOLUTIONAL, images, "--direct", "--tasks", "train", "predict"
        ),
        "lstm and gru": compare(
            rounds, ["lstm", "gru"], [*KERAS, "torch", "onnxruntime"], *all_tasks
        ),
        "text and attention": compare(rounds, ["text", "attention"], [*KERAS, "torch"]),
        "other sequences": compare(few, ["simple_rnn", "bilstm"], ["keras-jax", "torch"]),
        "convolutions, one thread": compare(
            few, CONVOLUTIONAL, [*KERAS, "torch-cl", "torch"], *one
        ),
        "sequences, one thread": compare(
            few, ["lstm", "gru", "text", "attention"], ["keras-tf", "torch"], *one
        ),
        "convolutions, avx2": compare(few, CONVOLUTIONAL, [*KERAS, *TORCH], *avx2),
        "odd shapes": ["*odd_shapes.py", "--rounds", str(few)],
        "kernels": ["measures.py", "conv", "embedding", "long_sequences"],
        "first fit": ["first_fit.py"],
        "dense": compare(rounds, DENSE, ["keras-jax", "torch"]),
    }
    if data:
        found["mnist"] = ["*mnist_epochs.py", "--data", data, "--peers", "keras-tf", *TORCH]
    return found


def arguments(words: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    names = list(parts(10, "mnist.npz"))
    usual = [name for name in names if name not in ON_REQUEST]
    parser.add_argument("--only", nargs="+", choices=names, default=usual)
    parser.add_argument("--without", nargs="+", choices=names, default=[])
    parser.add_argument("--rounds", type=int, default=10, help="turns of each library (10)")
    parser.add_argument("--data", help="MNIST as Keras stores it; without it that part is left out")
    parser.add_argument("--output", help="JSON file of the results; tables are not written then")
    parser.add_argument("--python", action="append", default=[], metavar="[PEER=]PATH")
    parser.add_argument("--list", action="store_true", help="print the commands only")
    return parser.parse_args(words)


def command(words: list[str], options: argparse.Namespace) -> list[str]:
    """A part as it is started."""
    program, *rest = words
    full = [sys.executable, str(HERE / program.lstrip("*")), *rest]
    if program.startswith("*"):
        full += [word for python in options.python for word in ("--python", python)]
    return full + (["--output", options.output] if options.output else [])


def main(words: list[str] | None = None) -> None:
    options = arguments(words)
    start = time.perf_counter()
    failed = []
    for name, part in parts(options.rounds, options.data).items():
        if name not in options.only or name in options.without:
            continue
        full = command(part, options)
        print(f"\n== {name}: {' '.join(full[1:])}", flush=True)
        if options.list:
            continue
        before = time.perf_counter()
        if subprocess.run(full, check=False).returncode:
            failed.append(name)
        now = time.perf_counter()
        print(
            f"== {name}: {now - before:.0f} s, {(now - start) / 60:.1f} minutes in all", flush=True
        )
    if not options.list and not options.output:
        subprocess.run([sys.executable, str(HERE / "update_readme.py")], check=True)
    if failed:
        raise SystemExit(f"Failed: {', '.join(failed)}.")


if __name__ == "__main__":
    main()
