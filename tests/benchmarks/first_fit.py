"""The first step of `fit` with an empty kernel cache, and which kernels the time goes to.

    python tests/benchmarks/first_fit.py --workloads cnn_mnist lstm
    python tests/benchmarks/first_fit.py --each         every kernel with its seconds

Each workload is trained for one batch in a process of its own, whose model is built and compiled
before the clock starts. Results are added to the JSON file, as by `measures.py`.
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


def train_once(name: str) -> dict[str, Any]:
    """Train one batch in this process: seconds in all, of importing Numba, of each kernel."""
    from runner import Unsupported
    from with_keras import keras_model

    import minikeras as keras
    from minikeras.kernels.compiled import _loader

    units: dict[str, float] = {}
    compiled, numba = _loader.compile_unit, [0.0]

    def timed(unit: str, floats: str, target: Any) -> Any:
        start = time.perf_counter()
        if not units:
            from minikeras.kernels.compiled import _jit  # noqa: F401  (brings Numba)

            numba[0] = time.perf_counter() - start
            start = time.perf_counter()
        result = compiled(unit, floats, target)
        units[f"{unit} {floats}".strip()] = time.perf_counter() - start
        return result

    _loader.compile_unit = timed
    workload = WORKLOADS[name]
    try:
        model = keras_model(keras, workload)
    except Unsupported as error:
        return {"unsupported": str(error)}
    x, y = workload.data(workload.batch)
    start = time.perf_counter()
    model.fit(x, y, workload.batch, verbose=0)
    seconds = time.perf_counter() - start
    return {"seconds": seconds, "numba": numba[0], "kernels": units}


def measure(name: str, threads: int, isa: str) -> dict[str, Any]:
    """`train_once` in a new process with an empty cache."""
    with tempfile.TemporaryDirectory() as folder:
        settings = ISAS[isa] | {"MINIKERAS_CACHE_DIR": folder}
        done = subprocess.run(
            [sys.executable, str(HERE / Path(__file__).name), "--inside", name],
            env=environment(settings, threads),
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    return json.loads(done.stdout.strip().splitlines()[-1])


def detail(found: dict[str, Any]) -> str:
    """Where the time goes."""
    kernels = sorted(found["kernels"].items(), key=lambda item: -item[1])
    slowest = ", ".join(f"{name} {seconds:.2f}" for name, seconds in kernels[:SLOWEST])
    rest = sum(seconds for _, seconds in kernels[SLOWEST:])
    return (
        f"{len(kernels)} kernels {sum(found['kernels'].values()):.1f} s ({slowest}, the others "
        f"{rest:.1f}), importing Numba {found['numba']:.1f} s"
    )


def arguments(words: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workloads", nargs="+", choices=WORKLOADS, default=list(CHOSEN))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--isa", choices=ISAS, default="native")
    parser.add_argument("--each", action="store_true", help="print the seconds of every kernel")
    parser.add_argument("--output", type=Path, default=RESULTS, help=f"JSON file ({RESULTS.name})")
    parser.add_argument("--inside", choices=WORKLOADS, help=argparse.SUPPRESS)
    return parser.parse_args(words)


def main(words: list[str] | None = None) -> None:
    options = arguments(words)
    if options.inside:
        sys.path.insert(0, str(HERE.parents[1]))
        print(json.dumps(train_once(options.inside)))
        return
    for name in options.workloads:
        found = measure(name, options.threads, options.isa)
        if "unsupported" in found:
            print(f"{name:10} not measured: {found['unsupported']}", flush=True)
            continue
        row = {"measure": "first fit", "case": f"{name}, empty kernel cache"}
        row |= {"value": found["seconds"], "text": f"{found['seconds']:.1f} s"}
        row["detail"] = detail(found)
        add(options.output, "measures", row | {"threads": options.threads, "isa": options.isa})
        print(f"{name:10} {row['text']}: {row['detail']}", flush=True)
        if options.each:
            for kernel, seconds in sorted(found["kernels"].items(), key=lambda item: -item[1]):
                print(f"    {seconds:6.2f} s  {kernel}")


if __name__ == "__main__":
    main()
