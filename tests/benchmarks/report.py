"""Results in a JSON file, and the tables that are made of them."""

import datetime
import json
import os
import platform
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).with_name("results.json")
KEYS = {
    "pairs": ("workload", "peer", "threads", "isa"),
    "predictions": ("workload", "peer", "threads", "isa"),
    "single predictions": ("workload", "peer", "threads", "isa"),
    "odd shapes": ("case", "kind", "peer", "threads", "isa"),
    "measures": ("measure", "case", "threads", "isa"),
}
NAMES = {
    "keras-jax": "Keras-JAX",
    "keras-jax-16": "Keras-JAX, 16 steps a call",
    "keras-tf": "Keras-TensorFlow",
    "torch": "PyTorch",
    "torch-cl": "PyTorch, channels_last",
    "torch-compile": "torch.compile",
    "onnxruntime": "onnxruntime",
    "sklearn": "scikit-learn",
}
APART = ("keras-jax-16",)  # a trick of its users: a row of its own
COLUMNS = (
    ((2, "native"), "2 threads"),
    ((1, "native"), "1 thread"),
    ((2, "avx2"), "2 threads, AVX2 forced"),
)


def cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    found = {
        key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)
    }
    name = found.get("model name", platform.machine())
    flags = set(found.get("flags", "").split())
    widest = next((f for f in ("avx512f", "avx2", "asimd") if f in flags), "")
    family = [found[key] for key in ("cpu family", "model") if key in found]
    return f"{name} (family {', model '.join(family)}; {widest})" if len(family) == 2 else name


def machine() -> dict[str, Any]:
    return {
        "cpu": cpu_name(),
        "cores": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
        "system": f"{platform.system()}, {platform.machine()}",
        "python": platform.python_version(),
    }


def load(path: Path) -> dict[str, Any]:
    if path.exists():
        return json.loads(path.read_text())
    return {"machine": {}, "pairs": [], "measures": []}


def add(path: Path, kind: str, row: dict[str, Any]) -> None:
    """Add a row, in the place of an older one of the same key."""
    content = load(path)
    content["machine"] = machine()

    def key(item: dict[str, Any]) -> tuple:
        return tuple(item.get(name) for name in KEYS[kind])

    row = row | {"date": datetime.date.today().isoformat()}
    content[kind] = [old for old in content.get(kind, []) if key(old) != key(row)] + [row]
    path.write_text(json.dumps(content, indent=1) + "\n")


def _cell(rows: list[dict[str, Any]]) -> str:
    """The pair in which we are least ahead."""
    if not rows:
        return "-"
    row = min(rows, key=lambda row: row["counts"])
    ours, theirs = row["ours"]["median_ms"], row["theirs"]["median_ms"]
    return f"{row['counts']:.2f} x ({ours:.3g} ms; {NAMES[row['peer']]} {theirs:.3g})"


def pairs_table(path: Path = RESULTS, kind: str = "pairs") -> str:
    """Markdown: how many times faster we are than the best peer, for each workload."""
    rows = load(path).get(kind, [])
    lines = [
        f"| workload | {' | '.join(name for _, name in COLUMNS)} |",
        "|---" * (len(COLUMNS) + 1) + "|",
    ]
    workloads = dict.fromkeys(row["workload"] for row in rows)
    for apart in (False, True):
        for workload in workloads:
            own = [r for r in rows if r["workload"] == workload and (r["peer"] in APART) == apart]
            if own:
                cells = [
                    _cell([r for r in own if (r["threads"], r["isa"]) == setting])
                    for setting, _ in COLUMNS
                ]
                title = f"{workload} (16 steps a call)" if apart else workload
                lines.append(f"| {title} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _counted(rows: list[dict[str, Any]]) -> str:
    """The pair in which we are least ahead, and the times (medians or minima) that say so."""
    if not rows:
        return "-"
    row = min(rows, key=lambda row: row["counts"])
    which = "median_ms" if row["ratio_median"] <= row["ratio_min"] else "min_ms"
    ours, theirs = row["ours"][which], row["theirs"][which]
    return f"{row['counts']:.2f} x ({ours:.3g} ms; {NAMES[row['peer']]} {theirs:.3g})"


def odd_shapes_table(path: Path = RESULTS, threads: int = 2) -> str:
    """Markdown: single layers, how many times faster we are than the best peer."""
    rows = [row for row in load(path).get("odd shapes", []) if row["threads"] == threads]
    kinds = ("forward", "forward and backward")
    lines = [f"| layer | {' | '.join(kinds)} |", "|---|---|---|"]
    for case in dict.fromkeys(row["case"] for row in rows if row["isa"] == "native"):
        of_case = [row for row in rows if row["case"] == case and row["isa"] == "native"]
        cells = [_counted([row for row in of_case if row["kind"] == kind]) for kind in kinds]
        lines.append(f"| {case} | {' | '.join(cells)} |")
    return "\n".join(lines)


def measures_table(path: Path = RESULTS) -> str:
    """Markdown: one line per measure and case; the layouts of one matrix product share a line."""
    lines = ["| measure | case | value |", "|---|---|---|"]
    products: dict[tuple[str, str], list[str]] = {}
    for row in load(path)["measures"]:
        if row["measure"] == "gemm":
            shape, _, layout = row["case"].partition(", ")
            key = (shape, "" if row["isa"] == "native" else ", AVX2 forced")
            products.setdefault(key, []).append(f"{layout} {100 * row['value']:.0f}%")
        else:
            lines.append(f"| {row['measure']} | {row['case']} | {row['text']} |")
    lines += [
        f"| share of the FMA peak, 1 thread{isa} | {shape} | {', '.join(texts)} |"
        for (shape, isa), texts in products.items()
    ]
    return "\n".join(lines)


def section(path: Path = RESULTS) -> str:
    """What README takes over: the machine, both tables."""
    content = load(path)
    host = content["machine"]
    parts = [
        f"Measured on {host['cpu']}, {host['cores']} cores, Python {host['python']}; a cell gives "
        "the factor to the best peer, and milliseconds per training step of both."
    ]
    if content["pairs"]:
        parts.append(pairs_table(path))
    if content["measures"]:
        parts.append(measures_table(path))
    return "\n\n".join(parts)
