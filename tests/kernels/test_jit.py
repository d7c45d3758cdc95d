"""The compiler of kernels: targets, what it refuses, and every kernel on other processors."""

import ctypes
import subprocess

import numpy as np
import pytest

from minikeras import kernels
from minikeras.kernels import TABLE

from .processes import python

pytestmark = pytest.mark.skipif(not kernels.compiled_available(), reason="needs machine code")
numba = pytest.importorskip("numba")
llvm = pytest.importorskip("llvmlite.binding")

HASWELL = ("x86_64-unknown-linux-gnu", "haswell")
ARM = ("aarch64-unknown-linux-gnu", "neoverse-n1")
OTHERS = (HASWELL, ARM)
SAMPLE = [next(iter(family)) for family in TABLE.values()]


def target(triple, cpu):
    from minikeras.kernels.compiled import _engine

    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    return _engine.make_target(triple, cpu)


def compile_for(name, floats, where):
    from minikeras.kernels.compiled import _loader

    return _loader.compile_unit(name, floats, target(*where))


@pytest.mark.parametrize(
    ("where", "width"),
    [
        (("x86_64-unknown-linux-gnu", "znver5"), 64),
        (("x86_64-unknown-linux-gnu", "sapphirerapids"), 64),
        (HASWELL, 32),
        (("x86_64-unknown-linux-gnu", "nehalem"), 16),
        (ARM, 16),
    ],
)
def test_vector_width_is_that_of_the_processor(where, width):
    assert target(*where).vector_bytes == width


def test_a_named_cpu_replaces_the_host():
    code = "from minikeras.kernels.compiled import _engine as e; print(e.host_target())"
    printed = python(code, NUMBA_CPU_NAME="haswell")
    assert "cpu='haswell'" in printed
    assert "vector_bytes=32" in printed


def test_loops_use_whole_registers_of_an_intel_server(tmp_path):
    _, code = compile_for("relu", "float32", ("x86_64-unknown-linux-gnu", "sapphirerapids"))
    (tmp_path / "relu.o").write_bytes(code)
    try:
        listing = subprocess.run(
            ["objdump", "-d", tmp_path / "relu.o"], capture_output=True, text=True, check=True
        ).stdout
    except FileNotFoundError:
        pytest.skip("needs objdump")
    assert "zmm" in listing


@pytest.mark.parametrize("where", OTHERS, ids=["avx2", "arm"])
@pytest.mark.parametrize("name", [*SAMPLE, "gemm_block", "run", "work"])
def test_a_kernel_of_each_family_compiles_for_other_processors(name, where):
    floats = "" if name in ("run", "work") else "float32"
    _, code = compile_for(name, floats, where)
    assert code.startswith(b"\x7fELF")


@pytest.mark.slow
@pytest.mark.parametrize("where", OTHERS, ids=["avx2", "arm"])
@pytest.mark.parametrize("family", TABLE)
def test_every_kernel_compiles_for_other_processors(family, where):
    for name in TABLE[family]:
        _, code = compile_for(name, "float64", where)
        assert code.startswith(b"\x7fELF")


def compiled_from(body):
    """Object file of a function of one int64."""
    from minikeras.kernels.compiled import _engine, _jit

    signature = numba.types.int64(numba.types.int64)
    return _jit.compile_function(body, signature, "minikeras.test.", _engine.host_target())[1]


def allocates(x):
    return np.empty(x, np.float32).size


def prints(x):
    print(x)
    return x


@pytest.mark.parametrize("body", [allocates, prints])
def test_kernels_that_need_python_at_run_time_are_refused(body):
    with pytest.raises((RuntimeError, numba.core.errors.NumbaError, NotImplementedError)):
        compiled_from(body)


def raises(x):
    if x < 0:
        raise ValueError("negative")
    return x


def test_a_kernel_that_raises_returns_a_code_for_it():
    from minikeras.kernels.compiled import _engine, _jit

    engine = _engine.Engine(_engine.host_target())
    address = engine.load("minikeras.test.", compiled_from(raises))
    function = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(address)
    assert function(5) == 5
    assert function(-5) == _jit.RAISED


def test_compiling_kernels_leaves_numba_as_it_was():
    compiled_from(abs_)
    again = numba.njit(abs_)
    assert again(-3) == 3


def abs_(x):
    return -x if x < 0 else x
