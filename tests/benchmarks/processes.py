"""Workers from the outside: started with an interpreter and settings, asked line by line."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

HERE = Path(__file__).parent
ROOT = HERE.parents[1]

AVX2 = {
    "NUMBA_CPU_NAME": "haswell",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "XLA_FLAGS": "--xla_cpu_max_isa=AVX2",
    "ATEN_CPU_CAPABILITY": "avx2",
}
ISAS: dict[str, dict[str, str]] = {"native": {}, "avx2": AVX2}


@dataclass(frozen=True)
class Peer:
    """A library as it is started: the name `peers.py` knows, and its settings."""

    library: str
    environment: dict[str, str] = field(default_factory=dict)


PEERS: dict[str, Peer] = {
    "minikeras": Peer("minikeras"),
    "minikeras-direct": Peer("minikeras", {"DIRECT_CONVOLUTIONS": "1"}),  # never Winograd's way
    "keras-jax": Peer("keras", {"KERAS_BACKEND": "jax"}),
    "keras-jax-16": Peer("keras", {"KERAS_BACKEND": "jax", "STEPS_PER_EXECUTION": "16"}),
    "keras-tf": Peer("keras", {"KERAS_BACKEND": "tensorflow"}),
    "torch": Peer("torch"),
    "torch-cl": Peer("torch-cl"),
    "torch-compile": Peer("torch-compile"),
    "sklearn": Peer("sklearn"),
    "onnxruntime": Peer("onnxruntime"),
}
ONLY_PREDICTS = ("onnxruntime",)
NEVER_AVX2 = ("onnxruntime",)  # it looks at the CPU itself and knows no setting


class NotAvailable(Exception):
    """The peer is not installed, cannot train the workload, or failed to start."""


def environment(settings: dict[str, str], threads: int) -> dict[str, str]:
    """The variables of a worker: this checkout first, quiet libraries, that many threads."""
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONWARNINGS": "ignore"}
    limits = {
        name: str(threads)
        for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "MINIKERAS_NUM_THREADS")
    }
    return {**os.environ, "PYTHONPATH": path, **quiet, **limits, **settings}


class Child:
    """A living process that answers lines with lines of JSON; the first comes unasked."""

    def __init__(self, name: str, words: list[str], settings: dict[str, str], threads: int):
        """Start it and wait until it is ready. Raises NotAvailable."""
        self._process = subprocess.Popen(
            words,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment(settings, threads),
        )
        try:
            first = self._read()
        except NotAvailable as error:
            self.close()
            raise NotAvailable(f"{name} failed to start") from error
        if "unsupported" in first:
            self.close()
            raise NotAvailable(f"{name}: {first['unsupported']}")
        self.first = first

    def ask(self, question: str) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(question + "\n")
        self._process.stdin.flush()
        return self._read()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise NotAvailable("the worker ended")
        return json.loads(line)

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


class Worker(Child):
    """A living `worker.py`."""

    def __init__(
        self,
        peer: str,
        workload: str,
        *,
        python: str | None = None,
        threads: int = 2,
        isa: str = "native",
        samples: int | None = None,
        task: str = "train",
        warm: int = 2,
        data: str | None = None,
    ):
        """Start it and wait until it has done its task (train, predict) as often as `warm` says.

        Raises NotAvailable.
        """
        settings = peer_settings(peer, isa)
        words = [python or sys.executable, str(HERE / "worker.py"), PEERS[peer].library, workload]
        words += ["--threads", str(threads), "--task", task, "--warm", str(warm)]
        words += ["--data", data] if data else []
        words += ["--samples", str(samples)] if samples else []
        super().__init__(f"{peer} on {workload}", words, settings, threads)


def peer_settings(peer: str, isa: str) -> dict[str, str]:
    """The variables of a peer with an instruction set. Raises NotAvailable where it knows none."""
    if isa == "avx2" and peer in NEVER_AVX2:
        raise NotAvailable(f"{peer} cannot be kept to AVX2")
    return PEERS[peer].environment | ISAS[isa]
