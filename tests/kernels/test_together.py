"""Several processes compile for the first program; nothing depends on them."""

import pytest

from minikeras import kernels

from .processes import python

pytestmark = pytest.mark.skipif(not kernels.compiled_available(), reason="needs machine code")

USE = """
import sys
import numpy as np
from minikeras import kernels
{before}
names = ["relu", "sigmoid", "tanh", "exp", "square", "sqrt", "silu", "softplus"]
x = np.linspace(0.1, 1, 9).astype("float32")
outs = [np.empty_like(x) for _ in names]
program = kernels.Program([kernels.launch(n, x, y) for n, y in zip(names, outs)])
program.run()
assert np.allclose(outs[3], np.exp(x)) and np.allclose(outs[5], np.sqrt(x))
loader = kernels._get_native().loader
assert all(loader._cache.has("minikeras." + n + ".float32") for n in names)
print(len(set(loader.compiled) & {{"minikeras." + n + ".float32" for n in names}}))
"""

# Compilation here waits until a unit has come from somewhere else.
WAIT = """
import time
from minikeras.kernels.compiled import _loader
assert kernels.compiled_available()
compile_unit = _loader.compile_unit
def after_another(*unit):
    cache, end = kernels._get_native().loader._cache, time.monotonic() + 60
    while not any(cache.has(f"minikeras.{n}.float32") for n in names) and time.monotonic() < end:
        time.sleep(0.01)
    return compile_unit(*unit)
_loader.compile_unit = after_another
"""


def compiled_here(folder, before="", **environment) -> int:
    return int(python(USE.format(before=before), MINIKERAS_CACHE_DIR=str(folder), **environment))


def test_a_helper_compiles_part_of_what_is_missing(tmp_path):
    assert 1 <= compiled_here(tmp_path, WAIT, MINIKERAS_NUM_THREADS="2") < 8


@pytest.mark.parametrize(
    "before",
    [
        "sys.executable = ''",
        "sys.executable = '/no/python'",
        "sys.executable = '/bin/echo'",
        "sys.frozen = True",
        "import os; os.symlink('/bin/true', os.environ['MINIKERAS_CACHE_DIR'] + '/python')\n"
        "sys.executable = os.environ['MINIKERAS_CACHE_DIR'] + '/python'",
    ],
)
def test_without_a_helper_all_is_compiled_here(tmp_path, before):
    assert compiled_here(tmp_path, before, MINIKERAS_NUM_THREADS="2") == 8


def test_one_thread_means_one_process(tmp_path):
    assert compiled_here(tmp_path, MINIKERAS_NUM_THREADS="1") == 8
