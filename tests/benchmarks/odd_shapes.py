"""Single convolution layers of unusual shapes beside the same layers of the peers, in turn.

    python tests/benchmarks/odd_shapes.py --python keras-tf=OTHER/bin/python
    python tests/benchmarks/odd_shapes.py --cases "groups 4" depthwise --rounds 9

Each layer runs forward, and forward and backward (gradients of images and weights), as it would
inside a training step: a recorded program here, `jax.jit`, `tf.function`, PyTorch eagerly; see
`layer_peers.py`. A ratio above 1 means that minikeras is faster; of the ratio of medians and that
of minima the lower one counts, and the best peer. Results are added to the JSON file.
"""

import argparse
import contextlib
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from compare import OURS, interpreters, ratios
from layer_cases import CASES
from processes import HERE, ISAS, PEERS, Child, NotAvailable, peer_settings
from report import RESULTS, add
from tables import odd_shapes_table

OTHERS = ("keras-jax", "keras-tf", "torch", "torch-cl")
KINDS = {"forward": "forward", "both": "forward and backward"}


def start(peer: str, python: str, threads: int, isa: str) -> Child:
    words = [python, str(HERE / "layer_worker.py"), PEERS[peer].library]
    return Child(peer, [*words, "--threads", str(threads)], peer_settings(peer, isa), threads)


def measure(
    workers: Mapping[str, Any], case: str, kind: str, rounds: int, seconds: float
) -> dict[str, dict[str, Any]]:
    """The times of each library that can do the case, taken in turn.

    Raises ValueError when what comes out has not the same shape everywhere.
    """
    able, times, shapes = dict(workers), {name: [] for name in workers}, {}
    for _ in range(rounds + 1):
        for name, worker in list(able.items()):
            answer = worker.ask(f"{seconds} {kind} {case}")
            if "unsupported" in answer:
                print(f"{case}: {name} not measured: {answer['unsupported']}", flush=True)
                del able[name]
                continue
            times[name].append(answer["ms"])
            shapes[name] = tuple(answer["shape"])
    if len(set(shapes.values())) > 1:
        raise ValueError(f"Expected one shape of the output of {case!r}. Received: {shapes}.")
    return {name: _summary(times[name][1:]) for name in able}  # the first turn compiles


def _summary(turns: list[list[float]]) -> dict[str, float]:
    flat = sorted(ms for turn in turns for ms in turn)
    return {"median_ms": flat[len(flat) // 2], "min_ms": flat[0]}


def rows(case: str, kind: str, found: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    mine = found[OURS]
    return [
        {"case": case, "kind": KINDS[kind], "peer": peer, "ours": mine, "theirs": theirs}
        | ratios(mine, theirs)
        for peer, theirs in found.items()
        if peer != OURS
    ]


def arguments(words: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--peers", nargs="+", choices=OTHERS, default=list(OTHERS))
    parser.add_argument("--rounds", type=int, default=5, help="turns of each library (5)")
    parser.add_argument("--seconds", type=float, default=0.05, help="length of a turn (0.05)")
    parser.add_argument("--threads", type=int, default=2, help="cores for each process (2)")
    parser.add_argument("--isa", choices=ISAS, default="native", help="avx2 forces AVX2 everywhere")
    parser.add_argument("--output", type=Path, default=RESULTS, help=f"JSON file ({RESULTS.name})")
    parser.add_argument("--python", action="append", default=[], metavar="[PEER=]PATH")
    options = parser.parse_args(words)
    options.python = interpreters(options.python)
    return options


def main(words: list[str] | None = None) -> None:
    options = arguments(words)
    setting = {"threads": options.threads, "isa": options.isa}
    with contextlib.ExitStack() as stack:
        workers = {OURS: stack.enter_context(start(OURS, sys.executable, **setting))}
        for peer in options.peers:
            try:
                worker = start(peer, options.python[peer], **setting)
            except NotAvailable as reason:
                print(f"{peer} not measured: {reason}", flush=True)
                continue
            workers[peer] = stack.enter_context(worker)
        for case in options.cases:
            for kind in KINDS:
                found = measure(workers, case, kind, options.rounds, options.seconds)
                for row in rows(case, kind, found):
                    add(options.output, "odd shapes", row | setting)
                times = ", ".join(f"{name} {t['median_ms']:.3f}" for name, t in found.items())
                print(f"{case:26} {KINDS[kind]:20} {times} ms", flush=True)
    print("\n" + odd_shapes_table(options.output))


if __name__ == "__main__":
    main()
