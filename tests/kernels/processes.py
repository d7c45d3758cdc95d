"""Running code in a fresh process."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def python(code: str, timeout: float = 120, **environment: str) -> str:
    """What a fresh interpreter prints for some code; fails the test if it fails.

    The environment is the present one without the variables that choose kernels, plus those given.
    """
    process = start(code, **environment)
    output, errors = process.communicate(timeout=timeout)
    assert process.returncode == 0, errors
    return output.strip()


def start(code: str, **environment: str) -> subprocess.Popen:
    """A fresh interpreter that runs some code."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("NUMBA_", "MINIKERAS_"))}
    kept |= {"PYTHONPATH": str(ROOT)} | environment
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([sys.executable, "-c", code], env=kept, **pipes)
