"""Tables of the results, in Markdown: the few that README shows, and all of them."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from report import NAMES, RESULTS, load

Row = dict[str, Any]

APART = ("keras-jax-16",)  # a trick of its users: a row of its own
COLUMNS = (
    ((2, "native"), "2 threads"),
    ((1, "native"), "1 thread"),
    ((2, "avx2"), "2 threads, AVX2 forced"),
)
SHARES = ("gemm", "conv")  # measures whose cases share a line
HIGHLIGHTS = ("import", "start", "first fit", "latency", "MNIST", "embedding", "long_sequences")


def table(head: Iterable[str], lines: Iterable[Iterable[str]]) -> str:
    """A Markdown table."""
    head = list(head)
    rows = [head, ["---"] * len(head), *lines]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _worst(rows: list[Row]) -> Row:
    """The pair in which we are least ahead."""
    return min(rows, key=lambda row: row["counts"])


def _cell(rows: list[Row]) -> str:
    if not rows:
        return "-"
    row = _worst(rows)
    ours, theirs = row["ours"]["median_ms"], row["theirs"]["median_ms"]
    return f"{row['counts']:.2f} x ({ours:.3g} ms; {NAMES[row['peer']]} {theirs:.3g})"


def _counted(rows: list[Row]) -> str:
    """As `_cell`, with those times (medians or minima) that give the factor."""
    if not rows:
        return "-"
    row = _worst(rows)
    which = "median_ms" if row["ratio_median"] <= row["ratio_min"] else "min_ms"
    ours, theirs = row["ours"][which], row["theirs"][which]
    return f"{row['counts']:.2f} x ({ours:.3g} ms; {NAMES[row['peer']]} {theirs:.3g})"


def pairs_table(path: Path = RESULTS, kind: str = "pairs") -> str:
    """How many times faster we are than the best peer, for each workload."""
    rows = load(path).get(kind, [])
    lines = []
    for apart in (False, True):
        for workload in dict.fromkeys(row["workload"] for row in rows):
            own = [r for r in rows if r["workload"] == workload and (r["peer"] in APART) == apart]
            if own:
                title = f"{workload} (16 steps a call)" if apart else workload
                lines.append([title, *_by_setting(own, _cell)])
    return table(["workload", *(name for _, name in COLUMNS)], lines)


def _by_setting(rows: list[Row], cell: Callable[[list[Row]], str]) -> list[str]:
    """A cell for each column."""
    return [cell([r for r in rows if (r["threads"], r["isa"]) == key]) for key, _ in COLUMNS]


def peers_table(path: Path = RESULTS, kind: str = "pairs") -> str:
    """The factors to every peer, 2 threads."""
    rows = [r for r in load(path).get(kind, []) if (r["threads"], r["isa"]) == COLUMNS[0][0]]
    peers = [peer for peer in NAMES if any(row["peer"] == peer for row in rows)]
    lines = []
    for workload in dict.fromkeys(row["workload"] for row in rows):
        of = {row["peer"]: row for row in rows if row["workload"] == workload}
        cells = [f"{of[p]['counts']:.2f} x" if p in of else "-" for p in peers]
        lines.append([workload, *cells])
    return table(["workload", *(NAMES[peer] for peer in peers)], lines)


def memory_table(path: Path = RESULTS) -> str:
    """What training adds to the memory that library and data take, 2 threads."""
    rows = [
        row
        for row in load(path)["pairs"]
        if (row["threads"], row["isa"]) == COLUMNS[0][0] and "grown_mb" in row["ours"]
    ]
    lines = []
    for workload in dict.fromkeys(row["workload"] for row in rows):
        of = [row for row in rows if row["workload"] == workload]
        best = min(of, key=lambda row: row["theirs"]["grown_mb"])
        ours, theirs = best["ours"]["grown_mb"], best["theirs"]["grown_mb"]
        text = f"{theirs:.0f} MB ({NAMES[best['peer']]})"
        lines.append([workload, f"{ours:.0f} MB", text, f"{ours / theirs:.2f} x"])
    return table(["workload", "minikeras", "least of the peers", "of that"], lines)


def odd_shapes_table(path: Path = RESULTS, threads: int = 2) -> str:
    """Single layers: how many times faster we are than the best peer."""
    rows = [
        row
        for row in load(path).get("odd shapes", [])
        if (row["threads"], row["isa"]) == (threads, "native")
    ]
    kinds = ("forward", "forward and backward")
    lines = []
    for case in dict.fromkeys(row["case"] for row in rows):
        of = [row for row in rows if row["case"] == case]
        lines.append([case, *(_counted([r for r in of if r["kind"] == kind]) for kind in kinds)])
    return table(["layer", *kinds], lines)


def shares_table(path: Path = RESULTS) -> str:
    """Shares of the multiply-add peak: a line for each shape, its kinds side by side."""
    found: dict[tuple[str, int, str], list[str]] = {}
    for row in load(path)["measures"]:
        if row["measure"] in SHARES:
            shape, _, kind = row["case"].partition(", ")
            key = (shape, row["threads"], row["isa"])
            found.setdefault(key, []).append(f"{kind} {100 * row['value']:.0f}%")
    lines = [
        [shape, f"{threads}{'' if isa == 'native' else ', AVX2 forced'}", ", ".join(texts)]
        for (shape, threads, isa), texts in found.items()
    ]
    return table(["product or convolution", "threads", "share of the FMA peak"], lines)


def measures_table(path: Path = RESULTS, only: tuple[str, ...] = ()) -> str:
    """One line per measure and case; of those named, in that order, if some are."""
    rows = [row for row in load(path)["measures"] if row["measure"] not in SHARES]
    if only:
        rows = [row for measure in only for row in rows if row["measure"] == measure]
    lines = ([row["measure"], row["case"], row["text"]] for row in rows)
    return table(["measure", "case", "value"], lines)


def details(path: Path = RESULTS) -> str:
    """What is longer than a cell: for instance the seconds of each kernel."""
    rows = [row for row in load(path)["measures"] if "detail" in row]
    return "\n".join(f"* {row['measure']}, {row['case']}: {row['detail']}." for row in rows)


def head(path: Path = RESULTS) -> str:
    """What was measured where, and what a cell says."""
    host = load(path)["machine"]
    return (
        f"Measured on {host['cpu']}, {host['cores']} cores, Python {host['python']}; a cell gives "
        "the factor to the best peer, and the milliseconds of both, medians of a step (a batch)."
    )


def section(path: Path = RESULTS) -> str:
    """What README takes over."""
    content = load(path)
    parts = [head(path)]
    if content["pairs"]:
        parts.append(pairs_table(path))
    if any(row["measure"] in HIGHLIGHTS for row in content["measures"]):
        parts.append(measures_table(path, HIGHLIGHTS))
    parts.append("All figures, beside every peer: [.github/BENCHMARKS.md](.github/BENCHMARKS.md).")
    return "\n\n".join(parts)


def page(path: Path = RESULTS) -> str:
    """Everything that was measured."""
    content = load(path)
    parts = ["# Benchmarks", "Written by `tests/benchmarks/update_readme.py`.", head(path)]
    chapters = (
        ("Training", "pairs", lambda: pairs_table(path)),
        ("Training beside every peer, 2 threads", "pairs", lambda: peers_table(path)),
        ("Memory that training takes", "pairs", lambda: memory_table(path)),
        ("Predictions of many samples", "predictions", lambda: pairs_table(path, "predictions")),
        (
            "Predictions of many samples beside every peer, 2 threads",
            "predictions",
            lambda: peers_table(path, "predictions"),
        ),
        (
            "Predictions of one sample",
            "single predictions",
            lambda: pairs_table(path, "single predictions"),
        ),
        ("Single layers of odd shapes", "odd shapes", lambda: odd_shapes_table(path)),
        ("Shares of the peak", "measures", lambda: shares_table(path)),
        ("Measures", "measures", lambda: measures_table(path)),
        ("Details", "measures", lambda: details(path)),
    )
    for title, kind, text in chapters:
        if content.get(kind):
            parts += [f"## {title}", text()]
    return "\n\n".join(parts) + "\n"
