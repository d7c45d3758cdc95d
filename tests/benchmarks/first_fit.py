"""The first step of `fit` with an empty kernel cache, and which kernels the time goes to.

    python tests/benchmarks/first_fit.py --workloads cnn_mnist lstm
    python tests/benchmarks/first_fit.py --workloads lstm --each lstm

Each workload is trained for one batch in a process of its own, whose model is built and compiled
before the clock starts. For those of `--each` another process compiles the kernels one after the
other and tells the seconds of each. Results are added to the JSON file, as by `measures.py`.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from processes import HERE, ISAS, environment
from report import RESULTS, add
from workloads import CONVOLUTIONAL, WORKLOADS

CHOSEN = (*CONVOLUTIONAL, "lstm", "gru", "text")
SLOWEST = 12


def train_once(name: str, each: bool) -> dict[str, Any]:
    """Train one batch in this process: seconds in all, and of `each` kernel if asked for."""
    from runner import Unsupported
    from with_keras import keras_model

    import minikeras as keras

    units = watch_units() if each else {}
    workload = WORKLOADS[name]
    try:
        model = keras_model(keras, workload)
    except Unsupported as error:
        return {"unsupported": str(error)}
    x, y = workload.data(workload.batch)
    start = time.perf_counter()
    model.fit(x, y, workload.batch, verbose=0)
    return {"seconds": time.perf_counter() - start, "kernels": units}


def watch_units() -> dict[str, float]:
    """Have kernels compiled by this process only; the seconds of each come into the result."""
    from minikeras.kernels.compiled import _jit, _loader  # noqa: F401  (with them comes Numba)

    units: dict[str, float] = {}
    compiled = _loader.compile_unit

    def timed(unit: str, floats: str, target: Any) -> Any:
        start = time.perf_counter()
        result = compiled(unit, floats, target)
        units[f"{unit} {floats}".strip()] = time.perf_counter() - start
        return result

    _loader.compile_unit = timed
    _loader.Loader.prepare = lambda *_: None
    return units


def measure(name: str, threads: int, isa: str, each: bool = False) -> dict[str, Any]:
    """`train_once` in a new process with an empty cache."""
    with tempfile.TemporaryDirectory() as folder:
        settings = ISAS[isa] | {"MINIKERAS_CACHE_DIR": folder}
        words = ["--inside", name, "--each", *([name] if each else [])]
        done = subprocess.run(
            [sys.executable, str(HERE / Path(__file__).name), *words],
            env=environment(settings, threads),
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    return json.loads(done.stdout.strip().splitlines()[-1])


def detail(kernels: dict[str, float]) -> str:
    """Where the time goes when one process compiles."""
    ordered = sorted(kernels.items(), key=lambda item: -item[1])
    slowest = ", ".join(f"{name} {seconds:.2f}" for name, seconds in ordered[:SLOWEST])
    rest = sum(seconds for _, seconds in ordered[SLOWEST:])
    return (
        f"{len(kernels)} kernels compiled one after the other take {sum(kernels.values()):.1f} s "
        f"({slowest}, the others {rest:.1f})"
    )


def arguments(words: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workloads", nargs="+", choices=WORKLOADS, default=list(CHOSEN))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--isa", choices=ISAS, default="native")
    parser.add_argument("--each", nargs="*", choices=WORKLOADS, default=["cnn_cifar"])
    parser.add_argument("--output", type=Path, default=RESULTS, help=f"JSON file ({RESULTS.name})")
    parser.add_argument("--inside", choices=WORKLOADS, help=argparse.SUPPRESS)
    return parser.parse_args(words)


def main(words: list[str] | None = None) -> None:
    options = arguments(words)
    if options.inside:
        sys.path.insert(0, str(HERE.parents[1]))
        print(json.dumps(train_once(options.inside, options.inside in options.each)))
        return
    for name in options.workloads:
        found = measure(name, options.threads, options.isa)
        if "unsupported" in found:
            print(f"{name:10} not measured: {found['unsupported']}", flush=True)
            continue
        row = {"measure": "first fit", "case": f"{name}, empty kernel cache"}
        row |= {"value": found["seconds"], "text": f"{found['seconds']:.1f} s"}
        if name in options.each:
            alone = measure(name, options.threads, options.isa, each=True)
            row["detail"] = detail(alone["kernels"])
        add(options.output, "measures", row | {"threads": options.threads, "isa": options.isa})
        print(f"{name:10} {row['text']}; {row.get('detail', '')}", flush=True)


if __name__ == "__main__":
    main()
