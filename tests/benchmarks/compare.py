"""Time minikeras beside its peers: epochs of `fit` in turn, A B C A B C, in living processes.

    python tests/benchmarks/compare.py --peers keras-jax torch --workloads mlp_seed --threads 2
    python tests/benchmarks/compare.py --tasks train predict --workloads lstm --peers onnxruntime
    python tests/benchmarks/compare.py --python keras-tf=OTHER/bin/python --isa avx2

A ratio above 1 means that minikeras is faster. Of the ratio of the medians and the ratio of the
minima the lower one counts. Tasks: `train`, whole epochs; `predict`, all samples in the batches of
the training; `predict_one`, one sample by the library's shortest public call. Results are added to
the JSON file; `update_readme.py` makes tables of it. Measure on a quiet machine.
"""

import argparse
import contextlib
import statistics
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from processes import ISAS, ONLY_PREDICTS, PEERS, NotAvailable, Worker
from report import RESULTS, add
from tables import pairs_table
from workloads import WORKLOADS

Row = dict[str, Any]
OURS, DIRECT = "minikeras", "minikeras-direct"
WAYS = {OURS: "", DIRECT: " (direct)"}  # how the workload is called in its row
KINDS = {"train": "pairs", "predict": "predictions", "predict_one": "single predictions"}


def interleave(workers: Mapping[str, Any], question: str, rounds: int) -> dict[str, list]:
    """The answers of each worker to a question, taken in turn."""
    answers: dict[str, list] = {name: [] for name in workers}
    for _ in range(rounds):
        for name, worker in workers.items():
            answers[name].append(worker.ask(question))
    return answers


def summary(turns: list[dict[str, Any]], usage: dict[str, Any]) -> dict[str, Any]:
    times = [ms for turn in turns for ms in turn["ms"]]
    found = {
        "median_ms": statistics.median(times),
        "min_ms": min(times),
        "turns": len(times),
        "peak_mb": usage["peak_mb"],
        "grown_mb": usage["grown_mb"],
    }
    if "cpu_ms" in turns[0]:
        found["cpu_ms"] = statistics.median(turn["cpu_ms"] for turn in turns)
    if turns[-1].get("loss") is not None:
        found["loss"] = turns[-1]["loss"]
    return found


def compare(workers: Mapping[str, Any], question: str, rounds: int) -> list[dict[str, Any]]:
    """For each peer: our summary and its own, and how many times faster we are.

    Our direct convolutions, where they take part, are compared with each peer, too.
    """
    answers = interleave(workers, question, rounds)
    found = {name: summary(answers[name], workers[name].ask("usage")) for name in workers}
    rows = []
    for own in (name for name in WAYS if name in found):
        for peer in (name for name in found if name not in WAYS):
            mine, other = found[own], found[peer]
            row = {"way": WAYS[own], "peer": peer, "ours": mine, "theirs": other}
            rows.append(row | ratios(mine, other))
    return rows


def ratios(mine: dict[str, Any], other: dict[str, Any]) -> dict[str, float]:
    medians = other["median_ms"] / mine["median_ms"]
    minima = other["min_ms"] / mine["min_ms"]
    return {"ratio_median": medians, "ratio_min": minima, "counts": min(medians, minima)}


def arguments(words: list[str] | None = None) -> argparse.Namespace:
    others = [peer for peer in PEERS if peer not in WAYS]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workloads", nargs="+", choices=WORKLOADS, default=list(WORKLOADS))
    parser.add_argument("--peers", nargs="+", choices=others, default=others)
    parser.add_argument("--tasks", nargs="+", choices=KINDS, default=["train"])
    parser.add_argument("--direct", action="store_true", help="also without Winograd's way")
    parser.add_argument("--rounds", type=int, default=12, help="at least 10 (12)")
    parser.add_argument("--seconds", type=float, default=0.3, help="least length of a turn (0.3)")
    parser.add_argument("--threads", type=int, default=2, help="cores for each process (2)")
    parser.add_argument("--isa", choices=ISAS, default="native", help="avx2 forces AVX2 everywhere")
    parser.add_argument("--samples", type=int, help="fewer samples, to try the runner out")
    parser.add_argument("--output", type=Path, default=RESULTS, help=f"JSON file ({RESULTS.name})")
    parser.add_argument(
        "--python",
        action="append",
        default=[],
        metavar="[PEER=]PATH",
        help="interpreter of a peer, or of all that are not named",
    )
    options = parser.parse_args(words)
    options.python = interpreters(options.python)
    if options.tasks == ["train"]:
        options.peers = [peer for peer in options.peers if peer not in ONLY_PREDICTS]
    return options


def interpreters(words: list[str]) -> dict[str, str]:
    """`PEER=PATH` words, and a plain `PATH` for all peers that are not named."""
    given = dict(word.split("=", 1) if "=" in word else (OURS, word) for word in words)
    default = given.pop(OURS, sys.executable)
    unknown = set(given) - set(PEERS)
    if unknown:
        raise SystemExit(f"--python: expected a name among {', '.join(PEERS)}. Received: {unknown}")
    return {peer: given.get(peer, default) for peer in PEERS if peer not in WAYS}


def run_workload(workload: str, options: argparse.Namespace) -> Iterator[tuple[str, Row]]:
    """Kind and row for each task and peer; a line that says why for each that cannot be measured.

    The same processes do all tasks.
    """
    settings = {name: getattr(options, name) for name in ("threads", "isa", "samples")}
    key = {"threads": options.threads, "isa": options.isa}
    first = "train" if "train" in options.tasks else "predict"
    with contextlib.ExitStack() as stack:
        workers = {OURS: stack.enter_context(Worker(OURS, workload, task=first, **settings))}
        for peer in (*([DIRECT] if options.direct else []), *options.peers):
            task = "predict" if peer in ONLY_PREDICTS else first
            python = options.python.get(peer)
            try:
                worker = Worker(peer, workload, task=task, python=python, **settings)
            except NotAvailable as reason:
                print(f"{workload:18} {peer:14} not measured: {reason}", flush=True)
                continue
            workers[peer] = stack.enter_context(worker)
        for task in options.tasks:
            able = {n: w for n, w in workers.items() if task != "train" or n not in ONLY_PREDICTS}
            if task != "train":  # what the first call does is not timed
                interleave(able, f"{task} 0", 1)
            for row in compare(able, f"{task} {options.seconds}", options.rounds):
                yield KINDS[task], {"workload": f"{workload}{row.pop('way')}", **key, **row}


def line(row: dict[str, Any]) -> str:
    ours, theirs = row["ours"], row["theirs"]
    losses = f"; losses {ours['loss']:.4f}, {theirs['loss']:.4f}" if "loss" in ours else ""
    return (
        f"{row['workload']:18} {row['peer']:14} {row['counts']:5.2f} x  "
        f"(medians {row['ratio_median']:.2f}, minima {row['ratio_min']:.2f}; "
        f"{ours['median_ms']:.4f} against {theirs['median_ms']:.4f} ms{losses})"
    )


def main(words: list[str] | None = None) -> None:
    options = arguments(words)
    for workload in options.workloads:
        try:
            for kind, row in run_workload(workload, options):
                add(options.output, kind, row)
                print(f"{kind:18} {line(row)}", flush=True)
        except NotAvailable as reason:
            print(f"{workload:18} not measured: {reason}", flush=True)
    for task in options.tasks:
        print(f"\n{KINDS[task]}\n\n{pairs_table(options.output, KINDS[task])}")


if __name__ == "__main__":
    main()
