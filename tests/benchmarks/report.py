"""Results in a JSON file, which `tables.py` makes tables of."""

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
