"""All that the tables show, one program after the other; about twelve minutes on two quiet cores.

    python tests/benchmarks/everything.py --data mnist.npz --python PEERS/bin/python \\
        --python keras-tf=TF/bin/python
    python tests/benchmarks/everything.py --list
    python tests/benchmarks/everything.py --only predictions "odd shapes"

Each part is a command that can be run alone. At the end README and .github/BENCHMARKS.md are
written anew. Measure on a quiet machine; `--rounds` sets how often everything is taken in turn.
"""

import argparse
import subprocess
import sys
import time

from processes import HERE
from workloads import CONVOLUTIONAL, DENSE

KERAS, TORCH = ("keras-jax", "keras-tf"), ("torch", "torch-cl")
RECURRENT = ("lstm", "gru", "text", "attention")
REPORTED = ("simple_rnn", "bilstm")  # without a goal: fewer turns


def parts(rounds: int, data: str | None) -> dict[str, list[str]]:
    """Each part's command; those that take interpreters of peers begin with `*`."""
    few = str(max(3, rounds // 2))
    many = str(rounds)
    shorter = ["--seconds", "0.2"]
    train = ["*compare.py", *shorter, "--rounds", many]
    again = ["*compare.py", *shorter, "--rounds", few]
    found = {
        "convolutions": [*train, "--direct", "--workloads", *CONVOLUTIONAL, "--peers", *KERAS]
        + list(TORCH),
        "sequences": [*train, "--workloads", *RECURRENT, "--peers", *KERAS, "torch"],
        "more sequences": [*again, "--workloads", *REPORTED, "--peers", *KERAS, "torch"],
        "one thread": [*again, "--threads", "1", "--workloads", *CONVOLUTIONAL, *RECURRENT]
        + ["--peers", "keras-jax", *TORCH],
        "avx2": [*again, "--isa", "avx2", "--workloads", *CONVOLUTIONAL, "lstm"]
        + ["--peers", *KERAS, *TORCH],
        "predictions": [*again, "--task", "predict", "--workloads", *CONVOLUTIONAL, "lstm"]
        + ["--peers", *KERAS, *TORCH, "onnxruntime"],
        "one sequence": [*again, "--task", "predict_one", "--workloads", "lstm", "gru"]
        + ["--peers", "torch", "onnxruntime"],
        "odd shapes": ["*odd_shapes.py", "--rounds", few],
        "kernels": ["measures.py", "conv", "embedding", "long_sequences"],
        "first fit": ["first_fit.py"],
        "dense": [*again, "--workloads", *DENSE, "--peers", "keras-jax", "torch"],
    }
    if data:
        found["mnist"] = ["*mnist_epochs.py", "--data", data]
    return found


def arguments(words: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    names = list(parts(10, "mnist.npz"))
    parser.add_argument("--only", nargs="+", choices=names, default=names)
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
