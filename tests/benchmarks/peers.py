"""Each library's way to do a workload, written as its users write it.

`make(peer, workload)` gives a `Runner`. The name of a peer is that of its library; the variables
`KERAS_BACKEND` and `STEPS_PER_EXECUTION` choose among Keras's own variants.
"""

import importlib
from collections.abc import Callable

from runner import Runner, Unsupported
from workloads import Workload

__all__ = ["Runner", "Unsupported", "make"]

MODULES: dict[str, tuple[str, dict[str, object]]] = {
    "minikeras": ("with_keras", {"library": "minikeras"}),
    "keras": ("with_keras", {"library": "keras"}),
    "torch": ("with_torch", {}),
    "torch-cl": ("with_torch", {"channels_last": True}),
    "torch-compile": ("with_torch", {"compiled": True}),
    "sklearn": ("with_sklearn", {}),
    "onnxruntime": ("with_onnxruntime", {}),
}


def make(peer: str, workload: Workload, samples: int | None = None) -> Runner:
    """A runner; `samples` replaces the number of samples.

    Raises Unsupported when the library lacks something that the workload needs.
    """
    if peer not in MODULES:
        raise ValueError(f"`peer` must be one of {', '.join(MODULES)}. Received: {peer!r}.")
    module, variant = MODULES[peer]
    runner: Callable[..., Runner] = importlib.import_module(module).runner
    return runner(workload, samples, **variant)
