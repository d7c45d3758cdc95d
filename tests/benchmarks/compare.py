"""Time minikeras against its peers: epochs of `fit` in turn, A B A B, in living processes.

    python tests/benchmarks/compare.py --peers keras-jax torch --workloads mlp_seed --threads 2
    python tests/benchmarks/compare.py --python keras-tf=OTHER/bin/python --isa avx2

A ratio above 1 means that minikeras is faster. Of the ratio of the medians and the ratio of the
minima the lower one counts. Results are added to the JSON file; `update_readme.py` makes README's
table of it. Measure on a quiet machine.
"""

import argparse
import statistics
import sys
from pathlib import Path
from typing import Any

from processes import ISAS, PEERS, NotAvailable, Worker
from report import RESULTS, add, pairs_table
from workloads import WORKLOADS

OURS = "minikeras"


def interleave(ours: Any, theirs: Any, rounds: int, seconds: float) -> tuple[list, list]:
    """The answers of both to `turn`, taken in turn."""
    question = f"turn {seconds}"
    a, b = [], []
    for _ in range(rounds):
        a.append(ours.ask(question))
        b.append(theirs.ask(question))
    return a, b


def summary(turns: list[dict[str, Any]], usage: dict[str, Any]) -> dict[str, float]:
    times = [ms for turn in turns for ms in turn["ms"]]
    return {
        "median_ms": statistics.median(times),
        "min_ms": min(times),
        "cpu_ms": statistics.median(turn["cpu_ms"] for turn in turns),
        "loss": turns[-1]["loss"],
        "epochs": len(times),
        "peak_mb": usage["peak_mb"],
    }


def compare(ours: Any, theirs: Any, rounds: int, seconds: float) -> dict[str, Any]:
    """Both summaries and how many times faster we are."""
    a, b = interleave(ours, theirs, rounds, seconds)
    mine, other = summary(a, ours.ask("usage")), summary(b, theirs.ask("usage"))
    medians = other["median_ms"] / mine["median_ms"]
    minima = other["min_ms"] / mine["min_ms"]
    return {
        "ratio_median": medians,
        "ratio_min": minima,
        "counts": min(medians, minima),
        "ours": mine,
        "theirs": other,
    }


def arguments(words: list[str] | None = None) -> argparse.Namespace:
    others = [peer for peer in PEERS if peer != OURS]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workloads", nargs="+", choices=WORKLOADS, default=list(WORKLOADS))
    parser.add_argument("--peers", nargs="+", choices=others, default=others)
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
    return options


def interpreters(words: list[str]) -> dict[str, str]:
    """`PEER=PATH` words, and a plain `PATH` for all peers that are not named."""
    given = dict(word.split("=", 1) if "=" in word else (OURS, word) for word in words)
    default = given.pop(OURS, sys.executable)
    unknown = set(given) - set(PEERS)
    if unknown:
        raise SystemExit(f"--python: expected a name among {', '.join(PEERS)}. Received: {unknown}")
    return {peer: given.get(peer, default) for peer in PEERS if peer != OURS}


def run_pair(workload: str, peer: str, options: argparse.Namespace) -> dict[str, Any] | None:
    """The row of a pair; None, and a line that says why, when the peer cannot be measured."""
    settings = {name: getattr(options, name) for name in ("threads", "isa", "samples")}
    with Worker(OURS, workload, **settings) as ours:
        try:
            theirs = Worker(peer, workload, python=options.python[peer], **settings)
        except NotAvailable as reason:
            print(f"{workload:10} {peer:14} not measured: {reason}", flush=True)
            return None
        with theirs:
            result = compare(ours, theirs, options.rounds, options.seconds)
    key = {"workload": workload, "peer": peer, "threads": options.threads, "isa": options.isa}
    return key | result


def main(words: list[str] | None = None) -> None:
    options = arguments(words)
    for workload in options.workloads:
        for peer in options.peers:
            row = run_pair(workload, peer, options)
            if row is None:
                continue
            add(options.output, "pairs", row)
            print(
                f"{workload:10} {peer:14} {row['counts']:5.2f} x  "
                f"(medians {row['ratio_median']:.2f}, minima {row['ratio_min']:.2f}; "
                f"{row['ours']['median_ms']:.4f} against {row['theirs']['median_ms']:.4f} ms; "
                f"losses {row['ours']['loss']:.4f}, {row['theirs']['loss']:.4f})",
                flush=True,
            )
    print("\n" + pairs_table(options.output))


if __name__ == "__main__":
    main()
